// The exchange: what becomes of orders, what prices do, and where the trading day is.

import { html, useState } from "../../vendor/preact.js";
import { post } from "../live.js";
import { NOTHING, useStore } from "../store.js";

const PLANS = {
  "": "meet the market", fill: "are filled", partial_then_fill: "are filled in two parts",
  partial: "are filled in part, and go on working", slowly: "are filled slowly, in five parts",
  never: "work, and are never filled", pending: "are accepted, and nothing more happens",
  reject: "are rejected at the venue", expire: "expire", cancel: "are canceled at the venue, filled in part",
  too_late_to_cancel: "are filled when one cancels them", cancel_refused: "work, and cannot be canceled",
  replace_refused: "work, and cannot be changed",
};
const CONDITIONS = {
  live: "moves as usual", frozen: "stands still", stale: "is old", null: "is not known: there is no quote",
  one_sided: "has bids, and no offers", halted: "stands, for trading is halted",
};
const PHASES = {
  open: "open", pre_market: "before regular hours", after_hours: "after regular hours", overnight: "overnight session",
  closed: "closed", early_close: "open, closes early today", holiday: "closed for a holiday",
  weekend: "closed for the weekend",
};
const LAGS = [[0, "at once"], [5, "after 5 s"], [20, "after 20 s"]];

const planned = (plan) => PLANS[plan] ?? `are refused: ${plan.replace("refuse:", "")}`;
const put = (form) => post("/backstage/exchange", form);
const all = (symbol) => (symbol === "*" ? "All symbols" : symbol);

function chooser(label, value, options, words, onChoose) {
  return html`<label><span>${label}</span><select value=${value} onChange=${(event) => onChoose(event.target.value)}>
    ${options.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}</select></label>`;
}

// What is not as usual, a line each, with a way back.
function InForce({ exchange }) {
  const lines = [
    ...Object.entries(exchange.plans).map(([symbol, plan]) =>
      [`${all(symbol)}: orders ${planned(plan)}`, { symbol, plan: "" }]),
    ...Object.entries(exchange.conditions).map(([symbol, condition]) =>
      [`${all(symbol)}: the price ${CONDITIONS[condition]}`, { symbol, condition: "live" }]),
  ];
  if (!lines.length) return html`<p class="aside">Orders meet the market, and prices move as usual.</p>`;
  return html`<ul class="rules">${lines.map(([words, back]) => html`<li key=${words} class="rule">
    <div>${words}</div><button type="button" class="plain" aria-label=${`As usual again: ${words}`}
        onClick=${() => put(back)}>As usual again</button></li>`)}</ul>`;
}

export function Exchange() {
  const exchange = useStore((s) => s.backstage?.exchange);
  const [symbol, setSymbol] = useState("*");
  if (!exchange) return html`<p class="aside">…</p>`;
  const { plan, condition, phase, symbol: symbols = NOTHING } = exchange.choices;
  const move = (percent) => html`<button type="button" class="plain" disabled=${symbol === "*"}
      onClick=${() => put({ symbol, move: percent, over: 5 })}>${percent > 0 ? "+" : "−"}${Math.abs(percent)} %</button>`;
  return html`<div class="exchange">
    <h3>Not as usual</h3><${InForce} exchange=${exchange} />
    <h3>Orders and prices</h3>
    <div class="line">${chooser("Symbol", symbol, ["*", ...symbols], all, setSymbol)}</div>
    <div class="line">${chooser("Orders sent from now on", exchange.plans[symbol] ?? "", plan, planned, (value) =>
        put({ symbol, plan: value }))}</div>
    <div class="line">${chooser("The price", exchange.conditions[symbol] ?? "live", condition, (one) =>
        CONDITIONS[one], (value) => put({ symbol, condition: value }))}</div>
    <p class="aside">${symbol === "*" ? "Choose a symbol to move its price." : `Within 5 s ${symbol} moves by`}</p>
    <div class="ready">${[-10, -1, 1, 10].map(move)}</div>
    <h3>The trading day</h3>
    <div class="line">${chooser("The market is", exchange.phase, phase, (one) => PHASES[one], (value) =>
        put({ phase: value }))}</div>
    <h3>Orders can be found</h3>
    <div class="segments" role="radiogroup" aria-label="Orders can be found">${LAGS.map(([seconds, label]) =>
        html`<label key=${seconds}><input type="radio" name="list_lag" checked=${exchange.list_lag === seconds}
            onChange=${() => put({ list_lag: seconds })} /><span>${label}</span></label>`)}</div>
    <p class="aside">An accepted order that is not listed yet looks as if there were none.</p>
  </div>`;
}
