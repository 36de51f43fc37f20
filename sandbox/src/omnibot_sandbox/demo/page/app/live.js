// The line to the server: one stream of changes, and what is sent.

import { applyChanges, applyState } from "./changes.js";
import { set, state } from "./store.js";
import { toast } from "./toasts.js";

// Browsers allow six connections to one address: a tab nobody looks at gives its stream back after a while.
const HIDDEN_MS = 20_000;

// A look that fails is repeated, each time after twice as long.
const AGAIN_MS = 500, LONGEST_MS = 8_000, PATIENCE_MS = 20_000;

let stream = null, waiting = null, seq = 0, looks = 0, hiding = 0, failures = 0, again = 0;

async function look() {
  clearTimeout(again);
  const mine = (looks += 1);
  const whole = await get(`/state?user=${state.user}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (mine !== looks) return; // an older look must not overtake a newer one
  if (!whole) {
    set({ live: "lost" });
    again = setTimeout(look, Math.min(LONGEST_MS, AGAIN_MS * 2 ** failures));
    failures += 1;
    return;
  }
  failures = 0;
  seq = whole.seq;
  applyState(whole);
  const told = waiting ?? [];
  waiting = null;
  for (const one of told) receive(one);
  set({ live: "live" });
}

function receive(told) {
  if (waiting) waiting.push(told);
  else if (told.seq >= seq && !applyChanges(told.changes)) { // a channel this page has nothing of
    waiting = [];
    look();
  }
}

export function connect() {
  stream?.close();
  clearTimeout(again);
  looks += 1; // what is still on its way is not for this person
  failures = 0;
  waiting = [];
  stream = new EventSource(`/events?user=${state.user}`);
  stream.addEventListener("hello", () => {
    waiting = [];
    look();
  });
  stream.onmessage = ({ data }) => receive(JSON.parse(data));
  stream.onerror = () => {
    set({ live: "lost" });
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
  };
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.visibilityState === "visible") {
    if (!stream) connect();
  } else {
    hiding = setTimeout(() => { stream?.close(); stream = null; }, HIDDEN_MS);
  }
});

// Answers {ok: true, …} or {ok: false, error: "why"}; says why in a toast unless `quiet`.
export async function post(path, body, { quiet = false } = {}) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }).catch(() => null);
  const result = answer?.ok ? await answer.json() : null;
  if (result?.ok) return result;
  const error = result?.error ?? (answer ? await answer.text() : "The demo is not running any more.");
  if (!quiet) toast(error, "error");
  return { ok: false, error };
}

// The same, as the person this page is for.
export const act = (path, body, options) => post(path, { user: state.user, ...body }, options);

// Where a file of Slack's is loaded from, by this person; it is named by its id, or by an address that holds it.
export const fileUrl = (name) =>
  `/file/${/F[A-Z0-9]{8,}/.exec(name)?.[0] ?? encodeURIComponent(name)}?user=${state.user}`;

// What is there; null: nothing, or nothing that arrived whole.
export async function get(path, options) {
  try {
    const answer = await fetch(path, options);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
