// What is shown when there is nothing to show: unknown blocks, and blocks that are not what they claim to be.

import { Component, html } from "../vendor/preact.js";
import { Icon } from "./icons.js";

/**
 * A visible, labelled placeholder, with what was sent.
 * @param {{reason: string, sent: object}} props
 */
export const Placeholder = ({ reason, sent }) => html`<div class="bk-placeholder" role="note">
  <div><${Icon} name="warning" size=${16} /><span>Slack would not show this: ${reason}</span></div>
  <details><summary>What was sent</summary><pre class="bk-pre">${JSON.stringify(sent, null, 2)}</pre></details></div>`;

/** Keeps one bad block from taking the page down; a changed block gets another chance. */
export class Guard extends Component {
  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidUpdate(before) {
    if (this.state.error && before.block !== this.props.block) this.setState({ error: null });
  }

  render({ block, children }, { error }) {
    if (!error) return children;
    return html`<${Placeholder} reason=${`${block?.type ?? "a block without type"}: ${error.message}`} sent=${block} />`;
  }
}
