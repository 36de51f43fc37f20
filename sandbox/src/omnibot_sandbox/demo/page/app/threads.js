// All threads one follows, the latest first.

import { html, useMemo } from "../vendor/preact.js";
import { ChannelName } from "./channel.js";
import { Message } from "./message.js";
import { open } from "./place.js";
import { EMPTY_ROOM, NOTHING, useStore } from "./store.js";

const SHOWN = 3;

function Card({ channel, root, replies, fresh }) {
  const names = useStore((s) => s.names);
  const more = replies.length - SHOWN;
  const go = () => open(channel.id, root.ts);
  return html`<section class="thread-card" aria-label=${`Thread in ${channel.name}`}>
    <button type="button" class="link place" onClick=${go}>
        <${ChannelName} channel=${channel} />${fresh ? html` <span class="fresh">${fresh} new</span>` : null}</button>
    <${Message} message=${root} names=${names} head inThread />
    ${more > 0 && html`<button type="button" class="link more"
        onClick=${go}>Show ${more} more ${more === 1 ? "reply" : "replies"}</button>`}
    ${replies.slice(-SHOWN).map((reply) => html`<${Message} key=${reply.ts} message=${reply} names=${names} head
        inThread />`)}
    <button type="button" class="plain" onClick=${go}>Open thread</button>
  </section>`;
}

export function Threads() {
  const channels = useStore((s) => s.channels);
  const rooms = useStore((s) => s.rooms);
  const cards = useMemo(() => channels.flatMap((channel) => (channel.followed ?? NOTHING).map((ts) => {
    const here = rooms[channel.id] ?? EMPTY_ROOM;
    return { channel, root: here.roots.find((one) => one.ts === ts), replies: here.replies.get(ts) ?? NOTHING,
        fresh: channel.threads?.[ts] };
  })).filter((card) => card.root && card.replies.length).sort((a, b) =>
      b.replies.at(-1).ts - a.replies.at(-1).ts).slice(0, 30), [channels, rooms]);
  return html`<main class="channel" id="main" aria-label="Threads" data-region="channel">
    <header class="pane-head"><div><h1>Threads</h1></div></header>
    <div class="thread-cards">${cards.map((card) => html`<${Card} key=${card.root.ts} ...${card} />`)}
      ${cards.length === 0 && html`<div class="nothing"><h3>No threads yet</h3>
          <p>Threads you start, answer or are mentioned in are listed here.</p></div>`}</div>
  </main>`;
}
