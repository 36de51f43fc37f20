// Elements one types into or ticks: text, numbers, dates, checkboxes, radio buttons.

import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { usePress } from "./dialog.js";
import { TextObject, plain, wordsOf } from "./mrkdwn.js";
import { useValue } from "./values.js";

/**
 * @typedef {object} FieldProps
 * @property {object} element
 * @property {object} block
 * @property {string} [labelled] id of the label beside it
 * @property {string} [described] ids of hint and error
 * @property {boolean} [wrong] whether the last submission refused it
 * @property {boolean} acts whether a change is told to the app at once
 */

/** Attributes that tie a control to the words around it. */
export const words = ({ element, labelled, described, wrong }) => ({
  "aria-labelledby": labelled,
  "aria-label": labelled ? undefined : wordsOf(element.placeholder) || element.type.replaceAll("_", " "),
  "aria-describedby": described,
  "aria-invalid": wrong || undefined,
  "data-action": element.action_id,
});

function useFocus(element) {
  const control = useRef(null);
  useEffect(() => {
    if (element.focus_on_load) control.current?.focus();
  }, []);
  return control;
}

const asRichText = (text) => (text ? { type: "rich_text", elements: text.split("\n\n").map((part) => ({
  type: "rich_text_section", elements: [{ type: "text", text: part }] })) } : null);
const asText = (value) => (value?.elements ?? []).map((part) => part.elements.map((it) => it.text ?? "").join("")).join("\n\n");

const KINDS = {
  plain_text_input: { type: "text" },
  number_input: { type: "text", inputmode: "decimal", placeholder: "0" },
  email_text_input: { type: "email", placeholder: "name@example.com" },
  url_text_input: { type: "url", placeholder: "https://" },
  rich_text_input: {},
};

/** One line or several; Enter, or every character, tells the app where the element says so. */
export function TextInput(props) {
  const { element, block, acts } = props;
  const [value, change] = useValue(block, element);
  const { press, shown } = usePress(block);
  const control = useFocus(element);
  const rich = element.type === "rich_text_input";
  const text = rich ? asText(value) : value ?? "";
  const long = rich || element.multiline;
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const send = (fields) => acts && press(element, fields);
  const input = (event) => {
    const typed = event.target.value;
    const fields = change(rich ? asRichText(typed) : typed || null);
    if (triggers.includes("on_character_entered")) send(fields);
  };
  const enter = (event) => {
    if (event.key !== "Enter" || (long && event.shiftKey) || !acts || !triggers.includes("on_enter_pressed")) return;
    event.preventDefault();
    send(rich ? { rich_text_value: value } : { value });
  };
  const attributes = {
    ...KINDS[element.type], ...words(props), ref: control, class: "bk-input", value: text, onInput: input, onKeyDown: enter,
    minlength: element.min_length, maxlength: element.max_length,
    placeholder: wordsOf(element.placeholder) || KINDS[element.type].placeholder,
  };
  const left = element.max_length && element.max_length - [...text].length;
  const lines = html`<textarea ...${attributes} rows=${element.min_lines ?? 4}></textarea>`;
  return html`${long ? lines : html`<input ...${attributes} />`}
    ${element.max_length && html`<span class="bk-counter" aria-live=${left < 20 ? "polite" : "off"}>${left}
    <span class="bk-hidden"> characters left</span></span>`}${shown}`;
}

/** Checkboxes and radio buttons. */
export function Choices(props) {
  const { element, block, acts, labelled } = props;
  const many = element.type === "checkboxes";
  const [value, change, field] = useValue(block, element);
  const { press, shown } = usePress(block);
  const name = useId();
  const chosen = (many ? value : [value]).filter(Boolean).map((option) => option.value);
  const choose = async (option, event) => {
    const rest = many ? value.filter((it) => it.value !== option.value) : [];
    const next = many ? (event.target.checked ? [...rest, option] : rest) : option;
    event.target.checked = chosen.includes(option.value); // until it is agreed to
    if (!acts) change(next);
    else await press(element, { [field]: next }, () => change(next));
  };
  return html`<div class="bk-choices" role=${many ? "group" : "radiogroup"} ...${words(props)}>
    ${element.options.map((option) => html`<label class="bk-choice">
      <input type=${many ? "checkbox" : "radio"} name=${name} value=${option.value}
        checked=${chosen.includes(option.value)} onChange=${(event) => choose(option, event)} />
      <span><${TextObject} object=${option.text} />
        ${option.description && html`<span class="bk-soft">${plain(option.description)}</span>`}</span></label>`)}
  </div>${shown}`;
}

const two = (number) => String(number).padStart(2, "0");
const localTime = (seconds) => {
  if (!seconds) return "";
  const at = new Date(seconds * 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
};
// While a year is typed, the browser reports the years 2, 20 and 202.
const wholeYear = (text) => (text && text < "1000" ? undefined : text || null);
const PICKERS = {
  datepicker: { type: "date", show: (value) => value ?? "", read: wholeYear },
  timepicker: { type: "time", show: (value) => value ?? "", read: (text) => text || null },
  datetimepicker: {
    type: "datetime-local",
    show: localTime,
    read: (text) => wholeYear(text) && Math.floor(new Date(text).getTime() / 1000),
  },
};

/** Dates and times, picked with the browser's own pickers. */
export function Picker(props) {
  const { element, block, acts } = props;
  const { type, show, read } = PICKERS[element.type];
  const [value, change, field] = useValue(block, element);
  const { press, shown } = usePress(block);
  const control = useFocus(element);
  const [draft, setDraft] = useState(null); // what the browser's picker holds until it is a whole moment
  const pick = (event) => {
    const next = read(event.target.value);
    if (next === undefined) return;
    setDraft(null);
    if (!acts) change(next);
    else press(element, { [field]: next }, () => change(next));
  };
  return html`<span class="bk-picker"><input type=${type} class="bk-input" ref=${control} value=${draft ?? show(value)}
    onInput=${(event) => setDraft(event.target.value)} onChange=${pick} ...${words(props)} />
    ${element.timezone && html`<span class="bk-soft">${element.timezone.replaceAll("_", " ")}</span>`}</span>${shown}`;
}
