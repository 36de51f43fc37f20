// The few pictures of the interface, as lines of 20 × 20.

import { html } from "../vendor/preact.js";
import { DRAWINGS } from "./drawings.js";

const PATHS = {
  ...DRAWINGS,
  "check-circle": "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M6.8 10.2 9 12.4l4.2-4.6",
  "cross-circle": "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M7.5 7.5l5 5m0-5-5 5",
  circle: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15",
  "chevron-down": "M5.5 8 10 12.5 14.5 8",
  "chevron-right": "M8 5.5 12.5 10 8 14.5",
  "chevron-left": "M12 5.5 7.5 10 12 14.5",
  close: "M5 5l10 10M15 5 5 15",
  "sort-up": "M10 15.5v-11M5.8 8.7 10 4.5l4.2 4.2",
  "sort-down": "M10 4.5v11M5.8 11.3 10 15.5l4.2-4.2",
  sort: "M6.8 15.5V5M4 7.6 6.8 4.8l2.8 2.8M13.2 4.5V15m-2.8-2.6 2.8 2.8 2.8-2.8",
  table: "M3 4.5h14v11H3zM3 8.5h14M8 8.5v7",
  bars: "M4 16V10M8 16V4M12 16V8M16 16v-5",
  lock: "M5 9h10v7H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  play: "M7 4.5v11l9-5.5z",
};
const DOTS = [5, 10, 15];

/**
 * A picture without meaning of its own: what it stands for is said in words beside it.
 * @param {{name: string, size?: number, filled?: boolean}} props
 */
export function Icon({ name, size = 20, filled = false }) {
  const dots = name === "dots" && DOTS.map((x) => html`<circle cx=${x} cy="10" r="1.4" fill="currentColor" stroke="none" />`);
  return html`<svg class="bk-icon" width=${size} height=${size} viewBox="0 0 20 20" aria-hidden="true" focusable="false"
    fill=${filled ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.5" stroke-linecap="round"
    stroke-linejoin="round">${dots || html`<path d=${PATHS[name]} />`}</svg>`;
}

/** Something is going on; the words beside it say what. */
export const Spinner = ({ size = 16 }) => html`<svg class="bk-spinner" width=${size} height=${size} viewBox="0 0 20 20"
  aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round">
  <circle cx="10" cy="10" r="7.5" opacity=".25" /><path d="M10 2.5a7.5 7.5 0 0 1 7.5 7.5" /></svg>`;
