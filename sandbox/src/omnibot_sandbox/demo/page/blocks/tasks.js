// What an agent does step by step: task cards, and plans that hold them.

import { html, useId, useState } from "../vendor/preact.js";
import { Guard } from "./fallback.js";
import { Icon, Spinner } from "./icons.js";
import { safeUrl } from "./inline.js";
import { withEmoji } from "./emoji.js";
import { RichTextParts } from "./rich_text.js";

const STATES = {
  pending: ["Pending", html`<${Icon} name="circle" size=${18} />`],
  in_progress: ["In progress", html`<${Spinner} size=${16} />`],
  complete: ["Complete", html`<${Icon} name="check-circle" size=${18} />`],
  error: ["Error", html`<${Icon} name="cross-circle" size=${18} />`],
};

function Status({ status = "pending" }) {
  if (!STATES[status]) throw new TypeError(`unknown status ${status}`);
  const [words, icon] = STATES[status];
  return html`<span class=${`bk-status bk-status-${status}`} role="img" aria-label=${words} title=${words}>${icon}</span>`;
}

function Source({ source }) {
  const href = safeUrl(source.url);
  const words = html`<${Icon} name="globe" size=${14} />${source.text || source.url}`;
  return href ? html`<a class="bk-source" href=${href} target="_blank" rel="noopener noreferrer" title=${href}>${words}</a>`
    : html`<span class="bk-source">${words}</span>`;
}

const Part = ({ words, kind }) => html`<div class=${kind}><${RichTextParts} block=${words} /></div>`;

function Task({ task }) {
  return html`<div class="bk-task-line"><${Status} status=${task.status} /><div class="bk-task-main">
    ${!task.hide_title && html`<div class="bk-task-title">${withEmoji(task.title)}</div>`}
    ${task.details && html`<${Part} words=${task.details} kind="bk-details" />`}
    ${task.output && html`<${Part} words=${task.output} kind="bk-output" />`}
    ${task.sources?.length > 0 && html`<div class="bk-sources">${task.sources.map((it) => html`<${Source}
      source=${it} />`)}</div>`}
  </div></div>`;
}

/** A task by itself. */
export const TaskCard = ({ block }) => html`<div class="bk-task-card"><${Task} task=${block} /></div>`;

/** The state of a whole plan: what fails or still runs shows first. */
function stateOf(tasks) {
  const all = tasks.map((task) => task.status);
  if (all.includes("in_progress")) return "in_progress";
  const ended = all.filter((it) => it === "complete" || it === "error");
  if (ended.length < all.length || !all.length) return ended.length ? "in_progress" : "pending";
  return all.includes("error") ? "error" : "complete";
}

/** Tasks under one title, which folds them away. */
export function Plan({ block }) {
  const [open, setOpen] = useState(true);
  const id = useId();
  const tasks = block.tasks ?? [];
  return html`<div class="bk-plan"><button type="button" class="bk-plan-head" aria-expanded=${open} aria-controls=${id}
      onClick=${() => setOpen(!open)}><${Status} status=${stateOf(tasks)} /><strong>${withEmoji(block.title)}</strong>
      <${Icon} name=${open ? "chevron-down" : "chevron-right"} size=${18} /></button>
    <div id=${id} hidden=${!open} role="list">${tasks.map((task) => html`<div role="listitem" key=${task.task_id}>
      <${Guard} block=${task}><${Task} task=${task} /><//></div>`)}</div></div>`;
}
