// What a select menu offers, whatever it takes its options from.

import { wordsOf } from "./mrkdwn.js";

/**
 * @typedef {object} Choice
 * @property {string} id what makes it itself
 * @property {string} label
 * @property {string} [description]
 * @property {string} [group] the heading it stands under
 * @property {any} value what Slack reports when it is chosen
 */

const choice = (group) => (option) => ({
  id: option.value,
  label: wordsOf(option.text),
  description: wordsOf(option.description) || undefined,
  group,
  value: option,
});

const given = ({ options = [], option_groups: groups = [] }) => [
  ...options.map(choice(undefined)),
  ...groups.flatMap((group) => group.options.map(choice(wordsOf(group.label)))),
];

const named = (kinds) => (_, names) => Object.entries(names)
  .filter(([, it]) => kinds.includes(it.kind) && !it.hidden)
  .map(([id, it]) => ({ id, label: it.kind === "channel" ? `#${it.name}` : it.name, value: id }))
  .sort((a, b) => a.label.localeCompare(b.label));

const SOURCES = {
  static_select: given,
  external_select: given,
  users_select: named(["user", "bot"]),
  conversations_select: named(["channel", "user", "bot"]),
  channels_select: named(["channel"]),
};

/** Whether several may be chosen. */
export const isMulti = (element) => element.type.startsWith("multi_");

/** @returns {Choice[]} what an element offers, in order */
export const choicesOf = (element, names) => SOURCES[element.type.replace("multi_", "")](element, names);

/** The id of something chosen: an option's value, or the id of a person or channel. */
export const idOf = (value) => (typeof value === "string" ? value : value?.value);

/** How something chosen is called, also when it is not on offer. */
export const labelOf = (value, choices) => choices.find((it) => it.id === idOf(value))?.label
  ?? (typeof value === "string" ? value : wordsOf(value?.text));

/** Those whose words hold what is typed. */
export function matching(choices, typed) {
  const wanted = typed.trim().toLowerCase();
  return choices.filter((it) => `${it.label} ${it.description ?? ""}`.toLowerCase().includes(wanted));
}
