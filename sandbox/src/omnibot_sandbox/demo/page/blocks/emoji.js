// Emoji: from Slack's names to characters, and characters at the size Slack draws them.

import { html } from "../vendor/preact.js";
import table from "../vendor/emoji.js";

const words = table.split(" ");
const CHARS = new Map();
for (let n = 0; n < words.length; n += 2) CHARS.set(words[n], words[n + 1]);

// Names, and characters which are drawn as pictures by default.
const FOUND = /:([a-z0-9_+'\-]+)(?::(?::skin-tone-([2-6]):)|:)|\p{RGI_Emoji}/v;
const EVERY = new RegExp(FOUND.source, "gv");

/**
 * The character of a name.
 * @param {string} name without colons, such as "rocket" or "+1"
 * @param {number} [tone] of the skin, 2 to 6
 * @returns {string | undefined} undefined when Slack knows no such name
 */
export function charOf(name, tone) {
  const char = CHARS.get(name);
  if (!char || !tone) return char;
  const [first, ...rest] = char;
  return first + String.fromCodePoint(0x1f3fb + Number(tone) - 2) + rest.join("").replace(/^\ufe0f/, "");
}

/** One emoji, by its name or by the character itself. */
export function Emoji({ name, tone, char = charOf(name, tone) }) {
  if (!char) return html`<span class="bk-emoji-name">:${name}:</span>`;
  return html`<span class="bk-emoji" role=${name && "img"} aria-label=${name && `${name.replaceAll("_", " ")} emoji`}
    title=${name && `:${name}:`}>${char}</span>`;
}

/**
 * Text with its emoji drawn as such. Names nobody knows stay as they are.
 * @param {string} text
 * @param {boolean} [named] whether `:names:` count, beside characters
 * @returns {(string | object)[]}
 */
export function withEmoji(text, named = true) {
  if (!FOUND.test(text)) return [text];
  const out = [];
  let from = 0;
  for (const found of text.matchAll(EVERY)) {
    const [whole, name, tone] = found;
    if (name && !(named && CHARS.has(name))) continue;
    if (found.index > from) out.push(text.slice(from, found.index));
    out.push(name ? html`<${Emoji} name=${name} tone=${tone} />` : html`<${Emoji} char=${whole} />`);
    from = found.index + whole.length;
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

/** Whether there is nothing but a few emoji, which Slack then draws large. */
export function onlyEmoji(text) {
  const rest = text.replace(EVERY, (whole, name) => (name && !CHARS.has(name) ? whole : ""));
  return rest.trim() === "" && text.trim() !== "" && [...text.matchAll(EVERY)].length <= 23;
}
