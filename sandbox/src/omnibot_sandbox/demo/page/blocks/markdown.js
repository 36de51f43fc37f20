// Markdown as Slack's markdown block and streams show it. markdown-it reads it, and its tokens become nodes one by one:
// no HTML is ever made from text. A growing text is cut into its outermost pieces, so that only the last is drawn again.

import { html, memo, useMemo } from "../vendor/preact.js";
import MarkdownIt from "../vendor/markdown-it.js";
import { complete } from "./context.js";
import { withEmoji } from "./emoji.js";
import { Link, TOKEN, token as slackToken } from "./inline.js";
import { Icon } from "./icons.js";

const md = new MarkdownIt({ html: false, linkify: true, breaks: true });
md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

// `<@U…>`, `<!here>`, `<https://…|words>`: Slack reads these in markdown, too.
md.inline.ruler.before("autolink", "slack", (state, silent) => {
  if (state.src[state.pos] !== "<") return false;
  const end = state.src.indexOf(">", state.pos);
  const open = state.src.indexOf("<", state.pos + 1);
  if (end < 0 || end >= state.posMax || (open >= 0 && open < end)) return false;
  const body = state.src.slice(state.pos + 1, end);
  if (!TOKEN.test(body)) return false;
  if (!silent) state.push("slack", "", 0).content = body;
  state.pos = end + 1;
  return true;
});

// `- [x] done`: the mark leaves the words and becomes the item's own.
md.core.ruler.after("inline", "tasks", ({ tokens }) => {
  tokens.forEach((item, at) => {
    const words = tokens[at + 2];
    const first = item.type === "list_item_open" && words?.type === "inline" ? words.children[0] : undefined;
    const mark = first?.type === "text" && /^\[([ xX])\]\s+/.exec(first.content);
    if (!mark) return;
    item.meta = { done: mark[1] !== " " };
    first.content = first.content.slice(mark[0].length);
  });
});

const Task = ({ done, children }) => html`<li class="bk-task">
  <span class=${done ? "bk-tick bk-ticked" : "bk-tick"} role="img" aria-label=${done ? "Done" : "To do"}>
    ${done && html`<${Icon} name="check" size=${14} />`}</span><div>${children}</div></li>`;

const aligned = (token) => `bk-${(token.attrGet("style") ?? "").replace("text-align:", "") || "left"}`;

/** A wide thing that scrolls by itself, so that the message does not. */
export const Scroller = ({ label, children }) => html`<div class="bk-scroll" role="region" tabindex="0"
  aria-label=${label}>${children}</div>`;

const AROUND = {
  paragraph: (token, inner) => (token.hidden ? inner : html`<p>${inner}</p>`),
  heading: (_, inner) => html`<h3 class="bk-heading">${inner}</h3>`,
  bullet_list: (_, inner) => html`<ul>${inner}</ul>`,
  ordered_list: (token, inner) => html`<ol start=${token.attrGet("start") ?? undefined}>${inner}</ol>`,
  list_item: (token, inner) => (token.meta ? html`<${Task} done=${token.meta.done}>${inner}<//>` : html`<li>${inner}</li>`),
  blockquote: (_, inner) => html`<blockquote class="bk-quote">${inner}</blockquote>`,
  table: (_, inner) => html`<${Scroller} label="Table"><table class="bk-table">${inner}</table><//>`,
  thead: (_, inner) => html`<thead>${inner}</thead>`,
  tbody: (_, inner) => html`<tbody>${inner}</tbody>`,
  tr: (_, inner) => html`<tr>${inner}</tr>`,
  th: (token, inner) => html`<th scope="col" class=${aligned(token)}>${inner}</th>`,
  td: (token, inner) => html`<td class=${aligned(token)}>${inner}</td>`,
  strong: (_, inner) => html`<strong>${inner}</strong>`,
  em: (_, inner) => html`<em>${inner}</em>`,
  s: (_, inner) => html`<s>${inner}</s>`,
  link: (token, inner) => html`<${Link} url=${token.attrGet("href")}>${inner}<//>`,
};

const code = (token) => html`<pre class="bk-pre" tabindex="0">${token.content.replace(/\n$/, "")}</pre>`;
const ALONE = {
  inline: (token, ctx) => build(token.children, ctx),
  text: (token) => withEmoji(token.content),
  softbreak: () => html`<br />`,
  hardbreak: () => html`<br />`,
  code_inline: (token) => html`<code>${token.content}</code>`,
  code_block: code,
  fence: code,
  hr: () => html`<hr class="bk-divider" />`,
  image: (token) => html`<${Link} url=${token.attrGet("src")}>${token.content || token.attrGet("src")}<//>`,
  slack: (token, ctx) => slackToken(token.content, ctx),
};

function build(tokens, ctx) {
  const open = [{ inner: [] }];
  for (const token of tokens) {
    if (token.nesting > 0) {
      open.push({ token, inner: [] });
      continue;
    }
    let node;
    if (token.nesting < 0) {
      const { token: start, inner } = open.pop();
      node = AROUND[start.type.replace(/_open$/, "")](start, inner);
    } else {
      node = ALONE[token.type]?.(token, ctx) ?? token.content;
    }
    open.at(-1).inner.push(node);
  }
  return open[0].inner;
}

const Piece = memo(({ source, references, names, me }) => {
  const nodes = build(md.parse(source, { references: JSON.parse(references) }), { names, me });
  return html`<div class="bk-piece">${nodes}</div>`;
});

/** The outermost pieces of a text, each as its own source, and the link targets they share. */
function cut(text) {
  const source = text.replace(/\r\n?/g, "\n").replaceAll("\0", "\uFFFD");
  const lines = source.split("\n");
  const [env, tokens] = [{}, []];
  md.block.parse(source, md, env, tokens);
  const outer = tokens.filter((token) => token.level === 0 && token.nesting >= 0 && token.map);
  return {
    sources: outer.map(({ map: [from, to] }) => lines.slice(from, to).join("\n")),
    references: JSON.stringify(env.references ?? {}),
  };
}

/** The same, as part of something that has a context. */
export function MarkdownText({ text, names, me }) {
  if (typeof text !== "string") throw new TypeError("its text must be a string");
  const { sources, references } = useMemo(() => cut(text), [text]);
  return html`<div class="bk-markdown">${sources.map((source) => html`<${Piece} source=${source} references=${references}
    names=${names} me=${me} />`)}</div>`;
}

/**
 * Markdown, also while it grows: pieces that did not change are not drawn again.
 * @param {{text: string, ctx: import("./context.js").Ctx}} props
 */
export function Markdown({ text, ctx }) {
  const { names, me } = complete(ctx);
  return html`<${MarkdownText} text=${text} names=${names} me=${me} />`;
}
