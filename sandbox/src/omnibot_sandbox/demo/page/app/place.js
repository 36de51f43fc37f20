// Where this tab is: person, channel and thread stand in the address, so that a reload and the Back button know.
//   #ana/C0TRADING1/1795249828.945156   #ben/home   #ana/threads

import { connect } from "./live.js";
import { channelOf, dm, set, state } from "./store.js";
import { toast } from "./toasts.js";

export const HOME = "home", THREADS = "threads";
const VIEWS = [HOME, THREADS];
const PEOPLE = ["ana", "ben", "cleo", "dan"];

const remembered = {}; // by person: the channel left last

function write({ user = state.user, channel = state.place.channel, thread = null }, replace = false) {
  const hash = `#${[user, channel, thread].filter(Boolean).join("/")}`;
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
  read();
}

export const open = (channel, thread = null) => write({ channel, thread });
export const openThread = (channel, ts) => write({ channel: channel, thread: ts });
export const closeThread = () => write({ thread: null });

export function become(user) {
  if (user === state.user) return;
  write({ user, channel: remembered[user] ?? (channelOf(state.place.channel)?.kind === "im" ? ""
      : state.place.channel) });
}

function read() {
  const [user, channel = "", thread = null] = location.hash.slice(1).split("/");
  const who = PEOPLE.includes(user) ? user : sessionStorage.getItem("user") ?? PEOPLE[0];
  const other = who !== state.user;
  set({ user: who, place: { channel, thread },
      ...(other ? { ready: false, rooms: {}, channels: [], toasts: [] } : {}) });
  sessionStorage.setItem("user", who);
  remembered[who] = channel;
  if (other) connect();
}

// A link to a message leads to it here, where Slack would open it, unless it is one this person cannot see.
const PERMALINK = /^https:\/\/[\w-]+\.slack\.com\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})(?:\?.*?\bthread_ts=([\d.]+))?/;

export function follow(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const [found, channel, seconds, rest, thread] = PERMALINK.exec(event.target.closest?.("a[href]")?.href ?? "") ?? [];
  if (!found) return;
  event.preventDefault();
  if (channelOf(channel)) openThread(channel, thread ?? `${seconds}.${rest}`);
  else toast("You are not in the channel of this message.", "error");
}

// A place that this person has not: the first of theirs instead.
export function settle() {
  if (!state.ready) return;
  const { channel, thread } = state.place;
  if (channelOf(channel) || channel === THREADS || (channel === HOME && dm() && state.homeTab)) return;
  const trading = state.channels.find((one) => one.name === "trading") ?? state.channels[0];
  write({ channel: trading?.id ?? "", thread: channelOf(channel) ? thread : null }, true);
}

export function begin() {
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  document.addEventListener("click", follow);
  read();
  connect();
}
