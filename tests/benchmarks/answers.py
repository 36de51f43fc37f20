"""How long after Omni's last word Slack shows the whole answer, and what that costs in polls.

Run it with `make bench`. The bot is the real process; both emulators run in this one. Prints figures, asserts none.
"""

import asyncio
import os
import statistics
import tempfile
from pathlib import Path

from omnibot.emulator.clearstreet.server import ClearStreetEmulator
from omnibot.emulator.slack import SlackEmulator
from tests.journeys.conftest import FINISHED, Bot, House

#: Seconds of Omni's answers, one conversation each, all at the same time.
DURATIONS = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 10.0, 10.0, 12.0, 15.0] * 3


def share(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


async def measure(house: House) -> None:
    asked: dict[str, tuple[float, str]] = {}
    for number, seconds in enumerate(DURATIONS):
        text = f"Answer number {number}. " + "It goes on and on. " * 60
        parts = [{"type": "text", "text": text}]
        growing = {"from": 0.3 * seconds, "to": seconds, "steps": 10}
        house.omni.add_script(
            {
                "name": f"bench {number}",
                "pattern": f"bench {number}$",
                "snapshots": [growing],
                "final": {"at": seconds, "status": "succeeded", "parts": parts},
            }
        )
        ts = await house.slack.say("ana", "trading", f"@Omni bench {number}")
        asked[f"bench {number}"] = (seconds, ts)
        await asyncio.sleep(0.1)
    lags: list[float] = []
    polls: list[int] = []
    for question, (seconds, ts) in asked.items():
        await house.answered("trading", ts, timeout=60)
        create = next(
            c for c in house.omni.calls if c.name == "POST /v1/omni-ai/threads" and c.args.get("text") == question
        )
        final = house.replies("trading", ts)[-1]
        assert FINISHED in house.slack.visible_text(final)
        shown = float((final.edited or {}).get("ts") or final.ts)
        lags.append(shown - (create.at + seconds))
        response_id = create.answer["data"]["response_id"]
        if seconds == 10:
            polls.append(sum(c.args.get("response_id") == response_id for c in house.omni.calls))
    print(f"terminal to final text, {len(lags)} answers of {min(DURATIONS):.0f}-{max(DURATIONS):.0f} s at once:")
    print(f"  p50 {share(lags, 50):.2f} s   p95 {share(lags, 95):.2f} s   max {max(lags):.2f} s")
    print(f"polls of an answer of 10 s: {min(polls)}-{max(polls)}")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with SlackEmulator() as slack:
            omni = ClearStreetEmulator(pace=1.0)
            await omni.start()
            environment = {
                **os.environ,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "CLEAR_STREET_API_KEY": "demo-key",
                "CLEAR_STREET_BASE_URL": omni.base_url,
                "PORT": "0",
                "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            }
            house = House(slack, omni, Bot(environment, Path(folder) / "bot.log"))
            try:
                await house.bot.upgrade()
                await house.start()
                await measure(house)
            finally:
                await house.bot.terminate()
                await omni.close()


if __name__ == "__main__":
    asyncio.run(main())
