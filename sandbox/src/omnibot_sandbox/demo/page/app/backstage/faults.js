// What goes wrong: faults in force, ready-made ones, and a form for any other.

import { html, useState } from "../../vendor/preact.js";
import { Icon } from "../icons.js";
import { post } from "../live.js";
import { NOTHING, useStore } from "../store.js";

const SIDES = { "clear-street": "Clear Street", slack: "Slack" };
const READY = [
  ["Clear Street fails three times (500)", { side: "clear-street", pattern: "*", kind: "refuse", status: 500,
      when: "next", number: 3 }],
  ["Clear Street is slow (2 s)", { side: "clear-street", pattern: "*", kind: "delay", seconds: 2, jitter: 0.5 }],
  ["Clear Street takes the question, its answer is lost",
      { side: "clear-street", pattern: "POST *", kind: "drop", point: "after", when: "next", number: 1 }],
  ["Clear Street takes an order, its answer is lost", { side: "clear-street", pattern: "POST *orders", kind: "drop",
      point: "after", when: "next", number: 1 }],
  ["Clear Street loses an order on its way", { side: "clear-street", pattern: "POST *orders", kind: "drop",
      when: "next", number: 1 }],
  ["Clear Street takes an order, and says there was one already (409)", { side: "clear-street",
      pattern: "POST *orders", kind: "refuse", status: 409, point: "after", when: "next", number: 1 }],
  ["Clear Street says wait (429, 3 s)", { side: "clear-street", pattern: "GET *", kind: "refuse", status: 429,
      retry_after: 3, when: "next", number: 2 }],
  ["Clear Street sends broken JSON", { side: "clear-street", pattern: "GET *", kind: "wrong-json", when: "next",
      number: 2 }],
  ["Slack says wait (429, 5 s) to the next five updates",
      { side: "slack", pattern: "chat.update", kind: "refuse", status: 429, retry_after: 5, when: "next", number: 5 }],
  ["Slack is slow (1 s)", { side: "slack", pattern: "chat.*", kind: "delay", seconds: 1, jitter: 0.3 }],
  ["Slack posts, but its answer is lost", { side: "slack", pattern: "chat.postMessage", kind: "drop", point: "after",
      when: "next", number: 1 }],
  ["Slack never answers a new message", { side: "slack", pattern: "chat.postMessage", kind: "silence", point: "after",
      when: "next", number: 1 }],
  ["Clear Street never answers a poll", { side: "clear-street", pattern: "GET *responses*", kind: "silence",
      when: "next", number: 1 }],
  ["Clear Street resets the connection", { side: "clear-street", pattern: "GET *", kind: "reset", when: "next",
      number: 2 }],
  ["Clear Street's answer breaks off in the middle", { side: "clear-street", pattern: "GET *", kind: "truncate",
      after: 40, when: "next", number: 2 }],
  ["Every third call to Slack fails (500)", { side: "slack", pattern: "chat.*", kind: "refuse", status: 500,
      when: "every", number: 3 }],
];
const START = {
  side: "clear-street", pattern: "*", kind: "refuse", point: "before", seconds: 2, jitter: 0, status: 500,
      after: 20, retry_after: "", error: "",
  when: "next", number: 1, probability: 0.3,
};

const KINDS = {
  refuse: "answer with an error", delay: "be slow", silence: "never answer", drop: "close the connection",
  reset: "reset the connection", truncate: "cut the answer off", "wrong-json": "send broken JSON",
};
const TIMES = { always: "every time", next: "the next …", every: "every …th", sometimes: "by chance" };
const POINTS = { before: "before it takes effect", after: "after it took effect" };

const set = (rule, action) => post("/backstage/rule", { side: rule.side, id: rule.id, action });

function Rule({ rule }) {
  const when = rule.remaining ? `the next ${rule.remaining}` : rule.when;
  const hits = `${rule.hits} ${rule.hits === 1 ? "hit" : "hits"}`;
  const waiting = rule.holding === 1 ? "1 call waits." : `${rule.holding} calls wait.`;
  return html`<li class=${`rule ${rule.enabled ? "" : "off"}`} data-rule=${rule.pattern}>
    <label class="switch"><input type="checkbox" role="switch" checked=${rule.enabled}
        aria-label=${`${rule.fault}, ${rule.pattern}: in force`}
      onChange=${(event) => set(rule, event.target.checked ? "enable" : "disable")} /><span></span></label>
    <div><strong>${rule.fault}</strong> ${rule.point === "after"
        && html`<span class="aside">after it took effect</span>`}
      <span class="about">${SIDES[rule.side]} <code>${rule.pattern}</code> · ${when} · <b>${hits}</b></span>
      ${rule.holding > 0 && html`<span class="waiting-calls">${waiting}
        <button type="button" class="link" onClick=${() => set(rule, "let-go")}>Let go on</button>
        <button type="button" class="link" onClick=${() => set(rule, "hang-up")}>Hang up</button></span>`}</div>
    <button type="button" class="quiet" aria-label=${`Remove: ${rule.fault}, ${rule.pattern}`} onClick=${() => set(rule, "remove")}>
      <${Icon} name="bin" /></button></li>`;
}

const field = (form, setForm, name, number) => ({
  name, value: form[name], onInput: (event) =>
      setForm({ ...form, [name]: number ? event.target.valueAsNumber : event.target.value }),
});

function Own({ methods }) {
  const [form, setForm] = useState(START);
  const bind = (name, number = false) => field(form, setForm, name, number);
  const send = (event) => {
    event.preventDefault();
    const { retry_after: wait, error, ...rest } = form;
    const named = { retry_after: wait === "" || Number.isNaN(wait) ? null : wait, error: error || null };
    post("/backstage/fault", { ...rest, ...(form.kind === "refuse" ? named : {}) });
  };
  const asked = (label, name, options) => html`<label>${label}<select ...${bind(name)}>
    ${Object.entries(options).map(([value, words]) => html`<option key=${value} value=${value}>${words}</option>`)}
  </select></label>`;
  const number = (label, name, more) => html`<label>${label}<input type="number" ...${bind(name, true)} ...${more} />
      </label>`;
  return html`<form class="fault-form" onSubmit=${send}>
    ${asked("Side", "side", SIDES)}
    <label>Calls <input type="text" list="methods" required ...${bind("pattern")} /></label>
    <datalist id="methods">
      ${["*", ...(methods?.[form.side] ?? NOTHING)].map((name) => html`<option key=${name} value=${name} />`)}
    </datalist>
    ${asked("What", "kind", KINDS)}
    ${form.kind === "refuse" && [
      number("Status", "status", { min: 200, max: 599 }),
      number("Retry-After, s", "retry_after", { min: 0, max: 120, placeholder: "none" }),
    ]}
    ${form.kind === "refuse" && form.side === "slack" && html`<label>error
      <input type="text" pattern="[a-z_]+" placeholder="as usual" ...${bind("error")} /></label>`}
    ${form.kind === "delay" && [
      number("Seconds", "seconds", { min: 0, max: 60, step: 0.1 }),
          number("± seconds", "jitter", { min: 0, max: 60, step: 0.1 }),
    ]}
    ${form.kind === "truncate" && number("After, bytes", "after", { min: 0, max: 100000 })}
    ${asked("When", "when", TIMES)}
    ${["next", "every"].includes(form.when) && number("How many", "number", { min: 1, max: 1000 })}
    ${form.when === "sometimes" && number("Probability", "probability", { min: 0, max: 1, step: 0.05 })}
    ${form.kind !== "truncate" && asked("At", "point", POINTS)}
    <button type="submit" class="go">Put in force</button></form>`;
}

const SWITCHES = [
  ["rate_limits", "Slack keeps to its rate limits"],
  ["duplicates", "Slack delivers every event twice"],
  ["out_of_order", "Slack delivers events out of order"],
  ["hold_events", "Slack holds all events back"],
];

export function Switch({ name, label }) {
  const on = useStore((s) => s.backstage?.switches?.[name] ?? false);
  return html`<label class="switch-line"><span class="switch"><input type="checkbox" role="switch" data-switch=${name}
      checked=${on}
    onChange=${(event) => post("/backstage/switch", { name, value: event.target.checked })} /><span></span>
        </span>${label}</label>`;
}

const MODES = {
  pass: "works", latency: "is slow", truncate: "breaks off", reset: "is reset", blackhole: "swallows everything",
  refuse: "refuses connections",
};
const ABOUT = {
  latency: "Every piece arrives late, either way.",
  truncate: "Each connection is closed once so many more bytes of answers have passed.",
  reset: "What stands is torn, and whatever connects is torn at once.",
  blackhole: "Connections stand, and nothing ever comes out of them.",
  refuse: "What stands goes on; new connections are refused.",
};

// One line: everything between the bot and one side, its sockets too.
function Line({ side, line }) {
  const change = (more) => post("/backstage/line",
      { side, mode: line.mode, seconds: line.seconds, after: line.after, ...more });
  const number = (name, words, max) => html`<label>${words}<input type="number" min="0" max=${max} step="any"
      value=${line[name]} onChange=${(event) => {
        const value = event.target.valueAsNumber;
        if (!Number.isNaN(value)) change({ [name]: value });
      }} /></label>`;
  return html`<div class=${`line ${line.mode === "pass" ? "" : "bad"}`} data-line=${side}>
    <label><span>The line to ${SIDES[side]}</span><select value=${line.mode}
        onChange=${(event) => change({ mode: event.target.value })}>
      ${Object.entries(MODES).map(([mode, words]) => html`<option key=${mode} value=${mode}>${words}</option>`)}
    </select></label>
    ${line.mode === "latency" && number("seconds", "Seconds", 60)}
    ${line.mode === "truncate" && number("after", "After, bytes", 1_000_000)}
    ${ABOUT[line.mode] && html`<p class="aside">${ABOUT[line.mode]}</p>`}</div>`;
}

export function Faults() {
  const rules = useStore((s) => s.backstage?.rules) ?? NOTHING;
  const methods = useStore((s) => s.backstage?.methods);
  const lines = useStore((s) => s.backstage?.lines) ?? {};
  const switches = useStore((s) => s.backstage?.switches) ?? {};
  const exchange = useStore((s) => s.backstage?.exchange);
  const dealt = exchange && (exchange.phase !== "open" || exchange.list_lag > 0
    || Object.keys(exchange.plans).length > 0 || Object.keys(exchange.conditions).length > 0);
  const trouble = rules.length || dealt || Object.values(lines).some((line) => line.mode !== "pass")
    || SWITCHES.some(([name]) => switches[name]);
  return html`<div class="faults">
    <div class="ready"><button type="button" class="go" disabled=${!trouble} onClick=${() =>
        post("/backstage/action", { action: "mend" })}>Make everything work again</button></div>
    <h3>In force</h3>
    ${rules.length ? html`<ul class="rules">${rules.map((rule) =>
        html`<${Rule} key=${`${rule.side} ${rule.id}`} rule=${rule} />`)}</ul>
      <button type="button" class="plain" onClick=${() =>
          post("/backstage/action", { action: "clear-faults" })}>Remove all</button>`
      : html`<p class="aside">No call is made to fail.</p>`}
    ${Object.keys(lines).length > 0 && html`<h3>Whole lines</h3>
      <p class="aside">What happens to every connection between the bot and one side, Slack's sockets too.</p>
      ${Object.entries(lines).map(([side, line]) => html`<${Line} key=${side} side=${side} line=${line} />`)}`}
    <h3>Deliveries and limits</h3>${SWITCHES.map(([name, label]) =>
        html`<${Switch} key=${name} name=${name} label=${label} />`)}
    <h3>Ready-made</h3><div class="ready">${READY.map(([label, fault]) =>
        html`<button key=${label} type="button" class="plain"
      onClick=${() => post("/backstage/fault", fault)}>${label}</button>`)}</div>
    <h3>Any other</h3><${Own} methods=${methods} />
  </div>`;
}
