// What this page knows. Every change replaces what it touches and leaves the rest as it was, so that only what really
// changed is drawn again.

import { useLayoutEffect, useRef, useState } from "../vendor/preact.js";

export const state = {
  ready: false,
  live: "connecting", // connecting | live | lost
  user: "ana",
  me: "",
  bot: "",
  workspace: "", // whose one is
  host: "", // whose Omni is
  people: [],
  commands: [], // the app's slash commands
  prompts: [], // what its manifest suggests to ask
  homeTab: true,
  names: {},
  channels: [],
  rooms: {}, // by channel id: {roots: [...], replies: Map(root ts → [...])}
  threads: {}, // by "channel thread_ts": what the bot does there
  modals: [],
  home: null,
  refusals: [],
  backstage: null, // the levers, and once the drawer was open the calls and choices too
  calls: [],
  place: { channel: "", thread: null }, // what is looked at
  drawer: false,
  toasts: [],
};

const listeners = new Set();
let scheduled = false;

export function set(changes) {
  Object.assign(state, changes);
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    for (const listener of [...listeners]) listener();
  });
}

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// The component is drawn again when what `select` picks is another object or value.
export function useStore(select) {
  const [, redraw] = useState(0);
  const last = useRef(null);
  const chosen = select(state);
  last.current = { select, chosen };
  useLayoutEffect(() => {
    const look = () => {
      if (!Object.is(last.current.select(state), last.current.chosen)) redraw((count) => count + 1);
    };
    look(); // what changed between drawing and listening
    return subscribe(look);
  }, []);
  return chosen;
}

export const EMPTY_ROOM = { roots: [], replies: new Map() };
export const NOTHING = [];

export const room = (id) => state.rooms[id] ?? EMPTY_ROOM;
export const channelOf = (id) => state.channels.find((channel) => channel.id === id);
export const threadKey = (channel, ts) => `${channel} ${ts ?? ""}`;
export const person = () => state.people.find((one) => one.name === state.user);
export const nameOf = (id) => state.names[id]?.name || id;
export const isBot = (id) => state.names[id]?.kind === "bot";
// What one calls it: "#trading", "Ben", "Omni".
export const titleOf = (channel) => (["dm", "im"].includes(channel.kind) ? channel.name : `#${channel.name}`);
// The DM with the app.
export const dm = () => state.channels.find((channel) => channel.kind === "im");

export function findMessage(channel, ts) {
  const here = room(channel);
  const root = here.roots.find((message) => message.ts === ts);
  if (root) return root;
  for (const replies of here.replies.values()) {
    const found = replies.find((message) => message.ts === ts);
    if (found) return found;
  }
  return null;
}
