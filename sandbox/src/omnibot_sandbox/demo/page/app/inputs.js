// What the inputs of a view hold: kept per view through updates and reloads, and written as Slack's state.values.

import { useMemo, useRef, useState } from "../vendor/preact.js";
import { stateValues } from "../blocks/values.js";

const kept = (id) => JSON.parse(sessionStorage.getItem(`view ${id}`) ?? "{}");

export function useInputs(id, blocks) {
  const [held, setHeld] = useState(() => ({ id, inputs: kept(id) }));
  const [busy, setBusy] = useState(() => new Set());
  const inputs = held.id === id ? held.inputs : kept(id);
  const now = useRef(null);
  now.current = { id, inputs, blocks };
  const store = useMemo(() => ({
    get: (block, action) => now.current.inputs[block]?.[action],
    set: (block, action, value) => {
      const { id: view, inputs: old } = now.current;
      const next = { ...old, [block]: { ...old[block], [action]: value } };
      now.current = { ...now.current, inputs: next };
      sessionStorage.setItem(`view ${view}`, JSON.stringify(next));
      setHeld({ id: view, inputs: next });
    },
  }), []);
  return { inputs, busy, setBusy, store, values: () => stateValues(now.current.blocks, store) };
}

export const forget = (id) => sessionStorage.removeItem(`view ${id}`);
