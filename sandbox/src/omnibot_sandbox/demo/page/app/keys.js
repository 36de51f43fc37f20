// Moving by keyboard: lists with one tab stop, and dialogs the focus does not leave.

import { useLayoutEffect, useRef } from "../vendor/preact.js";

const STOPS = "a[href], :is(button, input, select, textarea):not(:disabled), [tabindex='0']";

// In a list whose items carry [data-stop], arrows move and only one item is a tab stop.
export function roving(event, { horizontal = false } = {}) {
  const [back, on] = horizontal ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const step = { [back]: -1, [on]: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const stops = [...event.currentTarget.querySelectorAll("[data-stop]")];
  const at = stops.findIndex((stop) => stop === document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  const target = stops[Math.max(0, Math.min(stops.length - 1, at + step))];
  for (const stop of stops) stop.tabIndex = stop === target ? 0 : -1;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

const firstOf = (node) => node.querySelector("[data-first]")
  ?? node.querySelector("input:not([type=hidden]), textarea, select, [role=combobox]") ?? node.querySelector(STOPS)
      ?? node;

// What a message offers shows only while the focus is in the message: that first.
function giveBack(before) {
  if (before?.isConnected && before !== document.body) {
    before.closest("[data-stop]")?.focus();
    before.focus();
  } else document.querySelector("#composer")?.focus();
}

// A dialog: takes the focus, keeps it, and gives it back, to the message box where what had it is gone. Escape calls `leave`. When `content` changes, what had the
// focus may be gone.
export function useDialog(leave, content) {
  const box = useRef(null), latest = useRef(leave);
  latest.current = leave;
  // Before the browser does anything else: who types fast has Escape or Tab pressed already.
  useLayoutEffect(() => {
    const before = document.activeElement, node = box.current;
    const onKey = (event) => {
      if (event.defaultPrevented || !(node.contains(event.target) || event.target === document.body)) return;
      if (event.key === "Escape") {
        event.preventDefault();
        latest.current();
      }
      if (event.key !== "Tab") return;
      const stops = [...node.querySelectorAll(STOPS)].filter((stop) => stop.offsetParent !== null);
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (!stops.length || (document.activeElement !== edge && node.contains(document.activeElement))) return;
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0]).focus();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      if (!hadFocus(node)) return; // it has moved on
      giveBack(before);
    };
  }, []);
  useLayoutEffect(() => {
    if (!box.current.contains(document.activeElement)) firstOf(box.current).focus();
  }, [content]);
  return box;
}

// Whether the focus is in here, or nowhere because what had it was taken away with it.
export const hadFocus = (node) => document.activeElement === document.body || node.contains(document.activeElement);

// F6 walks through the regions of the page.
export function walkRegions(event) {
  const regions = [...document.querySelectorAll("[data-region]")].filter((region) => region.offsetParent !== null);
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + (event.shiftKey ? -1 : 1) + regions.length) % regions.length];
  const stop = next?.querySelector("[data-stop][tabindex='0'], textarea") ?? next?.querySelector(STOPS);
  event.preventDefault();
  stop?.focus();
}
