// The colours of series, and the values beside the pointer.

import { html } from "../vendor/preact.js";

const COLOURS = 12;

/** The class that gives the nth series its colour. */
export const colour = (n) => `bk-series-${(n % COLOURS) + 1}`;

/**
 * What stands beside the pointer: a heading, and values with their colours.
 * @param {{x: number, y: number, width: number, title?: string, rows: [string, string, number][]}} props
 */
export function Tip({ x, y, width, title, rows }) {
  const side = x < width / 3 ? "bk-tip bk-after" : x > (width * 2) / 3 ? "bk-tip bk-before" : "bk-tip";
  return html`<div class=${side} style=${{ left: `${x}px`, top: `${y}px` }}>
    ${title && html`<strong>${title}</strong>`}${rows.map(([name, value, n]) => html`<div>
    <span class=${`bk-swatch ${colour(n)}`}></span>${name}<b>${value}</b></div>`)}</div>`;
}
