// A pie, its first segment at the top, clockwise.

import { html, useState } from "../vendor/preact.js";
import { Tip, colour } from "./chart_tip.js";
import { fullNumber, percent } from "./scales.js";

const TALL = 220;
const RADIUS = 100;

const at = (share, radius) => {
  const angle = (share - 0.25) * 2 * Math.PI;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
};
const point = (pair) => pair.map((number) => number.toFixed(2)).join(" ");

function slice(from, share) {
  if (share > 0.9999) return `M0 ${-RADIUS}A${RADIUS} ${RADIUS} 0 1 1 -0.01 ${-RADIUS}Z`;
  const arc = `A${RADIUS} ${RADIUS} 0 ${share > 0.5 ? 1 : 0} 1 ${point(at(from + share, RADIUS))}`;
  return `M0 0L${point(at(from, RADIUS))}${arc}Z`;
}

/**
 * @param {{segments: {label: string, value: number, share: number}[], width: number, label: string}} props
 */
export function Pie({ segments, width, label }) {
  const [shown, setShown] = useState(null);
  let from = 0;
  const slices = segments.map((it) => {
    const begin = from;
    from += it.share;
    return { ...it, begin };
  });
  const pick = shown !== null && slices[shown];
  const [x, y] = pick ? at(pick.begin + pick.share / 2, RADIUS * 0.6) : [0, 0];
  return html`<svg width=${width} height=${TALL} viewBox=${`${-width / 2} ${-TALL / 2} ${width} ${TALL}`} role="img"
      aria-label=${label} onPointerLeave=${() => setShown(null)}>
      ${slices.map((it, n) => html`<path d=${slice(it.begin, it.share)} onPointerEnter=${() => setShown(n)}
        class=${`bk-slice ${colour(n)}${shown !== null && shown !== n ? " bk-faded" : ""}`} />`)}</svg>
    ${pick && html`<${Tip} x=${width / 2 + x} y=${TALL / 2 + y} width=${width}
      rows=${[[pick.label, `${fullNumber(pick.value)} · ${percent(pick.share)}`, shown]]} />`}`;
}
