// The modals of an app: the top of the stack, over everything.

import { html, useEffect, useMemo, useState } from "../vendor/preact.js";
import { Blocks } from "../blocks/index.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";
import { forget, useInputs } from "./inputs.js";
import { useDialog } from "./keys.js";
import { act, fileUrl } from "./live.js";
import { asked, pressed } from "./pressing.js";
import { NOTHING, nameOf, set, state, useStore } from "./store.js";
import { toast } from "./toasts.js";

function Modal({ view, depth }) {
  const names = useStore((s) => s.names);
  const { inputs, values, busy, setBusy, store } = useInputs(view.id, view.blocks ?? NOTHING);
  const [errors, setErrors] = useState({});
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState("");
  // Each closes one view; the × of the corner closes them all, as in Slack.
  const close = async () => {
    forget(view.id);
    await act("/close", { view_id: view.id });
  };
  const box = useDialog(close, view.id);
  const ctx = useMemo(() => ({
    names, me: state.me, busy, errors, file: fileUrl, state: store,
    asked: (block, element) => asked({ at: { view_id: view.id }, block, element }),
    act: (block, element, value, dialog) => pressed({ at: { view_id: view.id }, block, element, value, dialog,
        values: values(), setBusy }),
  }), [names, busy, errors, inputs, view]);
  const submit = async (event) => {
    event.preventDefault();
    if (sending) return;
    setSending(true);
    setErrors({});
    setTrouble("");
    const result = await act("/submit", { view_id: view.id, values: values() });
    setSending(false);
    if (!result.ok) return;
    if (result.reason) toast(`Slack could not follow the app's answer: ${result.reason}`, "error");
    if (result.errors) {
      setErrors(result.errors);
      requestAnimationFrame(() => box.current?.querySelector("[aria-invalid=true]")?.focus());
    } else if (result.notice) setTrouble(result.notice);
    else if (result.closed) forget(view.id);
  };
  const closeAll = () => {
    for (const one of state.modals) forget(one.id);
    act("/close", { view_id: view.id, clear: true });
  };
  useEffect(() => { setTrouble(""); setErrors({}); }, [view.id]);

  return html`<div class="shade">
    <form class="modal" role="dialog" aria-modal="true" aria-labelledby="modal-title" ref=${box} tabIndex="-1"
        data-view=${view.callback_id} onSubmit=${submit} noValidate>
      <header><${Avatar} user=${state.bot} small /><h2 id="modal-title">${view.title?.text ?? nameOf(state.bot)}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick=${closeAll}><${Icon} name="close" /></button>
            </header>
      <div class="modal-body"><${Blocks} key=${view.id} blocks=${view.blocks ?? NOTHING} surface="modal" ctx=${ctx} />
          </div>
      <footer>
        ${trouble && html`<p class="trouble" role="alert"><${Icon} name="warning" /> ${trouble}</p>`}
        <button type="button" class="plain" onClick=${close}>${view.close?.text ?? (depth > 1 ? "Back" : "Close")}
            </button>
        ${view.submit && html`<button type="submit" class="go" disabled=${sending || view.submit_disabled}
            aria-busy=${sending}>
          ${sending ? html`<span class="spinner" aria-hidden="true"></span><span class="visually-hidden">Sending</span>`
              : view.submit.text}</button>`}
      </footer>
    </form></div>`;
}

export function Modals() {
  const modals = useStore((s) => s.modals);
  const open = modals.length > 0;
  useEffect(() => { if (open) set({ switcher: false, menu: false }); }, [open]);
  if (!open) return null;
  const view = modals.at(-1);
  return html`<${Modal} key=${view.root_view_id ?? modals[0].id} view=${view} depth=${modals.length} />`;
}
