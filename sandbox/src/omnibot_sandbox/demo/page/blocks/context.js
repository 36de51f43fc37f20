// What every part of a message may need to know, handed down instead of passed through.

import { createContext, useContext } from "../vendor/preact.js";

/**
 * @typedef {object} Ctx What the page gives the renderer; see `Blocks` in index.js.
 * @property {Object<string, {name: string, kind: string, hidden?: boolean}>} names people and channels by id; keep the
 *   same object while nothing changed, since finished paragraphs are drawn again when it is another
 * @property {string} [me] the id of who looks
 * @property {(block: object, element: object) => Promise<string | null>} [asked] told that a dialog opens; what it
 *   returns comes with `act` once the dialog is answered
 * @property {(block: object, element: object, value: object, dialog?: string) => Promise<{ok: boolean, error?: string}>
 *   } act
 * @property {{get: (block_id: string, action_id: string) => object | undefined,
 *   set: (block_id: string, action_id: string, value: object) => void}} [state] what is entered so far
 * @property {Object<string, string>} [errors] what is wrong with an input, by block_id
 * @property {(id: string) => string} [file] where to load a file of Slack's from
 * @property {Set<string>} [busy] action ids that are being pressed
 */

const NOBODY = {
  names: {},
  me: "",
  asked: async () => null,
  act: async () => ({ ok: false, error: "Nobody is listening here." }),
  errors: {},
  file: (id) => id,
  busy: new Set(),
  surface: "message",
};

const Here = createContext(NOBODY);

/** Everything below sees this context. */
export const Provide = Here.Provider;

/** @returns {Ctx & {surface: string}} the context of the nearest `Blocks` */
export const useCtx = () => useContext(Here);

/** @returns {Ctx & {surface: string}} the page's context, complete: what it left out does nothing */
export const complete = (ctx, more = {}) => ({ ...NOBODY, ...ctx, ...more });
