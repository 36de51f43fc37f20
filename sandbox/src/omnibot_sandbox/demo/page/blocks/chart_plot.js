// Bars, lines and areas against categories, with axes.

import { html, useState } from "../vendor/preact.js";
import { Tip, colour } from "./chart_tip.js";
import { closeTicks, every, fullNumber, shortNumber, ticks } from "./scales.js";

const TALL = 250;
const LETTER = 6.3; // pixels, of the axes' font, about
const LINE = 20;

/** Where everything goes: the inner rectangle, and the scales. */
function layout({ kind, categories, series, labels, width }) {
  const all = series.flatMap((it) => it.values).filter((value) => value !== null);
  const marks = kind === "line" ? closeTicks(all) : ticks(all);
  const left = Math.max(...marks.map((mark) => shortNumber(mark).length)) * LETTER + 12 + (labels.y ? LINE : 0);
  const frame = { left, right: width - 8, top: 10, bottom: TALL - LINE - 4 - (labels.x ? LINE : 0) };
  const [low, high] = [marks[0], marks.at(-1)];
  const band = (frame.right - frame.left) / categories.length;
  return {
    marks,
    frame,
    band,
    y: (value) => frame.bottom - ((value - low) / (high - low)) * (frame.bottom - frame.top),
    x: (n) => frame.left + band * (n + 0.5),
    zero: Math.min(Math.max(0, low), high),
  };
}

const number = (value) => value.toFixed(1);

/** A bar with two round corners, away from zero. */
function barPath(x, wide, from, to) {
  const round = Math.min(2, Math.abs(to - from), wide / 2) * Math.sign(from - to);
  const side = Math.abs(round);
  return `M${number(x)} ${number(from)}V${number(to + round)}q0 ${-round} ${side} ${-round}h${number(wide - 2 * side)}`
    + `q${side} 0 ${side} ${round}V${number(from)}Z`;
}

function Bars({ series, at }) {
  const wide = Math.min(48, Math.max(1, (at.band * 0.72) / series.length - 1));
  const start = -((wide + 1) * series.length - 1) / 2;
  return series.map(({ values }, s) => values.map((value, n) => value !== null && html`<path
    class=${`bk-bar ${colour(s)}`} d=${barPath(at.x(n) + start + s * (wide + 1), wide, at.y(at.zero), at.y(value))} />`));
}

/** A line's unbroken stretches: gaps stay gaps. */
function runs(values) {
  const out = [[]];
  values.forEach((value, n) => (value === null ? out.push([]) : out.at(-1).push([n, value])));
  return out.filter((run) => run.length);
}

function Lines({ series, at, filled, shown }) {
  return series.map(({ values }, s) => html`<g class=${colour(s)}>${runs(values).map((run) => {
    const line = run.map(([n, value]) => `${number(at.x(n))} ${number(at.y(value))}`).join("L");
    const ends = [at.x(run.at(-1)[0]), at.x(run[0][0])].map((x) => `L${number(x)} ${number(at.y(at.zero))}`).join("");
    return html`${filled && html`<path class="bk-area" d=${`M${line}${ends}Z`} />`}<path class="bk-line" d=${`M${line}`} />
      ${run.map(([n, value]) => (n === shown || run.length === 1 || values.length <= 8) && html`<circle class="bk-dot"
        cx=${at.x(n)} cy=${at.y(value)} r=${n === shown ? 4.5 : 3} />`)}`;
  })}</g>`);
}

function Axes({ at, categories, labels }) {
  const { frame } = at;
  const nth = every(categories, frame.right - frame.left);
  return html`<g class="bk-axes">
    ${at.marks.map((mark) => html`<line x1=${frame.left} x2=${frame.right} y1=${at.y(mark)} y2=${at.y(mark)}
      class=${mark === 0 ? "bk-zero" : "bk-grid"} /><text x=${frame.left - 8} y=${at.y(mark)} dy=".33em" text-anchor="end">
      ${shortNumber(mark)}</text>`)}
    ${categories.map((label, n) => n % nth === 0 && html`<text x=${at.x(n)} y=${frame.bottom + 17}
      text-anchor="middle">${label}</text>`)}
    ${labels.x && html`<text class="bk-axis-title" text-anchor="middle" x=${(frame.left + frame.right) / 2}
      y=${TALL - 5}>${labels.x}</text>`}
    ${labels.y && html`<text class="bk-axis-title" text-anchor="middle"
      transform=${`translate(12 ${(frame.top + frame.bottom) / 2}) rotate(-90)`}>${labels.y}</text>`}</g>`;
}

/**
 * @param {{kind: "bar" | "line" | "area", categories: string[], series: {name: string, values: (number | null)[]}[],
 *   labels: {x?: string, y?: string}, width: number, label: string}} props
 */
export function Plot({ kind, categories, series, labels, width, label }) {
  const [shown, setShown] = useState(null);
  const at = layout({ kind, categories, series, labels, width });
  const point = (event) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const n = Math.floor((x - at.frame.left) / at.band);
    setShown(n >= 0 && n < categories.length ? n : null);
  };
  const rows = shown === null ? [] : series.map(({ name, values }, s) => [name,
    values[shown] === null ? "–" : fullNumber(values[shown]), s]);
  return html`<svg width=${width} height=${TALL} viewBox=${`0 0 ${width} ${TALL}`} role="img" aria-label=${label}
      onPointerMove=${point} onPointerLeave=${() => setShown(null)}>
      ${shown !== null && html`<rect class="bk-band" x=${at.frame.left + at.band * shown} width=${at.band} y=${at.frame.top}
        height=${at.frame.bottom - at.frame.top} />`}
      <${Axes} at=${at} categories=${categories} labels=${labels} />
      ${kind === "bar" ? html`<${Bars} series=${series} at=${at} />`
        : html`<${Lines} series=${series} at=${at} filled=${kind === "area"} shown=${shown} />`}</svg>
    ${shown !== null && html`<${Tip} x=${at.x(shown)} y=${at.frame.top + 4} width=${width} title=${categories[shown]}
      rows=${rows} />`}`;
}
