// Tables: the plain one, and the one that sorts and turns pages.

import { html, useMemo, useState } from "../vendor/preact.js";
import { Element } from "./elements.js";
import { Icon } from "./icons.js";
import { Scroller } from "./markdown.js";
import { RichTextParts } from "./rich_text.js";

const PAGE = 5; // rows, unless page_size says otherwise

const wordsIn = (it) => (Array.isArray(it) ? it.map(wordsIn).join("")
  : it && typeof it === "object" ? wordsIn(it.elements ?? it.text ?? it.url ?? "") : String(it ?? ""));

/** What a cell says, for sorting and for labels. */
function said(cell) {
  if (cell?.type === "raw_number") return cell.text ?? String(cell.value);
  return wordsIn(cell?.type === "action_cell" ? cell.fallback ?? cell.element?.text : cell);
}

/** What stands in a cell; null is an empty one. */
function Cell({ cell, block }) {
  if (cell === null || cell === undefined) return null;
  if (cell.type === "rich_text") return html`<${RichTextParts} block=${cell} />`;
  if (cell.type === "raw_text" || cell.type === "raw_number") return html`${said(cell)}`;
  if (cell.type === "action_cell") return html`<${Element} element=${cell.element} block=${block} />`;
  throw new TypeError(`unknown cell ${cell.type}`);
}

/** Whether a column holds nothing but numbers, and at least one. */
const isNumeric = (rows, column) => rows.some((row) => row[column])
  && rows.every((row) => !row[column] || row[column].type === "raw_number");

/** The plain table: its first row is the header, columns align and wrap as they are told. */
export function Table({ block }) {
  const [head, ...body] = block.rows;
  const looks = (column) => {
    const setting = block.column_settings?.[column];
    return `bk-${setting?.align ?? "left"}${setting?.is_wrapped ? "" : " bk-one-line"}`;
  };
  return html`<${Scroller} label="Table"><table class="bk-table">
    <thead><tr>${head.map((cell, n) => html`<th scope="col" class=${looks(n)}><${Cell} cell=${cell} block=${block} /></th>`)}
    </tr></thead>
    <tbody>${body.map((row) => html`<tr>${row.map((cell, n) => html`<td class=${looks(n)}><${Cell} cell=${cell} block=${block} />
    </td>`)}</tr>`)}</tbody></table><//>`;
}

/** Rows in the order a column asks for; empty cells come last either way. */
function sorted(rows, { column, down }, numeric) {
  if (column === null) return rows;
  const value = (row) => (numeric ? row[column]?.value : said(row[column]).toLowerCase());
  const empty = (row) => row[column] === null || row[column] === undefined;
  const compare = (a, b) => (numeric ? value(a) - value(b) : value(a).localeCompare(value(b)));
  return [...rows].sort((a, b) => empty(a) - empty(b) || (down ? -1 : 1) * compare(a, b));
}

const ORDERS = { true: "descending", false: "ascending" };
const ARROWS = { descending: "sort-down", ascending: "sort-up", none: "sort" };

function ColumnHead({ cell, n, order, numeric, onSort }) {
  const sort = order.column === n ? ORDERS[order.down] : "none";
  return html`<th scope="col" aria-sort=${sort} class=${numeric ? "bk-right" : "bk-left"}>
    <button type="button" class="bk-sort" onClick=${() => onSort(n)}><span>${said(cell)}</span>
      <${Icon} name=${ARROWS[sort]} size=${14} /></button></th>`;
}

function Pages({ page, size, count, onPage }) {
  const last = Math.ceil(count / size) - 1;
  const turn = (by, icon, label) => html`<button type="button" class="bk-icon-button" aria-label=${label}
    disabled=${page + by < 0 || page + by > last} onClick=${() => onPage(page + by)}>
    <${Icon} name=${icon} size=${16} /></button>`;
  const range = `${page * size + 1}–${Math.min(count, (page + 1) * size)} of ${count}`;
  return html`<div class="bk-pages"><span aria-live="polite">${range}</span>
    ${turn(-1, "chevron-left", "Previous page")}${turn(1, "chevron-right", "Next page")}</div>`;
}

/** A table with a caption, whose headers sort and whose rows come in pages. */
export function DataTable({ block }) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? PAGE;
  const named = block.row_header_column_index ?? 0;
  const [order, setOrder] = useState({ column: null, down: false });
  const [wanted, setPage] = useState(0);
  const numeric = useMemo(() => head.map((_, n) => isNumeric(rows, n)), [block]);
  const ordered = useMemo(() => sorted(rows, order, numeric[order.column]), [block, order]);
  const page = Math.min(wanted, Math.max(0, Math.ceil(rows.length / size) - 1));
  const sort = (column) => {
    if (order.column !== column) setOrder({ column, down: false });
    else setOrder(order.down ? { column: null, down: false } : { column, down: true });
    setPage(0);
  };
  const cell = (it, n) => {
    const inner = html`<${Cell} cell=${it} block=${block} />`;
    const looks = numeric[n] ? "bk-right bk-one-line" : "bk-left";
    return n === named ? html`<th scope="row" class=${looks}>${inner}</th>` : html`<td class=${looks}>${inner}</td>`;
  };
  return html`<div class="bk-data-table"><${Scroller} label=${block.caption}><table class="bk-table">
    <caption>${block.caption}</caption>
    <thead><tr>${head.map((it, n) => html`<${ColumnHead} cell=${it} n=${n} order=${order} numeric=${numeric[n]}
      onSort=${sort} />`)}</tr></thead>
    <tbody>${ordered.slice(page * size, (page + 1) * size).map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table><//>
    ${rows.length > size && html`<${Pages} page=${page} size=${size} count=${rows.length} onPage=${setPage} />`}</div>`;
}
