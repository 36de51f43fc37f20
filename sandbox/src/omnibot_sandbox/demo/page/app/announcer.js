// Reads to screen readers what comes in where one looks: a message once, and one that grows when it rests.

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { NOTHING, nameOf, room, state, subscribe } from "./store.js";

const REST_MS = 1_200, LONGEST = 300;

function wordsOf(message, node) {
  const body = node?.querySelector(".body")?.innerText ?? message.text;
  const words = body.replace(/\s+/g, " ").trim();
  return `${nameOf(message.user)}: ${words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words}`;
}

export function Announcer() {
  const [words, say] = useState("");
  const heard = useRef(new Map()), at = useRef(null);
  useEffect(() => {
    const timers = new Map();
    const look = () => {
      const { channel, thread } = state.place, here = room(channel);
      const list = [...here.roots, ...(thread ? here.replies.get(thread) ?? NOTHING : NOTHING)];
      const place = `${state.user} ${channel} ${thread} ${state.ready}`;
      const fresh = at.current === place;
      at.current = place;
      for (const message of list.slice(-40)) {
        if (heard.current.get(message.ts) === message.version) continue;
        heard.current.set(message.ts, message.version);
        if (!fresh || message.user === state.me) continue;
        clearTimeout(timers.get(message.ts));
        timers.set(message.ts, setTimeout(() => {
          if (!message.streaming) say(wordsOf(message, document.querySelector(`.message[data-ts="${message.ts}"]`)));
        }, REST_MS));
      }
    };
    look();
    const end = subscribe(look);
    return () => { end(); timers.forEach(clearTimeout); };
  }, []);
  return html`<div class="visually-hidden" aria-live="polite" id="announcer">${words}</div>`;
}
