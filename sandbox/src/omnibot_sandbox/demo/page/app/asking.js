// A question of the workspace itself before something that cannot be undone.

import { html } from "../vendor/preact.js";
import { useDialog } from "./keys.js";
import { set, useStore } from "./store.js";

export const ask = (question) => set({ asking: question });

function Question({ title, words, yes, then }) {
  const leave = () => set({ asking: null });
  const box = useDialog(leave);
  return html`<div class="shade" onMouseDown=${(event) => { if (event.target === event.currentTarget) leave(); }}>
    <div class="dialog" role="alertdialog" aria-modal="true" aria-label=${title} ref=${box} tabIndex="-1">
      <h2>${title}</h2><p>${words}</p>
      <div class="dialog-buttons"><button type="button" class="plain" onClick=${leave}>Cancel</button>
        <button type="button" class="danger" data-first onClick=${() => { leave(); then(); }}>${yes}</button></div>
    </div></div>`;
}

export function Asking() {
  const question = useStore((s) => s.asking);
  return question ? html`<${Question} ...${question} />` : null;
}
