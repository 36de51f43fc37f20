// Frames around other content: cards, carousels of cards, containers of blocks, alerts.

import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { DRAWINGS } from "./drawings.js";
import { Element } from "./elements.js";
import { Guard } from "./fallback.js";
import { Icon } from "./icons.js";
import { Picture } from "./images.js";
import { TextObject, plain } from "./mrkdwn.js";
import { RichTextParts } from "./rich_text.js";

/** One of Slack's own drawings. */
function Drawn({ name }) {
  if (!Object.hasOwn(DRAWINGS, name)) throw new TypeError(`unknown slack_icon ${name}`);
  return html`<${Icon} name=${name} filled=${name === "star-filled" || name.startsWith("caret")} />`;
}

/** A card; one that lacks all it could hold is no card. */
export function Card({ block }) {
  const { hero_image: hero, icon, slack_icon: drawn, title, subtitle, body, subtext, actions } = block;
  if (!hero && !title && !body && !actions) throw new TypeError("it needs a hero_image, title, body or actions");
  return html`<article class="bk-card">
    ${hero && html`<${Picture} element=${hero} size="bk-hero" />`}
    <div class="bk-card-main">
      ${(icon || drawn || title || subtitle) && html`<div class="bk-card-head">
        ${icon && html`<${Picture} element=${icon} size="bk-small" />`}${drawn && html`<${Drawn} name=${drawn.name} />`}
        <div>${title && html`<div class="bk-card-title"><${TextObject} object=${title} /></div>`}
          ${subtitle && html`<div class="bk-soft"><${TextObject} object=${subtitle} /></div>`}</div></div>`}
      ${body && html`<${TextObject} object=${body} />`}
      ${subtext && html`<div class="bk-soft"><${TextObject} object=${subtext} /></div>`}
      ${actions && html`<div class="bk-actions">${actions.map((element) => html`<${Guard} block=${element}>
        <${Element} element=${element} block=${block} /><//>`)}</div>`}</div></article>`;
}

/** Cards side by side, which scroll. */
export function Carousel({ block }) {
  const track = useRef(null);
  const [ends, setEnds] = useState({ left: true, right: true });
  const look = () => {
    if (!track.current) return; // a last word of a frame that is gone
    const { scrollLeft, scrollWidth, clientWidth } = track.current;
    setEnds({ left: scrollLeft < 4, right: scrollLeft + clientWidth > scrollWidth - 4 });
  };
  useEffect(look, [block]);
  const move = (by) => track.current.scrollBy({ left: by * track.current.clientWidth * 0.8 });
  const arrow = (by, icon, label, end) => !end && html`<button type="button" class=${`bk-icon-button bk-arrow bk-arrow-${icon}`}
    aria-label=${label} onClick=${() => move(by)}><${Icon} name=${icon} /></button>`;
  return html`<div class="bk-carousel" role="group" aria-roledescription="carousel" aria-label="Cards">
    <div class="bk-track" ref=${track} onScroll=${look} tabindex="0" role="region" aria-label="Cards, which scroll">
      ${block.elements.map((card) => html`<${Guard} block=${card}><${Card} block=${card} /><//>`)}</div>
    ${arrow(-1, "chevron-left", "Previous cards", ends.left)}${arrow(1, "chevron-right", "Next cards", ends.right)}</div>`;
}

/** A titled frame around other blocks, which may fold. */
export function Container({ block, draw }) {
  const { title, rich_text_title: rich, subtitle, icon, child_blocks: children, is_collapsible: folds, width } = block;
  const [open, setOpen] = useState(!(folds && block.default_collapsed));
  const id = useId();
  const head = html`${icon && html`<${Picture} element=${icon} size="bk-small" />`}<span class="bk-container-words">
    <strong>${rich ? html`<${RichTextParts} block=${rich} />` : plain(title)}</strong>
    ${subtitle && html`<span class="bk-soft"><${TextObject} object=${subtitle} /></span>`}</span>`;
  const divided = block.has_header_divider && !folds ? " bk-divided" : "";
  return html`<section class=${`bk-container bk-width-${width ?? "standard"}${divided}`}>
    ${folds ? html`<button type="button" class="bk-container-head" aria-expanded=${open} aria-controls=${id}
      onClick=${() => setOpen(!open)}>${head}<${Icon} name=${open ? "chevron-down" : "chevron-right"} size=${18} /></button>`
      : html`<div class="bk-container-head">${head}</div>`}
    <div id=${id} class="bk-container-main" hidden=${!open}>${children.map((child) => draw(child))}</div></section>`;
}

const LEVELS = { default: "info", info: "info", warning: "warning", error: "cross-circle", success: "check-circle" };

/** A notice, announced when it comes. */
export function Alert({ block }) {
  const level = block.level ?? "default";
  if (!LEVELS[level]) throw new TypeError(`unknown level ${level}`);
  return html`<div class=${`bk-alert bk-alert-${level}`} role=${level === "error" ? "alert" : "status"}>
    <${Icon} name=${LEVELS[level]} size=${18} /><${TextObject} object=${block.text} /></div>`;
}
