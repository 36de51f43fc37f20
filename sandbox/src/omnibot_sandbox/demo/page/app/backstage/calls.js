// The traffic as it happens: who called whom, how long it took, what came of it.

import { html, memo, useEffect, useMemo, useState } from "../../vendor/preact.js";
import { Icon } from "../icons.js";
import { get, post } from "../live.js";
import { set, useStore } from "../store.js";
import { withSeconds } from "../time.js";
import { refresh } from "./drawer.js";

const SIDES = { slack: "Slack", "clear-street": "Clear Street", bot: "to the bot" };
const DRAWN = 300;

const short = (name) => name.replace("/v1/omni-ai/", "").replace("/v1/", "");
const outcome = (call) => call.error || (call.status ?? (call.ms === null ? "…" : "no answer"));
const bad = (call) => Boolean(call.error) || call.status >= 400;

// Calls of the same kind with the same outcome, one after the other, are one line.
function folded(calls) {
  const lines = [];
  for (const call of calls) {
    const last = lines.at(-1);
    const same = last && last.call.name === call.name && last.call.side === call.side && last.call.note === call.note
      && outcome(last.call) === outcome(call) && call.ms !== null;
    if (same) Object.assign(last, { call, times: last.times + 1 });
    else lines.push({ call, times: 1, first: call.n });
  }
  return lines;
}

function Payload({ label, value }) {
  if (value === null || value === undefined) return html`<h4>${label}</h4><p class="aside">nothing</p>`;
  return html`<h4>${label}</h4><pre tabIndex="0"
      aria-label=${label}>${typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>`;
}

function Detail({ n }) {
  const [detail, setDetail] = useState(null);
  const ended = useStore((s) => s.calls.find((one) => one.n === n)?.ms !== null);
  useEffect(() => { get(`/backstage/call/${n}`).then((found) => setDetail(found ?? { gone: true })); }, [n, ended]);
  const id = `call-${n}`;
  if (!detail) return html`<div class="detail" id=${id}>…</div>`;
  if (detail.gone) return html`<div class="detail" id=${id}>This call is not kept any more.</div>`;
  return html`<div class="detail" id=${id}>
    <dl>${detail.request_id && html`<dt>Request id</dt><dd><code>${detail.request_id}</code></dd>`}
      ${Object.entries(detail.headers).map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>`)}
          </dl>
    <${Payload} label="Sent" value=${detail.sent} /><${Payload} label=${detail.side === "bot" ? "Answered" : "Answer"}
        value=${detail.answer} /></div>`;
}

const Line = memo(function Line({ call, times, open, toggle }) {
  return html`<li class=${`call ${call.side} ${bad(call) ? "bad" : ""} ${open ? "open" : ""}`}>
    <button type="button" aria-expanded=${open} aria-controls=${open ? `call-${call.n}` : undefined} onClick=${() => toggle(call.n)}>
      <span class="at">${withSeconds(call.at)}</span>
      <span class="side">${SIDES[call.side]}</span>
      <span class="method">${short(call.name)}${times > 1 && html` <span class="times">× ${times}</span>`}</span>
      <span class="outcome">${outcome(call)}</span>
      <span class="ms">${call.ms === null ? "" : `${call.ms < 10 ? call.ms : Math.round(call.ms)} ms`}</span>
      <span class="note">${call.note}</span></button>
    ${open && html`<${Detail} n=${call.n} />`}</li>`;
}, (old, now) => old.call === now.call && old.times === now.times && old.open === now.open);

export function Calls() {
  const all = useStore((s) => s.calls);
  // Nothing moves under the pointer: what is new waits until it leaves the list.
  const [held, hold] = useState(null);
  const calls = useMemo(() => (held === null ? all : all.filter((call) => call.n <= held)), [all, held]);
  const waiting = all.length - calls.length;
  const [filter, setFilter] = useState("");
  const [side, setSide] = useState("");
  const [paused, setPaused] = useState(false);
  const [open, setOpen] = useState(null);
  const lines = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    const found = calls.filter((call) => (!side || (side === "bad" ? bad(call) : call.side === side))
      && (!wanted || `${call.name} ${call.note} ${call.error} ${call.request_id}`.toLowerCase().includes(wanted)));
    return folded(found).slice(-DRAWN).reverse();
  }, [calls, filter, side]);
  const pause = () => { set({ paused: !paused }); setPaused(!paused); if (paused) refresh(); };
  const clear = async () => { await post("/backstage/action", { action: "clear-calls" }); refresh(); };
  useEffect(() => () => set({ paused: false }), []);
  return html`<div class="calls">
    <div class="call-tools">
      <input type="search" placeholder="Filter" aria-label="Filter the calls" value=${filter}
          onInput=${(event) => setFilter(event.target.value)} />
      <select aria-label="Which calls" value=${side} onChange=${(event) => setSide(event.target.value)}>
        <option value="">All</option><option value="slack">to Slack</option><option
            value="clear-street">to Clear Street</option>
        <option value="bot">to the bot</option><option value="bad">gone wrong</option></select>
      <button type="button" class="plain" aria-pressed=${paused} onClick=${pause}>
          <${Icon} name=${paused ? "play" : "pause"} /> ${paused ? "Go on" : "Pause"}</button>
      <button type="button" class="plain" onClick=${clear}>Clear</button>
    </div>
    ${waiting > 0 && html`<p class="waiting" role="status">${waiting} more, once the pointer leaves the list</p>`}
    <ol class="call-list" aria-label="Calls, the newest first" onPointerEnter=${() => hold(all.at(-1)?.n ?? 0)}
        onPointerLeave=${() => hold(null)}>${lines.map(({ call, times, first }) => html`
      <${Line} key=${first} call=${call} times=${times} open=${open === first}
          toggle=${() => setOpen(open === first ? null : first)} />`)}
      ${lines.length === 0 && html`<li class="aside none">Nothing${filter || side ? " of that kind"
          : " yet: ask Omni something"}</li>`}</ol>
  </div>`;
}
