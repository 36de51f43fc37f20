// The ordinary blocks: sections, headers, context, rows of elements, inputs.

import { html, useId, useState } from "../vendor/preact.js";
import { useCtx } from "./context.js";
import { Element } from "./elements.js";
import { Guard } from "./fallback.js";
import { Icon } from "./icons.js";
import { Picture } from "./images.js";
import { MarkdownText } from "./markdown.js";
import { TextObject, plain } from "./mrkdwn.js";
import { RichTextParts } from "./rich_text.js";

const LONG = 700; // characters of a section that Slack shows at once

/** Words that fold after a while. */
function Folding({ children }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return html`<div id=${id} class=${open ? "" : "bk-folded"}>${children}</div>
    <button type="button" class="bk-more" aria-expanded=${open} aria-controls=${id} onClick=${() => setOpen(!open)}>
      ${open ? "See less" : "See more"}</button>`;
}

/** Words, fields in two columns, and one element beside them. */
export function Section({ block }) {
  const { text, fields, accessory } = block;
  if (!text && !fields) throw new TypeError("it needs text or fields");
  const words = text && html`<${TextObject} object=${text} />`;
  const folds = !block.expand && text?.text?.length > LONG;
  return html`<div class="bk-section"><div class="bk-section-main">
      ${folds ? html`<${Folding}>${words}<//>` : words}
      ${fields && html`<div class="bk-fields">${fields.map((field) => html`<${TextObject} object=${field} />`)}</div>`}</div>
    ${accessory && html`<div class="bk-accessory"><${Guard} block=${accessory}>
      <${Element} element=${accessory} block=${block} size="bk-large" /><//></div>`}</div>`;
}

/** A heading. */
export const Header = ({ block }) => html`<h3 class="bk-heading">${plain(block.text)}</h3>`;

/** A line across. */
export const Divider = () => html`<hr class="bk-divider" />`;

/** Small words and pictures. */
export const Context = ({ block }) => html`<div class="bk-context">${block.elements.map((it) => (it.type === "image"
  ? html`<${Picture} element=${it} size="bk-small" />` : html`<${TextObject} object=${it} />`))}</div>`;

/** A row of elements, each with a guard of its own. */
const row = (kind) => ({ block }) => html`<div class=${kind}>${block.elements.map((element) => html`
  <${Guard} block=${element} key=${element.action_id}><${Element} element=${element} block=${block} /><//>`)}</div>`;

/** Buttons, menus and pickers in a row. */
export const Actions = row("bk-actions");

/** What is done to the message as a whole: rating it, removing it. */
export const ContextActions = row("bk-actions bk-context-actions");

/** A labelled input with its hint, and what was wrong with it. */
export function Input({ block }) {
  const { errors } = useCtx();
  const id = useId();
  const error = errors?.[block.block_id];
  const described = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return html`<div class=${error ? "bk-field bk-wrong" : "bk-field"}>
    <div class="bk-label" id=${`${id}-label`}>${plain(block.label)}
      ${block.optional && html`<span class="bk-soft"> (optional)</span>`}</div>
    <div class="bk-control"><${Element} element=${block.element} block=${block} acts=${block.dispatch_action === true}
      labelled=${`${id}-label`} described=${described} wrong=${Boolean(error)} /></div>
    ${block.hint && html`<div class="bk-hint" id=${`${id}-hint`}>${plain(block.hint)}</div>`}
    ${error && html`<div class="bk-error" id=${`${id}-error`} role="alert"><${Icon} name="warning" size=${16} />${error}</div>`}
  </div>`;
}

/** Markdown, with the people and channels of the page. */
export function MarkdownBlock({ block }) {
  const { names, me } = useCtx();
  return html`<${MarkdownText} text=${block.text} names=${names} me=${me} />`;
}

/** Rich text; large when it is nothing but a few emoji. */
export const RichTextBlock = ({ block }) => html`<${RichTextParts} block=${block} jumbo />`;
