// What the app says it is doing in a thread, and the button that ends it.

import { html, useEffect, useState } from "../vendor/preact.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";
import { act } from "./live.js";
import { NOTHING, nameOf, state, threadKey, useStore } from "./store.js";

const CYCLE_MS = 2_500;

function useCycling(lines) {
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (lines.length < 2) return undefined;
    const timer = setInterval(() => setAt((old) => old + 1), CYCLE_MS);
    return () => clearInterval(timer);
  }, [lines]);
  return lines.length ? lines[at % lines.length] : "";
}

export const working = (thread) => Boolean(thread?.status) || thread?.session === "processing";

export function StatusLine({ channel, ts }) {
  const thread = useStore((s) => s.threads[threadKey(channel, ts)]);
  const line = useCycling(thread?.loading_messages ?? NOTHING);
  const [stopping, setStopping] = useState(false);
  const stoppable = thread?.stoppable ?? false;
  useEffect(() => { if (!stoppable) setStopping(false); }, [stoppable]);
  if (!working(thread)) return html`<div class="status-line empty" role="status"></div>`;
  const name = nameOf(state.bot);
  const words = line || (thread.status ? `${name} ${thread.status}` : `${name} is working…`);
  const stop = () => { setStopping(true); act("/stop", { channel, thread_ts: ts }); };
  return html`<div class="status-line" role="status"><${Avatar} user=${state.bot} small /><span class="shimmer">${words}
      </span>
    ${stoppable && html`<button type="button" class="stop" disabled=${stopping} onClick=${stop}>
        <${Icon} name="stop" /> ${stopping ? "Stopping…" : "Stop"}</button>`}
  </div>`;
}
