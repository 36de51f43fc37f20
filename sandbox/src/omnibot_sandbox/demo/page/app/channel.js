// The channel one looks at: its head, its messages, its message box.

import { html, useCallback, useEffect, useMemo } from "../vendor/preact.js";
import { Avatar } from "./avatar.js";
import { Blocks } from "../blocks/index.js";
import { Composer, send } from "./composer.js";
import { Icon } from "./icons.js";
import { act, fileUrl } from "./live.js";
import { Log } from "./log.js";
import { HOME, open } from "./place.js";
import { asked, pressed } from "./pressing.js";
import { useDivider } from "./thread.js";
import { EMPTY_ROOM, NOTHING, dm, nameOf, state, threadKey, titleOf, useStore } from "./store.js";
import { useInputs } from "./inputs.js";

export function ChannelName({ channel }) {
  if (channel.kind === "im") return html`<${Avatar} user=${state.bot} small /> ${channel.name}`;
  if (channel.kind === "dm") return html`<${Avatar} user=${channel.with} small /> ${channel.name}`;
  return html`<span class="prefix" aria-hidden="true"><${Icon} name=${channel.kind === "private" ? "lock" : "hash"} />
      </span>${channel.name}
    ${channel.is_ext_shared && html`<span class="shared-mark" role="img"
        aria-label=${`, shared with ${channel.company}`} title=${`Shared with ${channel.company}`}>
        <${Icon} name="shared" /></span>`}`;
}

function Members({ channel }) {
  const names = channel.members.map(nameOf).join(", "), count = channel.members.length;
  return html`<span class="members" role="img" aria-label=${`${count} members: ${names}`} title=${names}>
    <span class="faces" aria-hidden="true">${channel.members.slice(0,
        3).map((user) => html`<${Avatar} key=${user} user=${user} small />`)}</span>
    <span>${count}</span></span>`;
}

function AppTabs({ tab }) {
  const home = useStore((s) => s.homeTab);
  const tabs = [["messages", "Messages"], ...(home ? [[HOME, "Home"]] : [])];
  const go = (name) => open(name === HOME ? HOME : dm().id);
  return html`<nav class="app-tabs" aria-label="Tabs of the app">${tabs.map(([name, label]) => html`
    <button key=${name} type="button" aria-current=${tab === name ? "page" : undefined}
        onClick=${() => go(name)}>${label}</button>`)}</nav>`;
}

function Beginning({ channel }) {
  const empty = channel.kind === "im"
    ? html`<h3>This is between you and Omni</h3>
        <p>Ask anything: no mention needed. Each question is a thread of its own.</p>`
    : channel.kind === "dm" ? html`<h3><${ChannelName} channel=${channel} /></h3>
        <p>This is between you and ${channel.name}. No app reads along.</p>`
    : html`<h3><${ChannelName} channel=${channel} /></h3><p>${channel.topic || "This is the beginning of the channel."}
        </p>`;
  return html`<div class="beginning">${empty}</div>`;
}

// Suggested prompts stand above the box of the app's Messages tab; a press asks.
function Prompts({ channel }) {
  const set = useStore((s) => s.threads[threadKey(channel, "")]?.prompts);
  const own = useStore((s) => s.prompts);
  const prompts = set?.prompts ?? own;
  if (!prompts.length) return null;
  return html`<div class="prompts" role="group" aria-label="Suggested questions">
    ${prompts.slice(0, 4).map((one) => html`<button key=${one.title} type="button"
        onClick=${() => send(channel, null, one.message)}>${one.title}</button>`)}</div>`;
}

export function Channel({ channel }) {
  const here = useStore((s) => s.rooms[channel.id]) ?? EMPTY_ROOM;
  const thread = useStore((s) => s.place.thread);
  const all = useStore((s) => s.refusals);
  const refusals = useMemo(() => all.filter((one) => one.channel === channel.id && !one.thread_ts), [all, channel.id]);
  const divider = useDivider(channel.id);
  const onEnd = useCallback(() => {
    const newest = here.roots.findLast((message) => !message.only_you);
    const read = state.channels.find((one) => one.id === channel.id)?.last_read ?? "0";
    if (newest && Number(newest.ts) > Number(read)) act("/read", { channel: channel.id, ts: newest.ts },
        { quiet: true });
  }, [channel.id, here.roots]);
  const app = channel.kind === "im";
  useEffect(() => { if (app) act("/home", { tab: "messages" }, { quiet: true }); }, [channel.id]);
  const name = titleOf(channel);

  return html`<main class="channel" id="main" aria-label=${name} data-region="channel">
    <header class="pane-head"><div><h1><${ChannelName} channel=${channel} />${app
        && html`<span class="badge">APP</span>`}</h1>
      ${channel.topic && html`<p class="topic">${channel.topic}</p>`}
          </div>${!app && channel.kind !== "dm" && html`<${Members} channel=${channel} />`}</header>
    ${app && html`<${AppTabs} tab="messages" />`}
    ${channel.is_ext_shared && html`<p class="shared-note">
        <${Icon} name="shared" /> ${channel.company} is in this channel too.</p>`}
    <${Log} id=${`${state.user}/${channel.id}`} messages=${here.roots} replies=${here.replies} fresh=${channel.threads}
        open=${thread}
      refusals=${refusals} divider=${divider} label=${`Messages in ${name}`} onEnd=${onEnd}
          before=${html`<${Beginning} channel=${channel} />`} />
    ${app && html`<${Prompts} channel=${channel.id} />`}
    <${Composer} key=${`${state.user}/${channel.id}`} channel=${channel.id} region="composer"
        label=${`Message to ${name}`}
      placeholder=${app ? "Ask Omni anything" : `Message ${name}`} />
  </main>`;
}

export function AppHome() {
  const home = useStore((s) => s.home);
  const names = useStore((s) => s.names);
  const { inputs, values, busy, setBusy, store } = useInputs(home?.id, home?.blocks ?? NOTHING);
  useEffect(() => { act("/home", { tab: "home" }, { quiet: true }); }, []);
  const ctx = useMemo(() => ({
    names, me: state.me, busy, errors: {}, file: fileUrl, state: store,
    asked: (block, element) => asked({ at: { view_id: home.id }, block, element }),
    act: (block, element, value, dialog) => pressed({ at: { view_id: home.id }, block, element, value, dialog,
        values: values(), setBusy }),
  }), [names, busy, inputs, home]);
  const channel = dm();
  return html`<main class="channel" id="main" aria-label="Omni's Home" data-region="channel">
    <header class="pane-head"><div><h1><${ChannelName} channel=${channel} /><span class="badge">APP</span></h1></div>
        </header>
    <${AppTabs} tab=${HOME} />
    <div class="home">${home ? html`<${Blocks} blocks=${home.blocks} surface="home" ctx=${ctx} />`
      : html`<div class="nothing"><h3>Nothing here yet</h3><p>This app has not published a Home for you.</p>
        <button type="button" class="plain" onClick=${() => open(channel.id)}>Go to Messages</button></div>`}</div>
  </main>`;
}
