// Applies what the server tells: the whole state once, then every change.

import { NOTHING, set, state, threadKey } from "./store.js";

const later = (a, b) => Number(a.ts) - Number(b.ts) || (a.ts < b.ts ? -1 : 1);

function buildRoom(messages) {
  const roots = [], replies = new Map();
  for (const message of messages) {
    if (!message.thread_ts) roots.push(message);
    else if (replies.has(message.thread_ts)) replies.get(message.thread_ts).push(message);
    else replies.set(message.thread_ts, [message]);
  }
  return { roots, replies };
}

export function applyState(whole) {
  const rooms = {};
  for (const [channel, messages] of Object.entries(whole.messages)) rooms[channel] = buildRoom(messages);
  const threads = {};
  for (const thread of whole.threads) threads[threadKey(thread.channel, thread.thread_ts)] = thread;
  set({
    ready: true, me: whole.me, bot: whole.bot, workspace: whole.workspace, host: whole.host, people: whole.people, names: whole.names,
        commands: whole.commands,
    prompts: whole.prompts, homeTab: whole.home_tab,
    channels: whole.channels, rooms, threads, modals: whole.modals, home: whole.home, refusals: whole.refusals,
    backstage: { ...state.backstage, ...whole.backstage },
  });
}

// The list with this message in its place; the same list when it already has it so.
function withMessage(list, message) {
  const at = list.findIndex((other) => other.ts === message.ts);
  if (at >= 0) {
    if (list[at].version > message.version) return list;
    const copy = list.slice();
    copy[at] = message;
    return copy;
  }
  if (!list.length || later(list.at(-1), message) < 0) return [...list, message];
  return [...list, message].sort(later);
}

function withoutMessage(list, ts) {
  return list.some((message) => message.ts === ts) ? list.filter((message) => message.ts !== ts) : list;
}

function putMessage(rooms, message) {
  const old = rooms[message.channel] ?? { roots: [], replies: new Map() };
  if (!message.thread_ts) {
    rooms[message.channel] = { ...old, roots: withMessage(old.roots, message) };
    return;
  }
  const replies = new Map(old.replies);
  replies.set(message.thread_ts, withMessage(replies.get(message.thread_ts) ?? NOTHING, message));
  rooms[message.channel] = { ...old, replies };
}

function dropMessage(rooms, { channel, ts }) {
  const old = rooms[channel];
  if (!old) return;
  const replies = new Map();
  for (const [root, list] of old.replies) {
    const left = withoutMessage(list, ts);
    if (left.length) replies.set(root, left);
  }
  rooms[channel] = { roots: withoutMessage(old.roots, ts), replies };
}

const replaced = (list, one, key = "id") =>
  list.some((other) => other[key] === one[key]) ? list.map((other) => (other[key] === one[key] ? one : other))
      : [...list, one];

// DMs stay below the channels, wherever they were learnt of.
const RANK = { dm: 1, im: 2 };
const inOrder = (channels) => [...channels].sort((a, b) => (RANK[a.kind] ?? 0) - (RANK[b.kind] ?? 0));

const KEPT_CALLS = 1000;

const APPLY = {
  message: (next, { message }) => putMessage((next.rooms ??= { ...state.rooms }), message),
  gone: (next, change) => dropMessage((next.rooms ??= { ...state.rooms }), change),
  channel: (next, { channel }) => { next.channels = inOrder(replaced(next.channels ?? state.channels, channel)); },
  thread: (next, { thread }) => {
    next.threads = { ...(next.threads ?? state.threads), [threadKey(thread.channel, thread.thread_ts)]: thread };
  },
  modals: (next, { modals }) => { next.modals = modals; },
  home: (next, { home }) => { next.home = home; },
  refusal: (next, { refusal }) => { next.refusals = replaced(next.refusals ?? state.refusals, refusal); },
  refusal_gone: (next, { id }) => { next.refusals = (next.refusals ?? state.refusals).filter((one) => one.id !== id); },
  backstage: (next, { backstage }) => { next.backstage = { ...state.backstage, ...backstage }; },
  call: (next, { call }) => {
    if (state.drawer && !state.paused) next.calls = replaced(next.calls ?? state.calls, call, "n").slice(-KEPT_CALLS);
  },
};

// True when all could be applied; false when only a fresh look at everything helps.
export function applyChanges(changes) {
  const next = {};
  const known = new Set(state.channels.map((channel) => channel.id));
  for (const change of changes) APPLY[change.type]?.(next, change);
  set(next);
  return (next.channels ?? NOTHING).every((channel) => known.has(channel.id));
}
