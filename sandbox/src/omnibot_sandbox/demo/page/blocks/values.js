// What an element holds: Slack's entries of `state.values`, and what a change of one sends.

import { useCtx } from "./context.js";

const list = (name) => [`initial_${name}`, `selected_${name}`, []];
const one = (name) => [`initial_${name}`, `selected_${name}`, null];
const typed = ["initial_value", "value", null];

// Kind of element: where its first value stands, what the value is called in an entry, and the empty one.
const FIELDS = {
  plain_text_input: typed,
  number_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  rich_text_input: ["initial_value", "rich_text_value", null],
  static_select: one("option"),
  external_select: one("option"),
  users_select: one("user"),
  conversations_select: one("conversation"),
  channels_select: one("channel"),
  multi_static_select: list("options"),
  multi_external_select: list("options"),
  multi_users_select: list("users"),
  multi_conversations_select: list("conversations"),
  multi_channels_select: list("channels"),
  checkboxes: list("options"),
  radio_buttons: one("option"),
  datepicker: one("date"),
  timepicker: one("time"),
  datetimepicker: one("date_time"),
};

/** The entry an element begins with. */
export function initialEntry(element) {
  const [from, to, empty] = FIELDS[element.type];
  return { type: element.type, [to]: element[from] ?? empty };
}

/** Whether an element holds a value at all: buttons and overflow menus do not. */
export const holdsValue = (element) => element?.type in FIELDS;

const elementsOf = (block) => [block.element, block.accessory, ...(block.elements ?? [])].filter(holdsValue);

/**
 * Every value of a view or message as Slack sends it: what was entered, else what it began with.
 * @param {object[]} blocks
 * @param {{get: (block_id: string, action_id: string) => object | undefined}} [state]
 * @returns {Object<string, Object<string, object>>} entries by block_id and action_id
 */
export function stateValues(blocks, state) {
  const values = {};
  for (const block of blocks.flatMap((it) => [it, ...(it.child_blocks ?? [])])) {
    for (const element of elementsOf(block)) {
      const entry = state?.get(block.block_id, element.action_id) ?? initialEntry(element);
      (values[block.block_id] ??= {})[element.action_id] = entry;
    }
  }
  return values;
}

/**
 * The value of an element now, and how to change it.
 * @returns {[any, (value: any) => object, string]} changing remembers the new value, and gives it as an action's extra
 *   fields; the last is the name of that field
 */
export function useValue(block, element) {
  const { state } = useCtx();
  const [, name] = FIELDS[element.type];
  const entry = state?.get(block.block_id, element.action_id) ?? initialEntry(element);
  const change = (value) => {
    state?.set(block.block_id, element.action_id, { ...entry, [name]: value });
    return { [name]: value };
  };
  return [entry[name], change, name];
}
