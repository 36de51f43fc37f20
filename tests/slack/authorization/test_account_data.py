"""A reply writes account data only where it may be read at that moment, and loses or repeats nothing on the way."""

import asyncio
from dataclasses import replace

import pytest

from omnibot.policy.model import Policy
from omnibot.slack.authorization.account_data import GUEST_ELSEWHERE, WITHHELD, AccountDataPlaces
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.slack.delivery.files import Pictures
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.rate_limits import WriteBudget
from omnibot.slack.delivery.replies import SlackReply
from omnibot.slack.listeners.messages import READERS_CHANGED, _notice
from omnibot.turns.model import OfferedButton, Outcome, ResponseSnapshot, Turn, TurnAnswer
from tests.slack.conftest import Desktop, always_ours

#: An answer of several pages; each says which holding it is about.
HOLDINGS = [f"Holding {number}: 7,731 MRMT." for number in range(900)]
LONG = TurnAnswer(Outcome.SUCCEEDED, [{"type": "text", "text": "\n\n".join(HOLDINGS)}])
SHORT = TurnAnswer(Outcome.SUCCEEDED, [{"type": "text", "text": HOLDINGS[0]}])
OF_NOBODY = replace(SHORT, about_account=False)


class Judged:
    """A reply writer that knows who reads what, as a process has it."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self.access = Authorization(desktop.client, Users(desktop.client), Policy, team=desktop.slack.team_id)
        self.reply = self.successor()

    def successor(self) -> SlackReply:
        """What another process would have."""
        desktop = self.desktop
        posts = Messages(desktop.client, desktop.database, assure=always_ours)
        pictures = Pictures(desktop.client, desktop.database, desktop.charts)
        return SlackReply(desktop.client, posts, WriteBudget(), pictures, places=AccountDataPlaces(self.access))

    async def guest_joins(self) -> None:
        await self.desktop.slack.join("cleo", "trading")
        self.access.forget_channel(self.desktop.slack.workspace.channel("trading").id)

    async def deliver(self, turn: Turn, answer: TurnAnswer) -> None:
        for _ in range(20):
            wait = await self.reply.finish(turn, answer, [])
            if wait is None:
                return
            await asyncio.sleep(min(wait, 0.5))
        raise AssertionError("never delivered")

    def in_dm(self) -> str:
        slack = self.desktop.slack
        return "\n".join(slack.visible_text(m) for m in slack.history(slack.dm("ana")) if m.user == slack.bot_user_id)

    def all_once(self) -> bool:
        """Whether each holding stands in the direct messages once."""
        text = self.in_dm()
        return all(text.count(holding) == 1 for holding in HOLDINGS)


@pytest.fixture
def judged(desktop: Desktop) -> Judged:
    return Judged(desktop)


async def test_an_answer_of_which_a_page_stands_already_when_a_guest_joins_moves_as_a_whole(
    desktop: Desktop, judged: Judged
):
    turn = await desktop.turn()
    second = desktop.slack.gate.hold("chat.postMessage", "after")
    delivering = asyncio.create_task(judged.deliver(turn, LONG))
    await second.reached()
    await judged.guest_joins()
    second.release()
    await delivering
    assert desktop.text(turn) == GUEST_ELSEWHERE
    assert judged.all_once()


@pytest.mark.parametrize(
    ("method", "lost"),
    [("chat.*", GUEST_ELSEWHERE), ("chat.postMessage", HOLDINGS[0]), ("chat.postMessage", HOLDINGS[-1])],
    ids=["line", "first", "last"],
)
async def test_an_answer_that_moved_stays_there_when_the_guest_is_gone_before_each_page_stands(
    desktop: Desktop, judged: Judged, method: str, lost: str
):
    turn = await desktop.turn()
    judged.reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))
    await judged.guest_joins()
    # The line that stays, or a page, is not taken, and the process ends.
    busy = {"Retry-After": "1"}
    refused = desktop.slack.gate.refuse(method, status=429, headers=busy, matches=lambda call: lost in str(call.args))
    assert await judged.reply.finish(turn, LONG, []) is not None
    assert len(refused.calls) == 1
    await desktop.slack.leave("cleo", "trading")
    judged.access.forget_channel(turn.channel)
    judged.reply = judged.successor()
    await judged.deliver(turn, LONG)
    assert judged.all_once()
    assert "Holding" not in desktop.text(turn)


async def test_while_slack_does_not_say_who_reads_along_nothing_is_written_and_then_all_of_it(
    desktop: Desktop, judged: Judged
):
    turn = await desktop.turn()
    desktop.slack.gate.refuse("conversations.members", status=503)
    assert await judged.reply.finish(turn, SHORT, []) is not None
    assert desktop.shown(turn) == []
    assert judged.in_dm() == ""
    await judged.deliver(turn, SHORT)
    assert HOLDINGS[0] in desktop.text(turn)


async def test_what_grows_is_taken_back_with_every_message_it_had_and_goes_no_further(desktop: Desktop, judged: Judged):
    turn = await desktop.turn()
    judged.reply.progress(turn, ResponseSnapshot("running", "\n\n".join(HOLDINGS), ("Looking at 7,731 MRMT",)))
    await desktop.slack.wait_for(lambda: len(desktop.shown(turn)) > 1)
    await judged.guest_joins()
    judged.reply.progress(
        turn, ResponseSnapshot("running", "\n\n".join([*HOLDINGS, "More."]), ("Looking at 7,731 MRMT",))
    )
    await desktop.slack.wait_for(lambda: len(desktop.shown(turn)) == 1 and WITHHELD in desktop.text(turn))
    assert "MRMT" not in str([message.blocks for message in desktop.shown(turn)])


async def test_what_is_about_no_account_is_shown_whoever_reads_it_and_asks_slack_nothing(
    desktop: Desktop, judged: Judged
):
    turn = await desktop.turn()
    await judged.guest_joins()
    await judged.deliver(turn, OF_NOBODY)
    assert HOLDINGS[0] in desktop.text(turn)
    assert "conversations.members" not in [call.name for call in desktop.slack.calls]


async def test_an_answer_is_not_drawn_anew_where_a_guest_reads_it_by_now(desktop: Desktop, judged: Judged):
    turn = await desktop.turn()
    button = OfferedButton("t0", 0, "prompt", 0, "more", "Tell me more", prompt="More?")
    assert await judged.reply.finish(turn, SHORT, [button]) is None
    await judged.guest_joins()
    since = len(desktop.slack.calls)
    await judged.reply.redraw(turn, SHORT, [replace(button, pressed_by=("U0BEN00001",))])
    assert [call.name for call in desktop.slack.calls[since:] if call.name.startswith("chat.")] == []
    await desktop.slack.leave("cleo", "trading")
    judged.access.forget_channel(turn.channel)
    await judged.reply.redraw(turn, SHORT, [replace(button, pressed_by=("U0BEN00001",))])
    assert [call.name for call in desktop.slack.calls[since:] if call.name.startswith("chat.")] == ["chat.update"]


@pytest.mark.parametrize("subtype", READERS_CHANGED)
async def test_what_slack_says_in_a_channel_of_its_readers_counts_at_once(
    desktop: Desktop, judged: Judged, subtype: str
):
    turn = await desktop.turn()
    assert await judged.access.may_see_account_data(turn.person, turn.channel)
    desktop.slack.workspace.channel("trading").kind = "public"
    assert await judged.access.may_see_account_data(turn.person, turn.channel)
    _notice({"type": "message", "subtype": subtype, "channel": turn.channel}, judged.access)
    assert not await judged.access.may_see_account_data(turn.person, turn.channel)
