// Slack's own notation, of people's messages and of text objects. Words only ever become text nodes, and every search
// goes forward, so that no text is dangerous or slow.

import { html, memo } from "../vendor/preact.js";
import { complete, useCtx } from "./context.js";
import { onlyEmoji, withEmoji } from "./emoji.js";
import { Link, TOKEN, decode, safeUrl, token } from "./inline.js";

const HOLE = "\uE000"; // stands for a piece that is already drawn
const TAGS = { "*": "strong", _: "em", "~": "s" };
const QUOTED = /^(?:&gt;|>) ?/;
const ADDRESS = /https?:\/\/[^\s<>`|\uE000]+/y;

/** Where a character comes next, at or after a place that only ever moves forward; -1 when it does not. */
function finder(text, char) {
  let at = -2;
  return (from) => {
    if (at !== -1 && at < from) at = text.indexOf(char, from);
    return at;
  };
}

const isWord = (char) => char !== undefined && /[\p{L}\p{N}]/u.test(char);
const isSpace = (char) => char === undefined || /\s/.test(char);

function bareUrl(text, at) {
  if (text[at] !== "h" || isWord(text[at - 1])) return undefined;
  ADDRESS.lastIndex = at;
  let found = ADDRESS.exec(text)?.[0].split(/&[gl]t;/, 1)[0].replace(/[.,;:!?'"*_~]+$/, "");
  if (found?.endsWith(")") && !found.includes("(")) found = found.slice(0, -1);
  return found && safeUrl(decode(found)) ? found : undefined;
}

/** Code, `<…>` and addresses come first: nothing inside them is read again. */
function drill(text, ctx) {
  const [tick, open, close] = ["`", "<", ">"].map((char) => finder(text, char));
  const pieces = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    let end = -1;
    let piece;
    const char = text[at];
    if (char === "`") {
      end = tick(at + 1);
      if (end > at + 1 && !text.slice(at, end).includes("\n")) piece = html`<code>${decode(text.slice(at + 1, end))}</code>`;
    } else if (char === "<") {
      end = close(at + 1);
      const inner = end < 0 || (open(at + 1) >= 0 && open(at + 1) < end) ? "" : text.slice(at + 1, end);
      if (TOKEN.test(inner)) piece = token(inner, ctx);
    } else {
      const url = ctx.verbatim ? undefined : bareUrl(text, at);
      end = at + (url?.length ?? 0) - 1;
      if (url) piece = html`<${Link} url=${decode(url)}>${decode(url)}<//>`;
    }
    if (piece) pieces.push(piece);
    plain += piece ? HOLE : char === HOLE ? "" : char;
    at = piece ? end + 1 : at + 1;
  }
  return { plain, pieces: pieces.values() };
}

function closers(text) {
  const known = {};
  return (mark, from) => {
    const last = known[mark];
    if (last && (last.at >= from || (last.at < 0 && from <= last.until))) return last.at;
    let at = from;
    const ends = () => text[at] === mark && !isSpace(text[at - 1]) && text[at - 1] !== mark && text[at + 1] !== mark
      && !isWord(text[at + 1]);
    while (at < text.length && text[at] !== "\n" && !ends()) at += 1;
    const found = text[at] === mark;
    known[mark] = { at: found ? at : -1, until: at };
    return known[mark].at;
  };
}

const opens = (text, at) => {
  const [before, mark, after] = [text[at - 1], text[at], text[at + 1]];
  return TAGS[mark] && !isWord(before) && before !== mark && !isSpace(after) && after !== mark;
};

function leaves(text, pieces) {
  const [first, ...rest] = text.split(HOLE);
  return [...withEmoji(decode(first)), ...rest.flatMap((part) => [pieces.next().value, ...withEmoji(decode(part))])];
}

function styled(text, pieces) {
  const closer = closers(text);
  const out = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const end = opens(text, at) ? closer(text[at], at + 2) : -1;
    if (end < 0) continue;
    if (at > from) out.push(...leaves(text.slice(from, at), pieces));
    out.push(html`<${TAGS[text[at]]}>${styled(text.slice(at + 1, end), pieces)}<//>`);
    from = end + 1;
    at = end;
  }
  out.push(...leaves(text.slice(from), pieces));
  return out;
}

/** One or more lines without fences and quotes. */
function inline(text, ctx) {
  const { plain, pieces } = drill(text, ctx);
  return styled(plain, pieces);
}

/** Fenced code, alternating with what is around it. */
function fences(text) {
  const out = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf("```", from);
    const end = start < 0 ? -1 : text.indexOf("```", start + 4);
    if (end < 0) break;
    out.push({ kind: "text", text: text.slice(from, start).replace(/\n$/, "") });
    out.push({ kind: "pre", text: text.slice(start + 3, end).replace(/^\n|\n$/g, "") });
    from = end + 3;
    if (text[from] === "\n") from += 1;
  }
  out.push({ kind: "text", text: text.slice(from) });
  return out.filter((part) => part.text);
}

/** Runs of quoted lines, alternating with what is around them; `>>>` quotes all that follows. */
function quotes(text) {
  const out = [];
  let rest = false;
  for (const line of text.split("\n")) {
    const whole = !rest && /^(?:&gt;|>){3}/.exec(line);
    const kind = rest || whole || QUOTED.test(line) ? "quote" : "text";
    const words = whole ? line.slice(whole[0].length).trimStart() : rest ? line : line.replace(QUOTED, "");
    if (whole) rest = true;
    if (out.at(-1)?.kind === kind) out.at(-1).text += `\n${words}`;
    else out.push({ kind, text: kind === "text" ? line : words });
  }
  return out;
}

const DRAW = {
  pre: (part) => html`<pre class="bk-pre" tabindex="0">${decode(part.text)}</pre>`,
  quote: (part, ctx) => html`<blockquote class="bk-quote">${inline(part.text, ctx)}</blockquote>`,
  text: (part, ctx) => html`<span>${inline(part.text, ctx)}</span>`,
};

/** The same, as part of something that has a context. */
export const MrkdwnText = memo(({ text, names, me, verbatim = false, jumbo = false }) => {
  if (typeof text !== "string") throw new TypeError("its text must be a string");
  const parts = fences(text).flatMap((part) => (part.kind === "pre" ? [part] : quotes(part.text)));
  const large = jumbo && text.length < 700 && onlyEmoji(text);
  return html`<div class=${large ? "bk-text bk-jumbo" : "bk-text"}>
    ${parts.map((part) => DRAW[part.kind](part, { names, me, verbatim }))}</div>`;
});

/**
 * A message's text when it has no blocks.
 * @param {{text: string, ctx: import("./context.js").Ctx}} props
 */
export function Mrkdwn({ text, ctx }) {
  const { names, me } = complete(ctx);
  return html`<${MrkdwnText} text=${text} names=${names} me=${me} jumbo />`;
}

/**
 * A text object of Slack's: `mrkdwn` is read, `plain_text` only has emoji; `verbatim` leaves bare addresses alone.
 * @param {{object: {type: string, text: string, emoji?: boolean, verbatim?: boolean}}} props
 */
export function TextObject({ object }) {
  const { names, me } = useCtx();
  if (object?.type === "mrkdwn") {
    return html`<${MrkdwnText} text=${object.text} names=${names} me=${me} verbatim=${object.verbatim === true} />`;
  }
  return html`<div class="bk-text">${plain(object)}</div>`;
}

/**
 * The words of a plain_text object.
 * @returns {(string | object)[]}
 * @throws {TypeError} when it is none
 */
export function plain(object) {
  if (object?.type !== "plain_text" && object?.type !== "mrkdwn") throw new TypeError("a text must be plain_text or mrkdwn");
  if (typeof object.text !== "string") throw new TypeError("its text must be a string");
  return withEmoji(decode(object.text), object.emoji !== false);
}

/** A text object's words as a string, for labels that may hold nothing else. */
export const wordsOf = (object) => decode(object?.text ?? "");
