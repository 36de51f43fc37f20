// The page: shows /state, looks again whenever /events says so, and sends what is typed and pressed.

import { h, markdown, mrkdwn, link } from "./markdown.js";

const $ = (selector) => document.querySelector(selector);
const TRY = ["@Omni what is the price of AAPL?", "@Omni how are the markets doing today?", "/omni research AAPL", "/omni help"];
const TRY_DM = ["what is the price of NVDA?", "compare AAPL to AMD", "write a long report on the market", "/omni help"];

let state = null, user = "ana", roomId = null, threadTs = null, following = null, looks = 0;
const seen = {}; // by person and room: the ts read last
const away = {}; // the panes whose reader has scrolled up
const panes = { room: new Map(), thread: new Map() }; // what is drawn: key to [version, node]

const room = () => state.rooms.find((r) => r.id === roomId) || state.rooms[0];
const root = (message) => message.thread_ts || message.ts;
const time = (ts) => new Date(parseFloat(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user, ...body }),
  }).catch(() => null);
  if (!answer?.ok) { tell(answer ? await answer.text() : "The demo is not running any more."); return null; }
  const result = await answer.json();
  if (result.acked === false) tell("Omni did not answer in time.");
  return result;
}

const tell = (sentence) => { $("#connection").textContent = sentence; };

const words = (text, names) => (text.type === "plain_text" ? [text.text] : mrkdwn(text.text, names));

function element(el, message) {
  if (el.type === "image") return h("span", { class: "image" }, el.alt_text);
  if (el.type === "button" && el.url) return link(el.url, [el.text.text]);
  if (el.type === "button") return press(el, el.text.text, message, el.style, el.accessibility_label);
  if (el.type === "feedback_buttons") {
    return [el.positive_button, el.negative_button].map((b) => press(el, b.text.text, message, "", b.accessibility_label));
  }
  return h("span", {}, el.text?.text || el.placeholder?.text || "");
}

function press(el, label, message, style, spoken) {
  const onclick = async ({ target }) => {
    target.disabled = true;
    await post("/click", { channel: room().id, ts: message.ts, action_id: el.action_id, label });
    target.disabled = false;
  };
  return h("button", { type: "button", class: "press " + (style || ""), "aria-label": spoken, onclick }, label);
}

function block(b, message) {
  const names = state.names;
  switch (b.type) {
    case "markdown": return h("div", { class: "md" }, markdown(b.text, names));
    case "section": return h("div", { class: "section" },
      h("div", {}, b.text ? words(b.text, names) : "", (b.fields || []).map((f) => h("p", {}, words(f, names)))),
      b.accessory ? element(b.accessory, message) : null);
    case "context": return h("div", { class: "context" },
      b.elements.map((e) => h("div", {}, e.type === "image" ? e.alt_text : words(e, names))));
    case "header": return h("h3", {}, b.text.text);
    case "divider": return h("hr");
    case "actions": case "context_actions":
      return h("div", { class: "actions" }, b.elements.map((e) => element(e, message)));
    case "rich_text": return h("div", {}, mrkdwn(message.text, names)); // what people type: the same words
    case "image": return h("figure", {}, h("figcaption", {}, b.title?.text || "Image", ": ", b.alt_text));
    default: return h("div", {}, mrkdwn(message.text, names)); // a block this page does not know
  }
}

function draw(message) {
  const bot = message.only_you || state.bots.includes(message.user);
  const name = message.only_you ? "Omni" : state.names[message.user] || message.user;
  return h("article", { class: (bot ? "bot" : "") + (message.only_you ? " only-you" : "") },
    h("div", { class: "face", "aria-hidden": "true" }, name[0]),
    h("div", { class: "body" },
      message.only_you ? h("div", { class: "note" }, "Only visible to you") : null,
      h("div", { class: "who" }, h("strong", {}, name), bot ? h("span", { class: "app" }, "APP") : null,
        h("time", {}, time(message.ts))),
      message.blocks.length ? message.blocks.map((b) => block(b, message)) : h("div", {}, mrkdwn(message.text, state.names))));
}

// Only what changed is drawn again, so that focus, selection and scroll position stay.
function fill(pane, items) {
  const log = $(`#${pane} .log`), drawn = panes[pane];
  const keys = new Set(items.map((item) => item.key));
  for (const [key, [, node]] of drawn) if (!keys.has(key)) { node.remove(); drawn.delete(key); }
  let before = null;
  for (const { key, version, make } of items) {
    const old = drawn.get(key);
    let node = old?.[1];
    if (!old || old[0] !== version) {
      node = make();
      old?.[1].replaceWith(node);
      drawn.set(key, [version, node]);
    }
    const place = before ? before.nextSibling : log.firstChild;
    if (place !== node) log.insertBefore(node, place);
    before = node;
  }
  if (!away[pane]) log.scrollTop = log.scrollHeight;
}

function rootItem(message, replies) {
  const count = replies.filter((r) => !r.only_you).length;
  const label = count === 1 ? "1 reply" : `${count} replies`;
  return { key: message.ts, version: `${message.version} ${count} ${root(message) === threadTs}`, make: () => {
    const node = draw(message);
    const open = (words) => h("button", { type: "button", class: "replies", onclick: () => openThread(message.ts) }, words);
    if (!message.only_you) node.lastChild.append(count ? open(label) : open("Reply in thread"));
    node.classList.toggle("open", message.ts === threadTs);
    return node;
  } };
}

const plainItem = (message) => ({ key: message.ts, version: String(message.version), make: () => draw(message) });

function empty(here) {
  const tries = here.kind === "im" ? TRY_DM : TRY;
  const put = (words) => () => { $("#room-text").value = words; $("#room-text").focus(); };
  return { key: "empty", version: here.id, make: () => h("div", { class: "empty" },
    h("p", {}, here.kind === "im" ? "This is between you and Omni: just ask." : "Ask Omni here: mention it, or type a command. For example:"),
    h("ul", {}, tries.map((t) => h("li", {}, h("button", { type: "button", onclick: put(t) }, t)))),
    h("p", {}, "The answer comes in a thread. Press the buttons below it, or reply there without a mention.")) };
}

function show() {
  const here = room(), title = (r) => (r.kind === "im" ? r.name : "# " + r.name);
  roomId = here.id;
  follow();
  seen[user + roomId] = here.messages.at(-1)?.ts || "0";
  const unread = (r) => r.messages.some((m) => m.ts > (seen[user + r.id] || "0") && m.user !== state.me);
  const focused = document.activeElement?.dataset?.room;
  $("#rooms").replaceChildren(...state.rooms.map((r) => h("li", {}, h("button", {
    type: "button", "data-room": r.id, "aria-current": r.id === roomId ? "page" : undefined, onclick: () => enter(r.id),
  }, title(r), unread(r) ? h("span", { class: "dot", role: "img", "aria-label": "unread" }, "●") : null))));
  if (focused) $(`[data-room="${focused}"]`)?.focus();
  $("#room h2").textContent = title(here);
  $("#room-text").placeholder = here.kind === "im" ? "Ask Omni anything" : `Message #${here.name}: @Omni … or /omni …`;
  const roots = here.messages.filter((m) => !m.thread_ts);
  const thread = threadTs ? here.messages.filter((m) => root(m) === threadTs) : [];
  $("#thread").hidden = !thread.length; // before anything is measured
  fill("room", roots.length
    ? roots.map((m) => rootItem(m, here.messages.filter((r) => r.thread_ts === m.ts))) : [empty(here)]);
  const status = state.statuses.find((s) => s.channel === roomId && s.thread_ts === threadTs)?.status;
  const line = { key: "status", version: status, make: () => h("p", { class: "status" }, "Omni " + status) };
  $("#thread-text").placeholder = "Reply: Omni knows it is meant";
  fill("thread", [...thread.map(plainItem), ...(status ? [line] : [])]);
}

// The answer to what was just asked opens by itself.
function follow() {
  if (!following || following.room !== roomId) return;
  const mine = room().messages.filter((m) => !m.thread_ts && !m.only_you && parseFloat(m.ts) >= following.since);
  const answered = mine.find((m) => room().messages.some((r) => r.thread_ts === m.ts && state.bots.includes(r.user)));
  if (answered) { threadTs = answered.ts; following = null; }
}

function openThread(ts) { threadTs = ts; show(); $("#thread-text").focus(); }
function enter(id) { roomId = id; threadTs = null; show(); $("#room-text").focus(); }

function send(pane) {
  const box = $(`#${pane}-text`);
  const text = box.value.trim();
  if (!text) return;
  const command = /^\/(\S*)\s*([\s\S]*)$/.exec(text);
  const since = parseFloat(room().messages.at(-1)?.ts || "0") + 1e-6;
  if (command && pane === "thread") { tell("Slack takes no app commands in threads. Type it in the room."); return; }
  if (command && command[1] !== "omni") { tell(`There is no command /${command[1]} here; /omni help lists what there is.`); return; }
  tell("");
  box.value = "";
  away[pane] = false;
  resize(box);
  if (pane === "room") following = { room: roomId, since };
  const sent = command
    ? post("/command", { channel: roomId, command: "/omni", text: command[2] })
    : post("/say", { channel: roomId, text, thread_ts: pane === "thread" ? threadTs : null });
  sent.then((result) => { if (!result && !box.value) { box.value = text; } });
}

const resize = (box) => { box.rows = Math.min(8, box.value.split("\n").length); };

for (const pane of ["room", "thread"]) {
  $(`#${pane} form`).addEventListener("submit", (event) => { event.preventDefault(); send(pane); });
  const box = $(`#${pane}-text`), log = $(`#${pane} .log`);
  log.addEventListener("scroll", () => { away[pane] = log.scrollHeight - log.scrollTop - log.clientHeight > 80; });
  box.addEventListener("input", () => resize(box));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(pane); }
  });
}
function closeThread() { threadTs = null; show(); $("#room-text").focus(); }
$("#thread .close").addEventListener("click", closeThread);
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && threadTs) closeThread(); });

async function look() {
  const mine = (looks += 1);
  const answer = await fetch("/state?user=" + user).catch(() => null);
  const seenNow = answer?.ok ? await answer.json() : null;
  if (!seenNow || mine !== looks) return; // an older look must not overtake a newer one
  const first = !state;
  state = seenNow;
  show();
  if (!first) return;
  $("#people").append(...state.people.map((p) => h("label", {}, h("input", {
    type: "radio", name: "person", value: p.name, checked: p.name === user, onchange: () => become(p.name),
  }), p.real_name)));
  $("#room-text").focus();
}

function become(name) {
  const wasDm = room().kind === "im";
  user = name;
  Object.values(panes).forEach((drawn) => { drawn.forEach(([, node]) => node.remove()); drawn.clear(); });
  if (wasDm) { roomId = null; threadTs = null; }
  look();
}

const events = new EventSource("/events");
events.addEventListener("change", look);
events.onopen = () => tell("");
events.onerror = () => tell("The demo is not running; waiting for it…");
