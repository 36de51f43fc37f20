// Buttons: ordinary ones, the two of a rating, and icons.

import { html, useState } from "../vendor/preact.js";
import { useCtx } from "./context.js";
import { usePress } from "./dialog.js";
import { Icon, Spinner } from "./icons.js";
import { safeUrl } from "./inline.js";
import { plain, wordsOf } from "./mrkdwn.js";

const STYLES = { primary: "bk-primary", danger: "bk-danger" };

/** A button; with `url` also a link, which opens beside telling the app. */
export function Button({ element, block }) {
  const ctx = useCtx();
  const { press, pending, shown } = usePress(block);
  const busy = pending || ctx.busy.has(element.action_id);
  const href = safeUrl(element.url);
  const act = () => !busy && press(element, {}, () => {
    if (href && element.confirm) window.open(href, "_blank", "noopener,noreferrer");
  });
  const onLink = (event) => {
    if (element.confirm) event.preventDefault();
    act();
  };
  const props = {
    class: `bk-button ${STYLES[element.style] ?? ""}`,
    "aria-label": element.accessibility_label,
    "data-action": element.action_id,
  };
  const inner = html`<span class=${busy ? "bk-busy" : ""}>${plain(element.text)}</span>
    ${busy && html`<span class="bk-over"><${Spinner} /></span>`}`;
  const link = href && html`<a ...${props} href=${href} target="_blank" rel="noopener noreferrer"
    onClick=${onLink}>${inner}</a>`;
  return html`${link || html`<button ...${props} type="button" aria-disabled=${busy} aria-busy=${busy} onClick=${act}>${inner}
    </button>`}${shown}`;
}

/** Thumbs up, thumbs down; the one that was pressed stays pressed. */
export function FeedbackButtons({ element, block }) {
  const [chosen, setChosen] = useState("");
  const { press, pending, shown } = usePress(block);
  const thumb = (side, icon) => {
    const button = element[side];
    const words = wordsOf(button.text);
    const rate = () => !pending && press(element, { value: button.value, text: button.text }, () => setChosen(side));
    return html`<button type="button" class="bk-icon-button bk-outlined" aria-pressed=${chosen === side} title=${words}
      aria-label=${button.accessibility_label ?? words} data-action=${element.action_id} aria-disabled=${pending} onClick=${rate}>
      <${Icon} name=${icon} size=${18} filled=${chosen === side} /><span class="bk-hidden">${words}</span></button>`;
  };
  return html`<span class="bk-feedback" role="group" aria-label="Rate this answer">
    ${thumb("positive_button", "thumbs-up")}${thumb("negative_button", "thumbs-down")}</span>${shown}`;
}

/** A button that is a picture, its words a tooltip. */
export function IconButton({ element, block }) {
  const { press, pending, shown } = usePress(block);
  const words = wordsOf(element.text);
  return html`<button type="button" class="bk-icon-button bk-outlined" title=${words} aria-disabled=${pending}
    aria-label=${element.accessibility_label ?? words} data-action=${element.action_id}
    onClick=${() => !pending && press(element, {})}>
    <${Icon} name=${element.icon === "trash" ? "trash" : "circle"} size=${18} />
    <span class="bk-hidden">${words}</span></button>${shown}`;
}
