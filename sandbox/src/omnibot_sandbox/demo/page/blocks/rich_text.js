// rich_text: what people's own messages are made of, and what task cards and table cells hold.

import { html } from "../vendor/preact.js";
import { Provide, complete, useCtx } from "./context.js";
import { Emoji, onlyEmoji, withEmoji } from "./emoji.js";
import { Broadcast, ChannelMention, Link, Moment, UserMention } from "./inline.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };
const MARKS = { highlight: "bk-highlight", client_highlight: "bk-highlight" };

function dressed(style, inner) {
  let node = inner;
  for (const [name, on] of Object.entries(style ?? {})) {
    if (on && STYLES[name]) node = html`<${STYLES[name]}>${node}<//>`;
    if (on && MARKS[name]) node = html`<mark class=${MARKS[name]}>${node}</mark>`;
  }
  return node;
}

const INLINE = {
  text: (it) => (it.style?.code ? it.text : withEmoji(it.text, false)),
  link: (it) => (it.style?.unlink ? it.text ?? it.url : html`<${Link} url=${it.url}>${it.text || it.url}<//>`),
  user: (it, ctx) => html`<${UserMention} id=${it.user_id} names=${ctx.names} me=${ctx.me} />`,
  usergroup: (it, ctx) => html`<${Broadcast} name=${ctx.names[it.usergroup_id]?.name ?? it.usergroup_id} />`,
  team: (it) => html`<${Broadcast} name=${it.team_id} />`,
  channel: (it, ctx) => html`<${ChannelMention} id=${it.channel_id} names=${ctx.names} />`,
  broadcast: (it) => html`<${Broadcast} name=${it.range} />`,
  emoji: (it) => html`<${Emoji} name=${it.name} tone=${it.skin_tone} />`,
  date: (it) => html`<${Moment} seconds=${it.timestamp} format=${it.format} url=${it.url} fallback=${it.fallback} />`,
  color: (it) => html`<span class="bk-color"><span style=${{ background: it.value }}></span>${it.value}</span>`,
};

function inline(elements, ctx) {
  return elements.map((it) => {
    if (!INLINE[it?.type]) throw new TypeError(`unknown inline element ${it?.type}`);
    return dressed(it.style, INLINE[it.type](it, ctx));
  });
}

/** Lists come flat, one for each run of the same depth; those that are deeper belong into the item above. */
function nested(lists) {
  const root = { indent: -1, items: [] };
  const open = [root];
  for (const list of lists) {
    const indent = list.indent ?? 0;
    while (open.at(-1).indent >= indent) open.pop();
    const made = { list, indent, items: list.elements.map((words) => ({ words, lists: [] })) };
    const above = open.at(-1).items.at(-1);
    if (above) above.lists.push(made);
    else root.items.push({ lists: [made] });
    open.push(made);
  }
  return root.items.flatMap((item) => item.lists);
}

function List({ made: { list, indent, items }, ctx }) {
  const ordered = list.style === "ordered";
  const kinds = ordered ? ["1", "a", "i"] : ["disc", "circle", "square"];
  return html`<${ordered ? "ol" : "ul"} start=${ordered && list.offset ? list.offset + 1 : undefined}
    class=${`bk-list bk-list-${kinds[indent % 3]}${list.border ? " bk-bordered" : ""}`}>
    ${items.map((item) => html`<li>${inline(item.words.elements, ctx)}
      ${item.lists.map((inner) => html`<${List} made=${inner} ctx=${ctx} />`)}</li>`)}<//>`;
}

const PARTS = {
  rich_text_section: (it, ctx) => html`<div class="bk-text">${inline(it.elements, ctx)}</div>`,
  rich_text_quote: (it, ctx) => html`<blockquote class="bk-quote">${inline(it.elements, ctx)}</blockquote>`,
  rich_text_preformatted: (it, ctx) => html`<pre class="bk-pre" tabindex="0">${inline(it.elements, ctx)}</pre>`,
};

/** Consecutive lists as one group, everything else alone. */
function grouped(elements) {
  const out = [];
  for (const it of elements) {
    const list = it?.type === "rich_text_list";
    if (list && out.at(-1)?.lists) out.at(-1).lists.push(it);
    else out.push(list ? { lists: [it] } : { part: it });
  }
  return out;
}

const isEmoji = (it) => it.type === "emoji" || (it.type === "text" && (!it.text.trim() || onlyEmoji(it.text)));

/** A message of nothing but emoji is drawn large. */
const large = ({ elements: [section, ...more] }) => !more.length && section?.type === "rich_text_section"
  && section.elements.length > 0 && section.elements.every(isEmoji);

/**
 * The parts of a rich_text block, in a context.
 * @param {{block: object, jumbo?: boolean}} props
 * @throws {TypeError} when it is not rich text
 */
export function RichTextParts({ block, jumbo = false }) {
  const ctx = useCtx();
  if (!Array.isArray(block?.elements)) throw new TypeError("rich_text needs elements");
  return html`<div class=${jumbo && large(block) ? "bk-rich bk-jumbo" : "bk-rich"}>${grouped(block.elements).map(
    ({ lists, part }) => {
      if (lists) return nested(lists).map((made) => html`<${List} made=${made} ctx=${ctx} />`);
      if (!PARTS[part?.type]) throw new TypeError(`unknown part ${part?.type}`);
      return PARTS[part.type](part, ctx);
    },
  )}</div>`;
}

/**
 * A rich_text block by itself.
 * @param {{block: object, ctx: import("./context.js").Ctx}} props
 */
export function RichText({ block, ctx }) {
  return html`<${Provide} value=${complete(ctx)}><${RichTextParts} block=${block} jumbo /><//>`;
}
