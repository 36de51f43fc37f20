// A press on something of an app. That the app stays silent is said by the renderer, beside what was pressed.

import { act } from "./live.js";

const SILENCE = "Omni did not respond in time.";

const without = (ids, id) => { const left = new Set(ids); left.delete(id); return left; };

/** A dialog opens: the workspace keeps what is on the screen, for it may change before the dialog is answered. */
export async function asked({ at, block, element }) {
  const result = await act("/dialog", { ...at, block_id: block.block_id, action_id: element.action_id }, { quiet: true });
  return result.ok ? result.dialog : null;
}

export async function pressed({ at, block, element, value, values, setBusy, dialog }) {
  const id = element.action_id;
  setBusy((old) => new Set([...old, id]));
  const press = { ...at, block_id: block.block_id, action_id: id, value: value ?? {}, state: values, dialog: dialog ?? null };
  const result = await act("/press", press, { quiet: true });
  setBusy((old) => without(old, id));
  if (result.ok && result.acked) {
    dispatchEvent(new CustomEvent("demo-pressed"));
    return { ok: true };
  }
  return { ok: false, error: result.ok ? SILENCE : result.error };
}
