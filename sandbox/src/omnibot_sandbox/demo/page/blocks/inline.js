// What stands inside a line, whichever notation it was written in: links, mentions, dates, text.

import { html } from "../vendor/preact.js";
import { formatDate, fullDate } from "./dates.js";
import { withEmoji } from "./emoji.js";
import { Icon } from "./icons.js";

const SAFE = new Set(["http:", "https:", "mailto:", "tel:"]);
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** The three characters Slack escapes, as themselves; once, so that nothing decoded is read again. */
export const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/**
 * Where a link may lead.
 * @returns {string | undefined} undefined for anything a browser would run or look up elsewhere than on the web
 */
export function safeUrl(url) {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : null;
  return parsed && SAFE.has(parsed.protocol) ? parsed.href : undefined;
}

/** A link that opens in a tab of its own; only its words when it leads nowhere safe. */
export function Link({ url, children }) {
  const href = safeUrl(url);
  if (!href) return html`<span>${children}</span>`;
  return html`<a class="bk-link" href=${href} target="_blank" rel="noopener noreferrer">${children}</a>`;
}

/** Somebody's name, highlighted when it is the reader's own. */
export function UserMention({ id, label, names, me }) {
  const name = names[id]?.name ?? label ?? id;
  return html`<span class=${id === me ? "bk-mention bk-ping" : "bk-mention"} data-user=${id}>@${name}</span>`;
}

/** A channel's name; a lock instead where the reader may not know it. */
export function ChannelMention({ id, label, names }) {
  const known = names[id];
  if (known?.hidden) {
    return html`<span class="bk-mention"><${Icon} name="lock" size=${13} />private channel</span>`;
  }
  return html`<span class="bk-mention" data-channel=${id}>#${known?.name ?? label ?? id}</span>`;
}

/** `@here`, `@channel`, `@everyone`, or a group: what notifies many. */
export const Broadcast = ({ name }) => html`<span class="bk-mention bk-ping">@${name}</span>`;

/** A moment in the reader's time zone. */
export function Moment({ seconds, format, fallback, url }) {
  const words = formatDate(seconds, format);
  if (words === undefined) return html`<span>${fallback}</span>`;
  const time = html`<time datetime=${new Date(seconds * 1000).toISOString()} title=${fullDate(seconds)}>${words}</time>`;
  return url ? html`<${Link} url=${url}>${time}<//>` : time;
}

const special = (target, label) => {
  const [name, ...rest] = target.slice(1).split("^");
  if (name === "date") {
    const [seconds, format, url] = rest;
    return html`<${Moment} seconds=${Number(seconds)} format=${decode(format ?? "")} url=${url} fallback=${label} />`;
  }
  if (name === "subteam") return html`<${Broadcast} name=${(label ?? rest[0] ?? "").replace(/^@/, "")} />`;
  return html`<${Broadcast} name=${["here", "channel", "everyone"].includes(name) ? name : label ?? name} />`;
};

/** What `<…>` may hold to mean something to Slack. */
export const TOKEN = /^(?:[@#!][^<>|\s][^<>|\n]*(?:\|[^<>\n]*)?|(?:https?:\/\/|mailto:|tel:)[^<>|\s]+(?:\|[^<>\n]*)?)$/;

/**
 * `@U…`, `#C…`, `!here`, `https://…|words`: what stood between `<` and `>`.
 * @param {string} body matches TOKEN
 * @param {object} ctx names and me
 */
export function token(body, { names, me }) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? undefined : decode(body.slice(bar + 1));
  if (target[0] === "@") return html`<${UserMention} id=${target.slice(1)} label=${label} names=${names} me=${me} />`;
  if (target[0] === "#") return html`<${ChannelMention} id=${target.slice(1)} label=${label} names=${names} />`;
  if (target[0] === "!") return special(target, label);
  const url = decode(target);
  return html`<${Link} url=${url}>${withEmoji(label || url.replace(/^(?:mailto|tel):/, ""))}<//>`;
}
