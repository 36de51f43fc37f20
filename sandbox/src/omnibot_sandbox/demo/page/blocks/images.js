// Pictures, and what stands in for a video.

import { html, useId, useState } from "../vendor/preact.js";
import { useCtx } from "./context.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { Link } from "./inline.js";
import { plain, wordsOf } from "./mrkdwn.js";

/**
 * Where to load an image from: a file of Slack's through the page, else its address. What lies elsewhere is not loaded:
 * the page works without a network, and asks nobody for anything.
 * @returns {[string | undefined, string]} an address the page may load from, and why there is none
 */
function useSource({ image_url: url, slack_file: file }) {
  const { file: load } = useCtx();
  const address = file ? load(file.id ?? file.url) : url;
  if (!address || !URL.canParse(address, location.href)) return [undefined, "no address"];
  const { protocol, origin, host } = new URL(address, location.href);
  const here = origin === location.origin || (protocol === "data:" && address.startsWith("data:image/"));
  return [here ? address : undefined, `from ${host || protocol}, not loaded here`];
}

/** An image element: of a section, a context, a card. */
export function Picture({ element, size = "" }) {
  const [failed, setFailed] = useState(false);
  const [source, why] = useSource(element);
  if (failed || !source) return html`<span class=${`bk-broken ${size}`} role="img" aria-label=${element.alt_text}
    title=${`${element.alt_text} (${why})`}><${Icon} name="image" size=${16} /></span>`;
  return html`<img class=${`bk-picture ${size}`} src=${source} alt=${element.alt_text} title=${element.alt_text}
    onError=${() => setFailed(true)} />`;
}

/** An image block; a press on it enlarges it, a press on its title folds it. */
export function Image({ block }) {
  const [open, setOpen] = useState(true);
  const [large, setLarge] = useState(false);
  const [failed, setFailed] = useState(false);
  const [source, why] = useSource(block);
  const shown = source && !failed;
  const title = block.title && plain(block.title);
  const id = useId();
  return html`<figure class="bk-image">
    ${title && html`<figcaption><button type="button" class="bk-fold" aria-expanded=${open}
      aria-controls=${open ? id : undefined} onClick=${() => setOpen(!open)}>
      ${title}<${Icon} name=${open ? "chevron-down" : "chevron-right"} size=${14} /></button></figcaption>`}
    ${open && !shown && html`<div class="bk-broken-image" id=${id}><${Icon} name="image" size=${18} /><span>${block.alt_text}
      <span class="bk-soft"> (${source ? "cannot be loaded" : why})</span></span></div>`}
    ${open && shown && html`<button type="button" class="bk-enlarge" id=${id} aria-label=${`Enlarge: ${block.alt_text}`}
      onClick=${() => setLarge(true)}><img src=${source} alt=${block.alt_text} onError=${() => setFailed(true)} /></button>`}
    ${large && html`<${Dialog} label=${wordsOf(block.title) || block.alt_text} kind="lightbox" onClose=${() => setLarge(false)}>
      <div class="bk-dialog-head"><h2>${title || block.alt_text}</h2><button type="button" class="bk-icon-button"
        aria-label="Close" onClick=${() => setLarge(false)}><${Icon} name="close" /></button></div>
      <img src=${source} alt=${block.alt_text} /><//>`}</figure>`;
}

/** A video's title, picture and words; it leads to the video but does not play it here. */
export function Video({ block }) {
  return html`<div class="bk-video">
    ${block.provider_name && html`<div class="bk-soft">${block.provider_name}</div>`}
    <strong><${Link} url=${block.title_url ?? block.video_url}>${plain(block.title)}<//></strong>
    ${block.author_name && html`<div class="bk-soft">${block.author_name}</div>`}
    ${block.description && html`<div class="bk-text">${plain(block.description)}</div>`}
    <div class="bk-screen"><${Picture} element=${{ image_url: block.thumbnail_url, alt_text: block.alt_text }} />
      <span class="bk-play"><${Icon} name="play" size=${32} filled /></span></div></div>`;
}

/** A file shared from elsewhere. */
export const RemoteFile = ({ block }) => html`<div class="bk-file"><${Icon} name="file" /> ${block.external_id}</div>`;
