// A small Bolt app for JavaScript, as its authors' guide has it: it greets, and tells who pressed its button.
import bolt from "@slack/bolt";

const app = new bolt.App({
  socketMode: true,
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

app.event("app_mention", async ({ event, say }) => {
  await say({
    text: `Hello <@${event.user}>`,
    thread_ts: event.ts,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `Hello <@${event.user}>` } },
      { type: "actions", elements: [{ type: "button", action_id: "wave", text: { type: "plain_text", text: "Wave" } }] },
    ],
  });
});

app.action("wave", async ({ ack, body, client }) => {
  await ack();
  const { channel, message } = body;
  await client.chat.update({ channel: channel.id, ts: message.ts, text: `<@${body.user.id}> waves`, blocks: [] });
});

app.command("/greet", async ({ ack, command }) => {
  await ack(`You said: ${command.text}`);
});

await app.start();
