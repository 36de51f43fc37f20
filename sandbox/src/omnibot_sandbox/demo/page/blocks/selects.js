// Select menus: a box to type into that filters a list, for one or for several, by mouse and by keyboard; and the menu
// behind the three dots.

import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { useCtx } from "./context.js";
import { usePress } from "./dialog.js";
import { words } from "./fields.js";
import { Icon } from "./icons.js";
import { safeUrl } from "./inline.js";
import { plain, wordsOf } from "./mrkdwn.js";
import { choicesOf, idOf, isMulti, labelOf, matching } from "./options.js";
import { useValue } from "./values.js";

const GAP = 4;

/** Something that floats below (or above) a control, above everything else; scrolling elsewhere closes it. */
function Float({ anchor, onClose, least = 0, children }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const float = box.current;
    float.showPopover?.();
    const { left, top, bottom, width } = anchor.current.getBoundingClientRect();
    const { height, width: own } = float.getBoundingClientRect();
    const above = bottom + GAP + height > innerHeight && top - GAP - height > 0;
    float.style.minWidth = `${Math.max(width, least)}px`;
    float.style.left = `${Math.max(8, Math.min(left, innerWidth - Math.max(own, width) - 8))}px`;
    float.style.top = `${above ? top - GAP - height : bottom + GAP}px`;
    const elsewhere = (event) => {
      const inside = event.target instanceof Node && (float.contains(event.target)
        || (event.type !== "scroll" && anchor.current?.contains(event.target)));
      if (!inside) onClose();
    };
    document.addEventListener("pointerdown", elsewhere, true);
    document.addEventListener("scroll", elsewhere, true);
    addEventListener("resize", onClose);
    return () => {
      document.removeEventListener("pointerdown", elsewhere, true);
      document.removeEventListener("scroll", elsewhere, true);
      removeEventListener("resize", onClose);
    };
  }, []);
  return html`<div ref=${box} popover="manual" class="bk-float"
    onClick=${(event) => event.stopPropagation()}>${children}</div>`;
}

/** The list itself: groups under their headings, what is chosen ticked. */
function Offers({ id, offers, active, chosen, onChoose, many }) {
  const shown = useRef(null);
  useEffect(() => shown.current?.scrollIntoView({ block: "nearest" }), [active]);
  return html`<ul class="bk-offers" role="listbox" id=${id} aria-multiselectable=${many || undefined}
    aria-label="Options">${offers.map((it, n) => html`
    ${it.group && it.group !== offers[n - 1]?.group && html`<li class="bk-offers-head" role="presentation">${it.group}</li>`}
    <li role="option" id=${`${id}-${n}`} ref=${n === active ? shown : undefined} aria-selected=${chosen.includes(it.id)}
      class=${n === active ? "bk-offer bk-active" : "bk-offer"} onPointerDown=${(event) => event.preventDefault()}
      onClick=${() => onChoose(it)}><span>${it.label}
      ${it.description && html`<span class="bk-soft">${it.description}</span>`}</span>
      ${chosen.includes(it.id) && html`<${Icon} name="check" size=${16} />`}</li>`)}
    ${!offers.length && html`<li class="bk-offers-none" role="presentation">No results</li>`}</ul>`;
}

/** What the keyboard does in a select menu. */
function keys({ open, active, offers, typed, setOpen, setActive, choose, back }) {
  const step = (by) => () => (open ? setActive((active + by + offers.length) % (offers.length || 1)) : setOpen(true));
  const actions = {
    ArrowDown: step(1),
    ArrowUp: step(-1),
    Home: open && (() => setActive(0)),
    End: open && (() => setActive(offers.length - 1)),
    Enter: () => (open ? offers[active] && choose(offers[active]) : setOpen(true)),
    Escape: open && (() => setOpen(false)),
    Backspace: !typed && back,
  };
  return (event) => {
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation(); // a dialog around it must not hear Escape
    action();
  };
}

/** One of several that are chosen; taking it away does not open the menu. */
function Chip({ label, onRemove }) {
  const remove = (event) => {
    event.stopPropagation();
    onRemove();
  };
  return html`<span class="bk-chip">${label}<button type="button" aria-label=${`Remove ${label}`} onClick=${remove}>
    <${Icon} name="close" size=${12} /></button></span>`;
}

/** The menus for one and for several. */
export function Select(props) {
  const { element, block, acts } = props;
  const ctx = useCtx();
  const many = isMulti(element);
  const [value, change, field] = useValue(block, element);
  const { press, pending, shown } = usePress(block);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const [box, input, id] = [useRef(null), useRef(null), useId()];
  useEffect(() => {
    if (element.focus_on_load) input.current?.focus();
  }, []);

  const choices = choicesOf(element, ctx.names);
  const offers = open ? matching(choices, typed) : [];
  const values = (many ? value : [value]).filter(Boolean);
  const chosen = values.map(idOf);

  const close = () => {
    setOpen(false);
    setTyped("");
  };
  const apply = (next) => (acts ? press(element, { [field]: next }, () => change(next)) : change(next));
  const without = (id) => values.filter((it) => idOf(it) !== id);
  const choose = (it) => {
    const full = many && element.max_selected_items && values.length >= element.max_selected_items;
    if (!many) close();
    setTyped("");
    if (many && chosen.includes(it.id)) apply(without(it.id));
    else if (!full) apply(many ? [...values, it.value] : it.value);
  };
  const back = many && values.length > 0 && (() => apply(values.slice(0, -1)));
  const show = (on) => {
    setOpen(on);
    if (!on) setTyped("");
    setActive(Math.max(0, choices.findIndex((it) => !many && it.id === chosen[0])));
  };
  const type = (event) => {
    setTyped(event.target.value);
    setActive(0);
    setOpen(true);
  };
  const label = many || !values.length ? "" : labelOf(values[0], choices);
  return html`<span class=${`bk-select${many ? " bk-many" : ""}${open ? " bk-open" : ""}`} ref=${box}
    onClick=${() => { input.current.focus(); show(true); }}>
    ${many && values.map((it) => html`<${Chip} label=${labelOf(it, choices)} onRemove=${() => apply(without(idOf(it)))} />`)}
    <input ref=${input} class=${values.length ? "bk-select-input" : "bk-select-input bk-unset"} ...${words(props)}
      role="combobox" autocomplete="off" spellcheck=${false} aria-expanded=${open} aria-controls=${id}
      aria-autocomplete="list" aria-busy=${pending || ctx.busy.has(element.action_id)}
      aria-activedescendant=${open && offers.length ? `${id}-${active}` : undefined}
      placeholder=${label || (many && values.length ? "" : wordsOf(element.placeholder) || "Choose an option")}
      value=${open ? typed : label} onInput=${type} onBlur=${close}
      onKeyDown=${keys({ open, active, offers, typed, setOpen: show, setActive, choose, back })} />
    <${Icon} name="chevron-down" size=${16} />
    ${open && html`<${Float} anchor=${box} onClose=${close}><${Offers} id=${id} offers=${offers} active=${active}
      chosen=${chosen} many=${many} onChoose=${choose} /><//>`}</span>${shown}`;
}

/** Three dots with a menu behind them; an option may be a link. */
export function Overflow({ element, block }) {
  const { press, pending, shown } = usePress(block);
  const [open, setOpen] = useState(false);
  const [button, menu, id] = [useRef(null), useRef(null), useId()];
  useEffect(() => {
    if (open) menu.current?.querySelector("button")?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const choose = (option) => {
    close();
    const href = safeUrl(option.url);
    press(element, { selected_option: option }, () => href && window.open(href, "_blank", "noopener,noreferrer"));
  };
  const move = (event) => {
    const items = [...menu.current.querySelectorAll("button")];
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (by) items[(items.indexOf(document.activeElement) + by + items.length) % items.length].focus();
    else close();
  };
  return html`<span><button type="button" ref=${button} class="bk-icon-button bk-outlined" aria-label="More actions"
    aria-haspopup="menu" aria-expanded=${open} aria-controls=${open ? id : undefined} aria-disabled=${pending} data-action=${element.action_id}
    onClick=${() => (open ? close() : !pending && setOpen(true))}><${Icon} name="dots" /></button>
    ${open && html`<${Float} anchor=${button} least=${160} onClose=${() => setOpen(false)}>
      <div class="bk-menu" role="menu" id=${id} ref=${menu} onKeyDown=${move}>${element.options.map((option) => html`
        <button type="button" role="menuitem" tabindex="-1" onClick=${() => choose(option)}><span>${plain(option.text)}
          ${option.description && html`<span class="bk-soft">${plain(option.description)}</span>`}</span></button>`)}
      </div><//>`}</span>${shown}`;
}
