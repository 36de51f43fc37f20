// The line icons of the workspace, drawn on a 20 × 20 grid.

import { html } from "../vendor/preact.js";

const PATHS = {
  lock: "M6 9V6.5a4 4 0 0 1 8 0V9M5 9h10v8H5z",
  hash: "M8 3 6 17M14 3l-2 14M3.5 7.5h13M3 12.5h13",
  shared: "M3 5h6v6H3zM11 9h6v6h-6z",
  close: "m5 5 10 10M15 5 5 15",
  reply: "M4 4h12v9H9l-4 3.5V13H4z",
  smile: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM7.4 8v.6M12.6 8v.6M6.8 11.6c1.6 2.6 4.8 2.6 6.4 0",
  pencil: "m4 16 .8-3.4L13.5 4l2.5 2.5-8.6 8.7zM11.5 6l2.5 2.5",
  bin: "M4 6h12M8 6V4h4v2M5.5 6l.8 11h7.4l.8-11M8.5 9v5M11.5 9v5",
  send: "M3 4l14 6-14 6 2.2-6zM5.2 10H11",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13.2 13.2 17 17",
  warning: "M10 3 2.5 16.5h15zM10 8v4M10 14.3v.4",
  info: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 9v5M10 6v.4",
  down: "M10 3.5v13M4.5 11l5.5 5.5 5.5-5.5",
  chevron: "m6 8 4 4 4-4",
  right: "m8 5 5 5-5 5",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  sun: "M10 6.3a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4zM10 2v1.8M10 16.2V18M2 10h1.8M16.2 10H18M4.3 4.3l1.3 1.3"
    + "M14.4 14.4l1.3 1.3M15.7 4.3l-1.3 1.3M5.6 14.4l-1.3 1.3",
  moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  threads: "M4 4h10v7H8l-3 2.6V11H4zM16.5 8v6.5L14 17v-2.5H9.5",
  wrench: "M12.5 3.5a4 4 0 0 0-3.6 5.8L3.6 14.6a1.3 1.3 0 0 0 1.8 1.8l5.3-5.3a4 4 0 0 0 5.4-5l-2.6 2.4-2.4-2.4"
    + " 2.4-2.4a4 4 0 0 0-1-.2z",
  stop: "M5.5 5.5h9v9h-9z",
  play: "M6.5 4.5v11l9-5.5z",
  pause: "M7 5v10M13 5v10",
  check: "m4 10.5 4 4 8-9",
  home: "m3 10 7-6 7 6M5 8.5V16h10V8.5M8.5 16v-4h3v4",
  eye: "M2 10c3.5-6.5 12.5-6.5 16 0-3.5 6.5-12.5 6.5-16 0zM10 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  at: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM13 7v4c0 2.5 4 2.5 4-1.2A7 7 0 1 0 13.6 16",
};
const SOLID = new Set(["send", "play", "stop"]);

export function Icon({ name }) {
  return html`<svg class=${`icon ${SOLID.has(name) ? "solid" : ""}`} viewBox="0 0 20 20" aria-hidden="true"><path
      d=${PATHS[name]} /></svg>`;
}

// The app's mark: a ring with a bright point.
export function OmniMark() {
  return html`<svg class="omni-mark" viewBox="0 0 36 36" aria-hidden="true">
    <circle cx="18" cy="18" r="9.5" class="ring" /><circle cx="24.7" cy="11.3" r="3.6" class="point" /></svg>`;
}
