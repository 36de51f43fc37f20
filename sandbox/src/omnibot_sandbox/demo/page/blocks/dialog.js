// Dialogs of the renderer's own: "Are you sure?", and a picture at full size. The browser's <dialog> keeps the focus
// inside, gives it back, and closes on Escape.

import { createPortal, html, render, useEffect, useRef, useState } from "../vendor/preact.js";
import { useCtx } from "./context.js";
import { Icon } from "./icons.js";
import { TextObject, plain } from "./mrkdwn.js";

/**
 * A modal dialog above everything.
 * @param {{label: string, kind: string, onClose: () => void, children: object}} props
 */
export function Dialog({ label, kind, onClose, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    const opened = dialog.current;
    const before = document.activeElement;
    opened.showModal();
    return () => {
      opened.close();
      before?.focus?.();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const outside = (event) => event.target === dialog.current && onClose();
  return createPortal(html`<dialog ref=${dialog} class=${`bk-dialog bk-${kind}`} aria-label=${label} onCancel=${cancel}
    onClick=${outside} onKeyDown=${(event) => event.stopPropagation()}>${children}</dialog>`, document.body);
}

/** What Slack asks before an element with `confirm` does anything. */
function ConfirmDialog({ confirm, onAnswer }) {
  const [yes, no] = [() => onAnswer(true), () => onAnswer(false)];
  return html`<${Dialog} label=${confirm.title.text} kind="confirm" onClose=${no}>
    <div class="bk-dialog-head"><h2>${plain(confirm.title)}</h2>
      <button type="button" class="bk-icon-button" aria-label="Close" onClick=${no}><${Icon} name="close" /></button></div>
    <div class="bk-dialog-body"><${TextObject} object=${confirm.text} /></div>
    <div class="bk-dialog-foot">
      <button type="button" class="bk-button bk-medium" onClick=${no} autofocus>${plain(confirm.deny)}</button>
      <button type="button" class=${`bk-button bk-medium ${confirm.style === "danger" ? "bk-danger" : "bk-primary"}`}
        onClick=${yes}>${plain(confirm.confirm)}</button>
    </div><//>`;
}

/**
 * Asks before acting. The dialog stays open although the element that it is about is updated or goes away meanwhile.
 * @returns {Promise<boolean>}
 */
function ask(confirm) {
  return new Promise((resolve) => {
    const root = document.createElement("div");
    const answer = (yes) => {
      render(null, root);
      resolve(yes);
    };
    render(html`<${ConfirmDialog} confirm=${confirm} onAnswer=${answer} />`, root);
  });
}

const FAILED = "This app is not responding. Please try again.";

/**
 * Everything a press or a selection goes through: the question first, then the page, then what went wrong.
 * @returns {{press: (element: object, value: object, before?: () => void) => Promise<boolean>, pending: boolean,
 *   shown: object}} `before` runs once the person agreed; `shown` belongs beside the element
 */
export function usePress(block) {
  const ctx = useCtx();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState("");
  const press = async (element, value, before) => {
    let dialog = null;
    if (element.confirm) {
      dialog = ctx.asked(block, element);
      if (!(await ask(element.confirm))) return false;
    }
    before?.();
    setPending(true);
    setError("");
    try {
      const result = await ctx.act(block, element, value, await dialog);
      if (result?.ok === false) setError(result.error || FAILED);
    } catch {
      setError(FAILED);
    } finally {
      setPending(false);
    }
    return true;
  };
  const shown = html`${error && html`<span class="bk-failed" role="alert"><${Icon} name="warning" size=${16} />
    ${error}</span>`}`;
  return { press, pending, shown };
}
