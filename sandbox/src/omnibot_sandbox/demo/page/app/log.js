// A list of messages that stays at its newest end while one reads there, and says when something came below.

import { html, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { Icon } from "./icons.js";
import { roving } from "./keys.js";
import { act } from "./live.js";
import { Message } from "./message.js";
import { NOTHING, threadKey, useStore } from "./store.js";
import { dayKey, dayName } from "./time.js";

const NEAR = 60; // pixels from the end that still count as the end
const TOGETHER = 300; // seconds within which one person's messages stand under one name
const FIRST = 60, STEP = 240; // rows drawn at once, and added while the browser is idle
const CHUNK = 50; // rows compared together

// The rows: messages, with what stands between them.
function rowsOf(messages, refusals, divider, me, { inThread, replies }) {
  const rows = [];
  let last = null, day = null, marked = !divider;
  const pending = [...refusals].sort((a, b) => a.ts - b.ts);
  const refuse = (before) => {
    while (pending.length && pending[0].ts < before) rows.push({ key: `refused ${pending[0].id}`,
        refusal: pending.shift() });
  };
  for (const message of messages) {
    refuse(Number(message.ts));
    const today = dayKey(message.ts);
    if (today !== day && !(inThread && day === null)) rows.push({ key: `day ${today}`, day: today });
    if (!marked && Number(message.ts) > Number(divider) && message.user !== me) {
      marked = true;
      rows.push({ key: "new", divider: true });
      last = null;
    }
    const follows = last && today === day && last.user === message.user && !last.only_you === !message.only_you
      && !message.only_you && !last.deleted && !replies?.has(last.ts) && message.ts - last.ts < TOGETHER;
    rows.push({ key: message.ts, message, head: !follows || message.deleted === true });
    if (inThread && !message.thread_ts && messages.length > 1) {
      rows.push({ key: "count", count: messages.filter((one) => one.thread_ts && !one.only_you).length });
      last = null;
      day = today;
      continue;
    }
    day = today;
    last = message;
  }
  refuse(Infinity);
  return rows;
}

function Refused({ refusal }) {
  const where = refusal.reasons.join("; ");
  return html`<div class="refused" role="alert" data-refused=${refusal.method}>
    <${Icon} name="warning" />
    <p><strong>Slack refused ${refusal.method}: ${refusal.error}</strong>${where && html` <code>${where}</code>`}</p>
    <button type="button" class="quiet" aria-label="Dismiss" onClick=${() => act("/refusal", { refusal: refusal.id })}>
        <${Icon} name="close" /></button>
  </div>`;
}

function Row({ row, pane }) {
  if (row.day) return html`<div class="day-line" aria-hidden="true"></div><div class="day" role="separator" aria-label=${dayName(row.day)}><span>${dayName(row.day)}
      </span></div>`;
  if (row.count !== undefined) return row.count
      ? html`<div class="reply-count"><span>${row.count} ${row.count === 1 ? "reply" : "replies"}</span></div>` : null;
  if (row.divider) return html`<div class="new" role="separator" aria-label="New messages"><span>New</span></div>`;
  if (row.refusal) return html`<${Refused} refusal=${row.refusal} />`;
  const { message } = row, replies = pane.replies?.get(message.ts);
  return html`<${Message} message=${message} head=${row.head} inThread=${pane.inThread} replies=${replies}
    names=${pane.names}
    fresh=${replies && pane.fresh?.[message.ts]} open=${pane.open === message.ts} editing=${row.editing}
        stop=${row.stop} />`;
}

// Rows are compared in chunks: where nothing of a chunk changed, none of its fifty rows is looked at.
const sameRow = (a, b) => a.key === b.key && a.message === b.message && a.head === b.head && a.stop === b.stop
  && a.editing === b.editing
  && a.replies === b.replies && a.fresh === b.fresh && a.open === b.open && a.refusal === b.refusal
      && a.count === b.count;
const Chunk = memo(function Chunk({ rows, pane }) {
  return rows.map((row) => html`<${Row} key=${row.key} row=${row} pane=${pane} />`);
}, (old, now) => old.pane.names === now.pane.names && old.rows.length === now.rows.length
    && old.rows.every((row, at) => sameRow(row, now.rows[at])));

function chunksOf(rows, pane) {
  const full = rows.map((row, at) => ({
    ...row, stop: at === rows.length - 1, open: row.message && pane.open === row.key,
    editing: Boolean(row.message) && pane.editing === threadKey(row.message.channel, row.key),
    replies: row.message && pane.replies?.get(row.key), fresh: row.message && pane.fresh?.[row.key],
  }));
  const chunks = [];
  for (let at = 0; at < full.length; at += CHUNK) chunks.push(full.slice(at, at + CHUNK));
  return chunks;
}

// The end is drawn first; the rest follows while nothing else is to do.
function useGrowing(total, id) {
  const [shown, setShown] = useState({ id, count: FIRST });
  const count = shown.id === id ? shown.count : FIRST;
  useEffect(() => {
    if (count >= total) return undefined;
    const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
    const cancel = window.cancelIdleCallback ?? clearTimeout;
    const handle = idle(() => setShown({ id, count: count + STEP }));
    return () => cancel(handle);
  }, [count, total, id]);
  return count;
}

export function Log({ id, messages, label, inThread, replies, fresh, open, refusals = NOTHING, divider, before, after,
    onEnd }) {
  const me = useStore((s) => s.me);
  const names = useStore((s) => s.names);
  const editing = useStore((s) => s.editing);
  const box = useRef(null), content = useRef(null), pinned = useRef(true), last = useRef(null), top = useRef(0);
  const [missed, setMissed] = useState(0);
  const rows = useMemo(() => rowsOf(messages, refusals, divider, me, { inThread, replies }),
      [messages, refusals, divider, me, inThread, replies?.size]);
  const count = useGrowing(rows.length, id);
  const pane = { inThread, replies, fresh, open, names, editing };
  // Chunks begin at fixed rows, so that growing at the top leaves those that are drawn as they are.
  const from = Math.max(0, Math.floor((rows.length - count) / CHUNK) * CHUNK);
  const chunks = useMemo(() => chunksOf(rows.slice(from), pane), [rows, from, replies, fresh, open, editing]);

  const toEnd = () => {
    if (!box.current) return;
    box.current.scrollTop = box.current.scrollHeight;
    top.current = box.current.scrollTop;
  };
  // At the end we keep the place; elsewhere the browser does, when something above changes its height.
  const pin = (on) => {
    pinned.current = on;
    box.current.style.overflowAnchor = on ? "none" : "auto";
  };
  useLayoutEffect(() => {
    pin(true);
    last.current = null;
    setMissed(0);
    toEnd();
  }, [id]);
  useLayoutEffect(() => {
    const newest = messages.at(-1);
    if (pinned.current || (newest && newest !== last.current && newest.user === me
        && newest.ts > (last.current?.ts ?? ""))) toEnd();
    else if (newest && last.current && newest.ts > last.current.ts) setMissed((old) => old + 1);
    last.current = newest ?? null;
  }, [messages, count]);
  useEffect(() => {
    const watcher = new ResizeObserver(() => { if (pinned.current) toEnd(); });
    watcher.observe(content.current);
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  // Somebody who looks at the newest message has read it.
  useEffect(() => {
    const tell = () => { if (pinned.current && document.visibilityState === "visible") onEnd?.(); };
    tell();
    document.addEventListener("visibilitychange", tell);
    return () => document.removeEventListener("visibilitychange", tell);
  }, [id, messages]);

  const onScroll = () => {
    if (!box.current) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    // Messages that turn out higher than was thought move the end away; only somebody who scrolls up leaves it.
    if (near !== pinned.current && (near || scrollTop < top.current - 1)) pin(near);
    top.current = scrollTop;
    if (!near) return;
    setMissed(0);
    onEnd?.();
  };
  const newest = () => { pin(true); setMissed(0); toEnd(); onEnd?.(); };

  return html`<div class="log-frame">
    <div class="log" ref=${box} role="log" aria-live="off" aria-label=${label}
        data-log=${inThread ? "thread" : "channel"}
        onScroll=${onScroll} onKeyDown=${roving}>
      <div class="log-content" ref=${content}>
        ${before}
        ${chunks.map((chunk, at) => html`<${Chunk} key=${`${id} ${from / CHUNK + at}`} rows=${chunk} pane=${pane} />`)}
        ${after}
      </div>
    </div>
    ${missed > 0 && html`<button type="button" class="jump" onClick=${newest}>
      <${Icon} name="down" /> ${missed === 1 ? "1 new message" : `${missed} new messages`}</button>`}
  </div>`;
}
