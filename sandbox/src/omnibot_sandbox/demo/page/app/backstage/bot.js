// The bot's life and death, its connections, and how the API behind it is.

import { html } from "../../vendor/preact.js";
import { post } from "../live.js";
import { NOTHING, useStore } from "../store.js";

const STATES = { running: "runs", restarting: "is being started again", down: "is down", absent: "is not connected" };
const PACES = [[0.2, "quick"], [1, "as Omni is"], [3, "slow"], [10, "very slow"]];

const act = (action) => post("/backstage/action", { action });
const turn = (name, value) => post("/backstage/switch", { name, value });

const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function said(bot) {
  const process = bot.pid ? `, process ${bot.pid}` : "", again = bot.restarts
      ? `; started again ${counted(bot.restarts, "time")}` : "";
  return `It ${STATES[bot.state]}${process}; ${counted(bot.connections, "connection")} to Slack${again}.`;
}

export function Bot() {
  const bot = useStore((s) => s.backstage?.bot);
  const switches = useStore((s) => s.backstage?.switches) ?? {};
  const revisions = useStore((s) => s.backstage?.revisions) ?? NOTHING;
  const addresses = useStore((s) => s.backstage?.addresses);
  if (!bot) return html`<p class="aside">…</p>`;
  const running = bot.state === "running";
  return html`<div class="bot">
    <h3>The bot</h3>
    <p class="bot-state" data-state=${bot.state}><span class="lamp"></span>${said(bot)}</p>
    ${bot.note && html`<pre class="bot-note" tabIndex="0">${bot.note}</pre>`}
    ${bot.ours ? html`<div class="ready">
      <button type="button" class="danger" disabled=${!running} onClick=${() => act("kill")}>kill -9 the bot</button>
      <button type="button" class="plain" disabled=${!running}
          onClick=${() => act("restart")}>Restart it gently</button>
      ${bot.state === "down" && html`<button type="button" class="go"
          onClick=${() => act("start")}>Start it again</button>`}</div>
      <p class="aside">The demo starts it again. What was asked meanwhile is not lost: that is the thing to see.</p>`
      : html`<p class="aside">This bot is somebody else's process: start and stop it where it runs.</p>`}
    <h3>Connections</h3><div class="ready">
      <button type="button" class="plain" onClick=${() => act("tear-sockets")}>Tear all sockets</button>
      <button type="button" class="plain" onClick=${() =>
          act("refresh-sockets")}>Ask them to reconnect, as Slack does</button></div>
    <h3>Revision of Clear Street's API</h3>
    <div class="segments" role="radiogroup" aria-label="Revision of Clear Street's API">${revisions.map((name) =>
        html`<label key=${name}>
      <input type="radio" name="revision" checked=${switches.revision === name}
          onChange=${() => turn("revision", name)} /><span>${name}</span></label>`)}</div>
    ${bot.ours && html`<p class="aside">The bot is restarted with it: it remembers which revision it met.</p>`}
    <h3>How long Omni takes</h3>
    <div class="segments" role="radiogroup" aria-label="How long Omni takes">${PACES.map(([pace, label]) =>
        html`<label key=${pace}>
      <input type="radio" name="pace" checked=${switches.pace === pace} onChange=${() => turn("pace", pace)} />
          <span>${label}</span></label>`)}</div>
    ${switches.stream_seconds !== null && switches.stream_seconds !== undefined
        && html`<h3>How long Slack lets a stream live</h3>
      <label class="number-line">seconds <input type="number" min="1" max="600" value=${switches.stream_seconds}
        onChange=${(event) => turn("stream_seconds", event.target.valueAsNumber)} /></label>`}
    ${addresses && html`<h3>Addresses</h3><dl class="addresses"><dt>Slack</dt><dd><code>${addresses.slack}</code></dd>
      <dt>Clear Street</dt><dd><code>${addresses["clear-street"]}</code></dd></dl>`}
  </div>`;
}
