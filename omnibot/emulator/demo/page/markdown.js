// Text to DOM nodes. Nothing here makes HTML from text: words only ever become text nodes.

const EMOJI = { warning: "⚠️", black_square_for_stop: "⏹️", hourglass_flowing_sand: "⏳", white_check_mark: "✅" };
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export function link(url, children) {
  const safe = URL.canParse(url) ? new URL(url) : null;
  if (!["http:", "https:", "mailto:"].includes(safe?.protocol)) return children;
  return h("a", { href: safe.href, target: "_blank", rel: "noopener noreferrer" }, children);
}

// `<@U…>`, `<#C…>`, `<!here>`, `<https://…|label>`
function token(body, names) {
  const [target, label] = [body.split("|", 1)[0], body.split("|").slice(1).join("|")];
  if (/^[@#]/.test(target)) return h("span", { class: "mention" }, target[0] + decode(label || names[target.slice(1)] || target.slice(1)));
  if (target[0] === "!") return h("span", { class: "mention ping" }, "@" + decode(label || target.slice(1)));
  return link(decode(target), [decode(label || target)]);
}

// Each rule: a pattern, and what its match becomes. The earliest match wins, then the first rule.
const span = (tag) => (m, inner) => h(tag, {}, inner(m[1]));
const COMMON = [
  [/(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/, (m) => h("code", {}, decode(m[2].trim()))],
  [/<([@#!][^<>\s|]+(?:\|[^<>]*)?|(?:https?:\/\/|mailto:)[^<>\s|]+(?:\|[^<>]*)?)>/, (m, _, names) => token(m[1], names)],
  [/:([a-z_]+):/, (m) => EMOJI[m[1]] || m[0]],
];
const MARKDOWN = [
  [/\\([!-/:-@[-`{-~])/, (m) => m[1]],
  ...COMMON,
  [/!\[([^\]\n]*)\]\([^()\s]*\)/, (m) => m[1]],
  [/\[((?:[^[\]\\\n]|\\.|\[[^[\]\n]*\])*)\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)\)/, (m, inner) => link(m[2], inner(m[1]))],
  [/\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, span("strong")],
  [/(?<!\w)__(?=\S)([\s\S]*?\S)__(?!\w)/, span("strong")],
  [/\*(?=[^\s*])([^*\n]*[^\s*])\*/, span("em")],
  [/(?<!\w)_(?=[^\s_])([^_\n]*[^\s_])_(?!\w)/, span("em")],
  [/~~(?=\S)([\s\S]*?\S)~~/, span("s")],
  [/\bhttps?:\/\/[^\s<>)\]]*[^\s<>)\].,;:!?'"]/, (m) => link(m[0], [m[0]])],
];
const MRKDWN = [
  ...COMMON,
  [/(?<![\w*])\*(?=\S)([^*\n]*[^\s*])\*(?![\w*])/, span("strong")],
  [/(?<![\w_])_(?=\S)([^_\n]*[^\s_])_(?![\w_])/, span("em")],
  [/(?<![\w~])~(?=\S)([^~\n]*[^\s~])~(?![\w~])/, span("s")],
];

function inline(text, names, rules) {
  const out = [], next = rules.map(() => ({ index: -1 })); // each rule's next match, kept until the text has passed it
  for (let offset = 0; ;) {
    rules.forEach(([pattern], n) => {
      if (!next[n] || next[n].index >= offset) return;
      const from = new RegExp(pattern.source, "g");
      from.lastIndex = offset;
      next[n] = from.exec(text);
    });
    const best = next.reduce((a, m, n) => (m && (a < 0 || m.index < next[a].index) ? n : a), -1);
    const end = best < 0 ? text.length : next[best].index;
    if (end > offset) out.push(decode(text.slice(offset, end)));
    if (best < 0) return out;
    out.push(rules[best][1](next[best], (inner) => inline(inner, names, rules), names));
    offset = end + next[best][0].length;
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const LINE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const UNDER_HEAD = /^ *\|?(?: *:?-+:? *\|)* *:?-+:? *\|? *$/;
const cells = (row) => row.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/)
  .map((cell) => cell.trim().replaceAll("\\|", "|"));

function table(lines, write) {
  const align = cells(lines[1]).map((c) => (c.endsWith(":") ? (c.startsWith(":") ? "center" : "right") : "left"));
  const row = (line, tag) => h("tr", {}, cells(line).map((c, n) => h(tag, { class: align[n] || "left" }, write(c))));
  return h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, row(lines[0], "th")), h("tbody", {}, lines.slice(2).map((l) => row(l, "td")))));
}

function list(lines, write) {
  const open = []; // [indent, list], outermost first
  for (const line of lines) {
    const [, indent, mark, words] = ITEM.exec(line) || [];
    if (mark === undefined) { open.at(-1)[1].lastChild.append(h("br"), ...write(line.trim())); continue; }
    while (open.length > 1 && indent.length < open.at(-1)[0]) open.pop();
    if (!open.length || indent.length > open.at(-1)[0] + 1) {
      const made = /\d/.test(mark) ? h("ol", { start: parseInt(mark, 10) }) : h("ul");
      open.at(-1)?.[1].lastChild.append(made);
      open.push([indent.length, made]);
    }
    open.at(-1)[1].append(h("li", {}, write(words)));
  }
  return open[0][1];
}

export function markdown(text, names) {
  const out = [], lines = text.split("\n");
  const write = (words) => inline(words, names, MARKDOWN);
  const take = (from, test) => { let to = from; while (to < lines.length && test(lines[to], to)) to += 1; return to; };
  const begins = (line, n) => [FENCE, /^#{1,6}\s/, LINE, QUOTE, ITEM].some((kind) => kind.test(line))
    || (line.includes("|") && (lines[n + 1] || "").includes("|") && UNDER_HEAD.test(lines[n + 1]));
  for (let n = 0, end; n < lines.length; n = end) {
    const line = lines[n], fence = FENCE.exec(line)?.[1];
    end = n + 1;
    if (!line.trim()) continue;
    if (fence) {
      end = take(n + 1, (l) => !(l.trim().startsWith(fence) && !l.trim().replaceAll(fence[0], "")));
      out.push(h("pre", { tabindex: 0 }, h("code", {}, decode(lines.slice(n + 1, end).join("\n")))));
      end += 1;
    } else if (/^#{1,6}\s/.test(line)) {
      out.push(h("h" + Math.min(/^#+/.exec(line)[0].length + 2, 6), {}, write(line.replace(/^#+\s+|\s+#*$/g, ""))));
    } else if (LINE.test(line)) {
      out.push(h("hr"));
    } else if (QUOTE.test(line)) {
      end = take(n, (l) => QUOTE.test(l));
      out.push(h("blockquote", {}, markdown(lines.slice(n, end).map((l) => l.replace(QUOTE, "")).join("\n"), names)));
    } else if (ITEM.test(line)) {
      end = take(n, (l) => ITEM.test(l) || /^\s+\S/.test(l));
      out.push(list(lines.slice(n, end), write));
    } else if (begins(line, n)) {
      end = take(n, (l) => l.includes("|"));
      out.push(table(lines.slice(n, end), write));
    } else {
      end = take(n + 1, (l, at) => l.trim() && !begins(l, at));
      out.push(h("p", {}, write(lines.slice(n, end).join("\n"))));
    }
  }
  return out;
}

// Slack's own notation, of people's messages and of sections: fences, quotes, and the rest line by line.
export function mrkdwn(text, names) {
  return text.split(/(```[\s\S]*?```|(?:^(?:&gt;|>).*\n?)+)/m).map((piece) => {
    if (piece.startsWith("```") && piece.length > 5) return h("pre", { tabindex: 0 }, h("code", {}, decode(piece.slice(3, -3).trim())));
    if (!/^(?:&gt;|>)/.test(piece)) return inline(piece, names, MRKDWN);
    return h("blockquote", {}, inline(piece.replace(/^(?:&gt;|>) ?/gm, "").trimEnd(), names, MRKDWN));
  }).flat(Infinity);
}
