// data_visualization: a chart with its title, legend and values, and the same as a table, which screen readers get always
// and everybody else at the press of a button.

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Pie } from "./chart_pie.js";
import { Plot } from "./chart_plot.js";
import { colour } from "./chart_tip.js";
import { Icon } from "./icons.js";
import { fullNumber, percent } from "./scales.js";

/** The width a chart has, kept up to date. */
function useWidth(most) {
  const [width, setWidth] = useState(Math.min(most, 520));
  const box = useRef(null);
  useEffect(() => {
    const shown = box.current;
    const measure = () => shown.clientWidth && setWidth(Math.max(200, Math.min(most, Math.floor(shown.clientWidth))));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(shown);
    return () => observer.disconnect();
  }, [most]);
  return [box, width];
}

/** Series against categories: each series' values in the order of the categories, gaps as null. */
function readSeries({ series, axis_config: axis }) {
  if (!Array.isArray(series) || !Array.isArray(axis?.categories)) throw new TypeError("a chart needs series and categories");
  return {
    categories: axis.categories,
    labels: { x: axis.x_label, y: axis.y_label },
    series: series.map(({ name, data }) => ({
      name,
      values: axis.categories.map((label) => data.find((point) => point.label === label)?.value ?? null),
    })),
  };
}

function readSegments({ segments }) {
  if (!Array.isArray(segments)) throw new TypeError("a pie needs segments");
  const whole = segments.reduce((sum, it) => sum + it.value, 0);
  return segments.map(({ label, value }) => ({ label, value, share: whole ? value / whole : 0 }));
}

const KINDS = new Set(["bar", "line", "area"]);

function read(chart) {
  if (chart?.type === "pie") {
    const segments = readSegments(chart);
    return {
      segments,
      head: ["Segment", "Value", "Share"],
      rows: segments.map((it) => [it.label, fullNumber(it.value), percent(it.share)]),
      legend: segments.map((it) => `${it.label} · ${percent(it.share)}`),
    };
  }
  if (!KINDS.has(chart?.type)) throw new TypeError(`unknown chart ${chart?.type}`);
  const plot = readSeries(chart);
  return {
    plot,
    head: [plot.labels.x ?? "Category", ...plot.series.map((it) => it.name)],
    rows: plot.categories.map((label, n) => [label,
      ...plot.series.map(({ values }) => (values[n] === null ? "" : fullNumber(values[n])))]),
    legend: plot.series.length > 1 ? plot.series.map((it) => it.name) : [],
  };
}

const Values = ({ title, head, rows }) => html`<table class="bk-table"><caption class="bk-hidden">${title}</caption>
  <thead><tr>${head.map((it, n) => html`<th scope="col" class=${n ? "bk-right" : "bk-left"}>${it}</th>`)}</tr></thead>
  <tbody>${rows.map(([name, ...values]) => html`<tr><th scope="row" class="bk-left">${name}</th>
    ${values.map((it) => html`<td class="bk-right bk-one-line">${it}</td>`)}</tr>`)}</tbody></table>`;

/** The chart's kind and what it compares, in words. */
const summary = (title, type, { head, rows }) => `${title}: ${type} chart, ${rows.length} ${
  type === "pie" ? "segments" : `categories, series ${head.slice(1).join(", ")}`}. The table after it has the values.`;

/** A chart, or its values as a table. */
export function DataVisualization({ block }) {
  const [box, width] = useWidth(640);
  const [asTable, setAsTable] = useState(false);
  const { title, chart } = block;
  const { plot, segments, head, rows, legend } = read(chart);
  const label = summary(title, chart.type, { head, rows });
  return html`<figure class="bk-chart">
    <figcaption><strong>${title}</strong><button type="button" class="bk-icon-button" aria-pressed=${asTable}
      aria-label=${asTable ? "Show as a chart" : "Show as a table"} title=${asTable ? "Show as a chart" : "Show as a table"}
      onClick=${() => setAsTable(!asTable)}><${Icon} name=${asTable ? "bars" : "table"} size=${18} /></button></figcaption>
    <div ref=${box} class="bk-chart-box">
      ${!asTable && (segments ? html`<${Pie} segments=${segments} width=${width} label=${label} />`
        : html`<${Plot} kind=${chart.type} ...${plot} width=${width} label=${label} />`)}
      <div class=${asTable ? "bk-scroll" : "bk-hidden"}><${Values} title=${title} head=${head} rows=${rows} /></div></div>
    ${!asTable && legend.length > 0 && html`<ul class="bk-legend" aria-hidden="true">${legend.map((it, n) => html`<li>
      <span class=${`bk-swatch ${colour(n)}`}></span>${it}</li>`)}</ul>`}</figure>`;
}
