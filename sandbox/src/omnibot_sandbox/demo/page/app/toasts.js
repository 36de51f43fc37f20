// Short words at the edge: what went wrong, or was done.

import { html } from "../vendor/preact.js";
import { set, state, useStore } from "./store.js";
import { Icon } from "./icons.js";

const LASTS_MS = 8_000;
let count = 0;

export function toast(words, kind = "note") {
  const id = (count += 1);
  set({ toasts: [...state.toasts.slice(-3), { id, words, kind }] });
  setTimeout(() => dismiss(id), LASTS_MS);
}

const dismiss = (id) => set({ toasts: state.toasts.filter((one) => one.id !== id) });

export function Toasts() {
  const toasts = useStore((s) => s.toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map(({ id, words, kind }) => html`<div key=${id} class=${`toast ${kind}`}>
      <${Icon} name=${kind === "error" ? "warning" : "info"} />
      <p>${words}</p>
      <button type="button" class="quiet" aria-label="Dismiss" onClick=${() => dismiss(id)}><${Icon} name="close" />
          </button>
    </div>`)}
  </div>`;
}
