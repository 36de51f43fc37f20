// The renderer: Block Kit as Slack shows it.

import { html, useMemo, useRef, useState } from "../vendor/preact.js";
import { DataVisualization } from "./charts.js";
import { Alert, Card, Carousel, Container } from "./containers.js";
import { Provide, complete } from "./context.js";
import { Guard, Placeholder } from "./fallback.js";
import { Image, RemoteFile, Video } from "./images.js";
import { Actions, Context, ContextActions, Divider, Header, Input, MarkdownBlock, RichTextBlock, Section } from "./layout.js";
import { DataTable, Table } from "./tables.js";
import { Plan, TaskCard } from "./tasks.js";

export { Emoji, withEmoji } from "./emoji.js";
export { Icon, Spinner } from "./icons.js";
export { Markdown } from "./markdown.js";
export { Mrkdwn } from "./mrkdwn.js";
export { RichText } from "./rich_text.js";
export { stateValues } from "./values.js";

const BLOCKS = {
  actions: Actions,
  alert: Alert,
  card: Card,
  carousel: Carousel,
  container: Container,
  context: Context,
  context_actions: ContextActions,
  data_table: DataTable,
  data_visualization: DataVisualization,
  divider: Divider,
  file: RemoteFile,
  header: Header,
  image: Image,
  input: Input,
  markdown: MarkdownBlock,
  plan: Plan,
  rich_text: RichTextBlock,
  section: Section,
  table: Table,
  task_card: TaskCard,
  video: Video,
};

function Block({ block }) {
  const kind = Object.hasOwn(BLOCKS, block?.type ?? "") && BLOCKS[block.type];
  if (!kind) return html`<${Placeholder} reason=${`unknown block ${block?.type ?? "without type"}`} sent=${block} />`;
  return html`<${kind} block=${block} draw=${draw} />`;
}

const draw = (block, n) => html`<${Guard} key=${block?.block_id ?? n} block=${block}>
  <div class="bk-block" data-block=${block?.block_id} data-type=${block?.type}><${Block} block=${block} /></div><//>`;

/** Remembers what is entered where the page does not. */
function useOwnState() {
  const [, again] = useState(0);
  const entries = useRef(new Map());
  return useMemo(() => ({
    get: (block, action) => entries.current.get(`${block}\n${action}`),
    set: (block, action, value) => {
      entries.current.set(`${block}\n${action}`, value);
      again((n) => n + 1);
    },
  }), []);
}

/**
 * The blocks of a message, a modal or a Home tab.
 * @param {{blocks: object[], surface: "message" | "modal" | "home", ctx: import("./context.js").Ctx}} props
 */
export function Blocks({ blocks, surface = "message", ctx }) {
  const own = useOwnState();
  const value = complete(ctx, { surface, state: ctx?.state ?? own });
  return html`<${Provide} value=${value}><div class=${`bk-blocks bk-${surface}`}>${blocks.map(draw)}</div><//>`;
}
