// The side panel of one thread.

import { html, useCallback, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { Composer } from "./composer.js";
import { Icon } from "./icons.js";
import { hadFocus } from "./keys.js";
import { act } from "./live.js";
import { Log } from "./log.js";
import { closeThread } from "./place.js";
import { StatusLine } from "./status.js";
import { EMPTY_ROOM, NOTHING, channelOf, state, threadKey, titleOf, useStore } from "./store.js";

function Title({ channel, ts }) {
  const room = useStore((s) => s.channels.find((one) => one.id === channel));
  const title = useStore((s) => s.threads[threadKey(channel, ts)]?.title);
  return html`<header class="pane-head"><div><h2>${title || "Thread"}</h2>
      <p class="where">${room ? titleOf(room) : ""}</p></div>
    <button type="button" class="quiet" aria-label="Close thread" title="Close (Esc)" onClick=${closeThread}>
        <${Icon} name="close" /></button></header>`;
}

export function Thread({ channel, ts }) {
  const here = useStore((s) => s.rooms[channel]) ?? EMPTY_ROOM;
  const root = here.roots.find((message) => message.ts === ts);
  const replies = here.replies.get(ts) ?? NOTHING;
  const messages = useMemo(() => (root ? [root, ...replies] : replies), [root, replies]);
  const all = useStore((s) => s.refusals);
  const refusals = useMemo(() => all.filter((one) => one.channel === channel && one.thread_ts === ts),
      [all, channel, ts]);
  const divider = useDivider(channel, ts);
  const onEnd = useCallback(() => {
    const newest = replies.findLast((message) => !message.only_you);
    const read = channelOf(channel)?.thread_marks?.[ts] ?? "0";
    if (newest && Number(newest.ts) > Number(read)) act("/read", { channel, ts: newest.ts, thread_ts: ts },
        { quiet: true });
  }, [channel, ts, replies]);
  const count = replies.filter((reply) => !reply.only_you).length;

  // Who was in the thread when it closes goes on in the channel.
  const panel = useRef(null);
  useEffect(() => {
    const here = panel.current;
    return () => { if (hadFocus(here)) document.querySelector("#composer")?.focus(); };
  }, []);

  return html`<aside class="thread" aria-label="Thread" data-region="thread" ref=${panel}>
    <${Title} channel=${channel} ts=${ts} />
    <${Log} id=${`${channel}/${ts}`} messages=${messages} inThread refusals=${refusals} divider=${divider}
        onEnd=${onEnd}
      label=${`Thread with ${count} ${count === 1 ? "reply" : "replies"}`}
      before=${!root && html`<p class="tombstone">This thread is not here (any more).</p>`} />
    <${StatusLine} channel=${channel} ts=${ts} />
    <${Composer} key=${`${channel}/${ts}`} channel=${channel} thread=${ts} placeholder="Reply…"
        label="Reply in the thread" region="thread-composer" />
  </aside>`;
}

// Where "New" stands: at what was unread when one came, until one leaves.
export function useDivider(channel, thread = null) {
  const read = useStore(() => {
    const here = channelOf(channel);
    if (!here) return null;
    return thread ? here.thread_marks?.[thread] : here.last_read;
  });
  const unread = useStore(() => {
    const here = channelOf(channel);
    return thread ? here?.threads?.[thread] : here?.unread;
  });
  const id = `${channel}/${thread ?? ""}`;
  const [kept, keep] = useState(null);
  // What opened by itself is seen as it comes.
  useEffect(() => { keep({ id, at: unread && state.followed !== thread ? read ?? "0" : null }); }, [id, read === null]);
  return kept?.id === id ? kept.at : null;
}
