// What was typed and not sent, kept for this tab: a reload loses nothing.

import { state } from "./store.js";

const key = (channel, thread) => `draft ${state.user} ${channel} ${thread ?? ""}`;

export const draft = (channel, thread) => sessionStorage.getItem(key(channel, thread)) ?? "";

export function keepDraft(channel, thread, words) {
  if (words) sessionStorage.setItem(key(channel, thread), words);
  else sessionStorage.removeItem(key(channel, thread));
}

// Somebody else (the guide, say) puts words into the box of a channel, which may be about to appear.
const listeners = new Set();

export function suggest(channel, words) {
  keepDraft(channel, null, words);
  for (const listener of listeners) listener(channel, words);
}

export function onSuggestion(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
