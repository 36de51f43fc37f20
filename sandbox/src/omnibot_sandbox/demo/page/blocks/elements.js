// Which component draws which interactive element.

import { html } from "../vendor/preact.js";
import { Button, FeedbackButtons, IconButton } from "./buttons.js";
import { useCtx } from "./context.js";
import { Placeholder } from "./fallback.js";
import { Choices, Picker, TextInput } from "./fields.js";
import { Picture } from "./images.js";
import { Overflow, Select } from "./selects.js";

const ELEMENTS = {
  button: Button,
  workflow_button: Button,
  feedback_buttons: FeedbackButtons,
  icon_button: IconButton,
  overflow: Overflow,
  image: Picture,
  checkboxes: Choices,
  radio_buttons: Choices,
  datepicker: Picker,
  timepicker: Picker,
  datetimepicker: Picker,
  plain_text_input: TextInput,
  number_input: TextInput,
  email_text_input: TextInput,
  url_text_input: TextInput,
  rich_text_input: TextInput,
};
const SOURCES = ["static", "external", "users", "conversations", "channels"];
for (const source of SOURCES) ELEMENTS[`${source}_select`] = ELEMENTS[`multi_${source}_select`] = Select;

/**
 * One element, unless it is meant for other people.
 * @param {import("./fields.js").FieldProps} props `acts` unless it is an input that keeps its value to itself
 */
export function Element(props) {
  const { element, acts = true } = props;
  const { me } = useCtx();
  const kind = ELEMENTS[element?.type];
  if (!kind) return html`<${Placeholder} reason=${`unknown element ${element?.type}`} sent=${element} />`;
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(me)) return null;
  return html`<${kind} ...${props} acts=${acts} />`;
}
