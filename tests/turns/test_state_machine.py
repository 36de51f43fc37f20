"""Any order of questions, edits, deletions, stops, clicks, API and Slack troubles and deaths: the turn engine keeps its
promises.

The engine is the real one, Slack listeners and SQLite file included; Omni and Slack are models in memory that lie
as networks do, and time is the test's. `make test` runs a few dozen examples; for more of them:

    OMNIBOT_EXAMPLES=800 .venv/bin/pytest tests/turns/test_state_machine.py
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import ExitStack
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from omnibot.clearstreet.models.enums import ResponseStatus
from omnibot.db.tables import OPEN_STATES
from omnibot.slack.listeners.messages import LATER
from tests.examples import examples
from tests.turns.omni_model import CALLS, Asked, Script, Trouble
from tests.turns.simulation import Envelope, playing
from tests.turns.slack_model import BOT, GUEST, SLACK_CALLS, TEAM, Post, Refusal

STEPS = int(os.environ.get("OMNIBOT_MACHINE_STEPS", "25"))

ANA, BEN = "UANA", "UBEN"
#: From where to where a turn may go, and no other way.
ALLOWED = {
    ("accepted", "submitting"),
    ("accepted", "finalizing"),
    ("accepted", "canceled"),
    ("accepted", "failed"),
    ("submitting", "accepted"),
    ("submitting", "running"),
    ("submitting", "finalizing"),
    ("running", "finalizing"),
    ("finalizing", "succeeded"),
    ("finalizing", "failed"),
    ("finalizing", "canceled"),
}

#: What goes wrong with which calls.
Fate = list[tuple[str, Trouble | Refusal]]

people = st.sampled_from([ANA, ANA, ANA, BEN, BEN, BEN, GUEST])
numbers = st.integers(0, 30)
scripts = st.builds(
    Script,
    seconds=st.sampled_from([2.0, 0.2, 8.0, 45.0, 400.0]),
    status=st.sampled_from([*[ResponseStatus.SUCCEEDED] * 4, ResponseStatus.FAILED]),
    message_after=st.sampled_from([0.0, 0.0, 1.0, 5.0]),
)
#: Those that can do most harm more often.
calls = st.sampled_from([*CALLS, "create_thread", "create_message", "create_thread", "create_message", "get_response"])
fates: st.SearchStrategy[Fate] = st.lists(
    st.one_of(
        st.tuples(calls, st.sampled_from(Trouble)),
        st.tuples(st.sampled_from(["admit", "finish", "finish"]), st.sampled_from(Refusal)),
    ),
    max_size=3,
)
#: Seconds that pass after something happened.
lapses = st.sampled_from([0.0, 0.0, 0.08, 0.3, 1.0, 4.0])
#: How Slack delivers an event: at once, later (perhaps after others), more than once.
deliveries = st.sampled_from(["now", "now", "now", "held", "twice"])


class TurnMachine(RuleBasedStateMachine):
    """People, Slack, Omni and death, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.questions = 0
        #: Steps of turns that were looked at.
        self.seen = 0
        self.meddled = False
        self.clock_was_set = False

    @initialize(repeatable=st.booleans(), account_known=st.booleans())
    def begin(self, repeatable: bool, account_known: bool) -> None:
        self.world = self.resources.enter_context(playing(repeatable=repeatable, account_known=account_known))
        self.do = self.world.do

    # People.

    def words(self, script: Script, same: bool) -> str:
        self.questions += 1
        text = "the same again" if same else f"question {self.questions}"
        self.world.omni.scripts.setdefault(text, script)
        return text

    def deliver(self, listener: str, payload: dict[str, Any], how: str, lapse: float) -> None:
        envelope = Envelope(listener, payload, held=how == "held")
        self.world.envelopes.append(envelope)
        self.do(self.world.run(0.0))
        if how == "twice" and self.world.life is not None:
            self.do(self.world.tell(envelope))
        self.do(self.world.run(lapse))

    def doom_calls(self, fate: Fate) -> None:
        for call, kind in fate:
            if isinstance(kind, Refusal):
                # Neither ephemeral messages nor what is nice to have is ever refused: that is the reply's own business.
                if kind is Refusal.BROKEN or call in ("admit", "finish"):
                    self.world.slack.troubles[call].append(kind)
            elif kind is Trouble.CONFLICT and call != "create_message":
                continue
            elif kind is not Trouble.LATE or call.startswith("create"):
                self.world.omni.troubles[call].append(kind)

    @rule(
        who=people, script=scripts, fate=fates, same=st.booleans(), how=deliveries, lapse=lapses, direct=st.booleans()
    )
    def ask(self, who: str, script: Script, fate: Fate, same: bool, how: str, lapse: float, direct: bool) -> None:
        """A mention, or a direct message."""
        text = self.words(script, same)
        self.doom_calls(fate)
        if direct:
            _, payload = self.world.slack.say(who, f"D{who}", text)
        else:
            _, payload = self.world.slack.say(who, "C1", f"<@{BOT}> {text}")
        self.deliver("message", payload, how, lapse)

    @precondition(lambda self: self.roots())
    @rule(
        who=people,
        root=numbers,
        script=scripts,
        fate=fates,
        same=st.booleans(),
        how=deliveries,
        lapse=lapses,
        mention=st.booleans(),
    )
    def follow_up(
        self, who: str, root: int, script: Script, fate: Fate, same: bool, how: str, lapse: float, mention: bool
    ) -> None:
        self.doom_calls(fate)
        roots = self.roots()
        channel, ts = roots[root % len(roots)]
        who = channel[1:] if channel.startswith("D") else who
        text = self.words(script, same)
        _, payload = self.world.slack.say(who, channel, f"<@{BOT}> {text}" if mention else text, ts)
        self.deliver("message", payload, how, lapse)

    def roots(self) -> list[tuple[str, str]]:
        """Where there is a Slack thread, or can be."""
        posts = [(p.channel, p.ts) for p in self.world.slack.posts if p.thread_ts is None]
        return posts + sorted(self.world.slack.roots.values())

    @rule(
        who=people, script=scripts, fate=fates, form=st.sampled_from(["", "private ", "research AAPL "]), lapse=lapses
    )
    def command(self, who: str, script: Script, fate: Fate, form: str, lapse: float) -> None:
        self.doom_calls(fate)
        text = form + self.words(script, same=False)
        payload = {"trigger_id": f"trigger-{self.questions}", "user_id": who, "channel_id": "C1", "team_id": TEAM}
        self.deliver("command", {**payload, "text": text}, "now", lapse)

    @precondition(lambda self: self.posts())
    @rule(post=numbers, script=scripts, how=deliveries, lapse=lapses)
    def edit(self, post: int, script: Script, how: str, lapse: float) -> None:
        said = self.posts()[post % len(self.posts())]
        text = self.words(script, same=False)
        mention = f"<@{BOT}> " if BOT in said.versions[-1] else ""
        self.deliver("message", self.world.slack.edit(said, mention + text), how, lapse)

    @precondition(lambda self: self.posts())
    @rule(post=numbers, how=deliveries, lapse=lapses)
    def delete(self, post: int, how: str, lapse: float) -> None:
        said = self.posts()[post % len(self.posts())]
        self.deliver("message", self.world.slack.delete(said), how, lapse)

    def posts(self) -> list[Post]:
        """What stands in Slack, the newest first."""
        return [post for post in reversed(self.world.slack.posts) if not post.deleted]

    @rule(who=people, lapse=lapses)
    def stop(self, who: str, lapse: float) -> None:
        payload = {"trigger_id": "stop", "user_id": who, "channel_id": "C1", "team_id": TEAM, "text": "stop"}
        self.deliver("command", payload, "now", lapse)

    @precondition(lambda self: self.world.slack.finals)
    @rule(who=people, number=numbers, fate=fates, times=st.sampled_from([1, 1, 2]), lapse=lapses)
    def click(self, who: str, number: int, fate: Fate, times: int, lapse: float) -> None:
        self.doom_calls(fate)
        tokens = [button.token for final in self.world.slack.finals.values() for button in final.buttons]
        if not tokens:
            return
        payload = {
            "user": {"id": who, "team_id": TEAM},
            "team": {"id": TEAM},
            "channel": {"id": "C1"},
            "actions": [{"value": tokens[number % len(tokens)]}],
        }
        for _ in range(times):
            self.deliver("action", payload, "now", 0.0)
        self.do(self.world.run(lapse))

    # Slack's own ways.

    @precondition(lambda self: any(envelope.held for envelope in self.world.envelopes))
    @rule(number=numbers)
    def deliver_late(self, number: int) -> None:
        held = [envelope for envelope in self.world.envelopes if envelope.held]
        held[number % len(held)].held = False
        self.do(self.world.run(0.0))

    @precondition(lambda self: self.world.life is not None and self.heard())
    @rule(number=numbers)
    def deliver_again(self, number: int) -> None:
        self.do(self.world.tell(self.heard()[number % len(self.heard())]))

    def heard(self) -> list[Envelope]:
        """What the bot has said yes to, and may be told again."""
        return [envelope for envelope in self.world.envelopes if envelope.acked and envelope.repeated]

    # Trouble.

    @rule(call=calls, kind=st.sampled_from(Trouble), times=st.sampled_from([1, 2, 4]))
    def api_trouble(self, call: str, kind: Trouble, times: int) -> None:
        self.doom_calls([(call, kind)] * times)

    @rule(call=st.sampled_from(SLACK_CALLS), kind=st.sampled_from(Refusal), times=st.sampled_from([1, 1, 3]))
    def slack_trouble(self, call: str, kind: Refusal, times: int) -> None:
        self.doom_calls([(call, kind)] * times)

    @rule(times=st.sampled_from([1, 3]))
    def database_trouble(self, times: int) -> None:
        self.world.database_troubles = times

    @precondition(lambda self: self.world.omni.threads)
    @rule(number=numbers, what=st.sampled_from(["gone", "scope", "foreign", "forgotten"]), script=scripts)
    def meddle(self, number: int, what: str, script: Script) -> None:
        """Somebody else works with our Omni threads."""
        omni = self.world.omni
        threads = list(omni.threads.values())
        self.meddled = True
        thread = threads[number % len(threads)]
        if what == "gone":
            thread.gone = True
        elif what == "scope":
            thread.scope_changed = True
        elif what == "forgotten":
            omni.forgotten.add(thread.asked[-1].response_id)
        elif omni.active(thread) is None:
            thread.asked.append(
                Asked(thread, thread.asked[-1].seq + 2, "from elsewhere", None, self.world.loop.time(), script)
            )

    # Death, and time.

    @precondition(lambda self: self.world.life is not None)
    @rule(points=st.integers(0, 40), down=st.sampled_from([0.5, 0.5, 5.0, 30.0]))
    def doom(self, points: int, down: float) -> None:
        """The bot dies so many steps on."""
        assert self.world.life is not None
        self.world.life.dies_after = points
        self.world.back_at = self.world.loop.time() + down

    @precondition(lambda self: self.world.life is not None)
    @rule()
    def restart(self) -> None:
        self.do(self.world.restart())

    @rule(seconds=st.sampled_from([0.03, 0.12, 0.5, 1.0, 3.0, 10.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.do(self.world.run(seconds))

    @rule(seconds=st.sampled_from([-3600.0, -20.0, 20.0, 3600.0]), lapse=lapses)
    def set_clock(self, seconds: float, lapse: float) -> None:
        """Somebody sets the bot's wall clock; Slack and Omni have their own."""
        self.clock_was_set = True
        self.world.loop.set_ahead += seconds
        self.do(self.world.run(lapse))

    # The promises.

    @invariant()
    def nothing_that_must_never_happen_has_happened(self) -> None:
        assert not self.world.slack.wrongs, self.world.slack.wrongs

    @invariant()
    def at_most_one_turn_of_a_conversation_is_at_work(self) -> None:
        busy = "state IN ('submitting', 'running', 'finalizing')"
        doubled = f"SELECT conversation_id FROM turns WHERE {busy} GROUP BY conversation_id HAVING count(*) > 1"
        assert not self.do(self.world.rows(doubled))

    @invariant()
    def turns_go_only_where_they_may(self) -> None:
        steps = self.do(self.world.rows(f"SELECT * FROM seen WHERE at > {self.seen}"))
        self.seen += len(steps)
        assert {(step["old"], step["new"]) for step in steps} <= ALLOWED
        # Whoever was told "stop" in time is not asked.
        assert not [s for s in steps if s["old"] == "accepted" and s["new"] == "submitting" and s["canceled"]]

    def teardown(self) -> None:
        with self.resources:
            if hasattr(self, "world"):
                self.do(self.run_out())
                self.do(self.check_the_end())

    async def run_out(self) -> None:
        """No more trouble: everything comes to its end."""
        world = self.world
        world.omni.troubles.clear()
        world.slack.troubles.clear()
        world.database_troubles = 0
        if world.life is not None:
            world.life.dies_after = None
        for envelope in world.envelopes:
            envelope.held = False
        # A follow-up that came before the question of its thread tries its luck that long.
        await world.run(sum(LATER) + 1)
        open_turns: list[dict[str, Any]] = []
        for _ in range(200):
            await world.run(10.0)
            open_turns = await world.rows(f"SELECT * FROM turns WHERE state IN {OPEN_STATES}")
            if not open_turns and all(e.acked or not e.repeated for e in world.envelopes):
                return
        raise AssertionError(f"never ends: {open_turns}")

    async def check_the_end(self) -> None:
        rows = {row["id"]: row for row in await self.world.rows("SELECT * FROM turns")}
        keys = {row["key"]: row["turn_id"] for row in await self.world.rows("SELECT * FROM keys")}
        conversations = {row["id"]: row for row in await self.world.rows("SELECT * FROM conversations")}
        slack, omni = self.world.slack, self.world.omni
        assert not slack.wrongs, slack.wrongs
        assert not slack.working, "a status was left behind"
        for row in rows.values():
            assert row["owner"] is None
            self.check_told(row)
        ours = [asked for asked in omni.every_question() if asked.key is not None and not asked.thread.gone]
        self.check_not_doubled(rows, keys, ours)
        self.check_order(rows, keys, ours)
        self.check_everything_is_here(rows)
        assert {c["omni_thread_id"] for c in conversations.values()} - {None} <= set(omni.threads)

    def check_told(self, row: dict[str, Any]) -> None:
        """Every turn ends in one reply with all the words, or in a sentence, or as its asker wished."""
        slack = self.world.slack
        final = slack.finals.get(row["id"])
        if row["answer"] is None:
            assert final is None
            # Deleted before it came, or stopped or deleted while it waited; else its asker was told.
            deleted = row["source_key"] in {post.source_key for post in slack.posts if post.deleted}
            assert row["cancel_requested_at"] or deleted or slack.ephemerals[row["id"]], row
            return
        answer = json.loads(row["answer"])
        if row["id"] in slack.nowhere and row["state"] == "failed":
            return
        assert final is not None, row
        assert final.answer.outcome == row["state"]
        assert final.answer.parts == answer["parts"]
        if row["state"] == "succeeded":
            asked = {asked.id: asked for asked in self.world.omni.every_question()}[row["user_message_id"]]
            assert [p["text"] for p in answer["parts"] if p["type"] == "text"] == [asked.answer], (row, asked)
            if not row["event"].startswith('{"ticker"'):
                assert asked.text == row["question"]
        elif self.undisturbed(row):
            asked = next(a for a in self.world.omni.every_question() if a.id == row["user_message_id"])
            assert asked.script.seconds > 100 or asked.script.status is ResponseStatus.FAILED, (row, asked)

    def undisturbed(self, row: dict[str, Any]) -> bool:
        """Nothing was in the way of this turn but death."""
        world = self.world
        return not (
            world.omni.suffered
            or world.slack.suffered
            or self.meddled
            # A successor knows a deadline only by the wall clock.
            or (self.clock_was_set and world.deaths)
            or row["cancel_requested_at"]
            or world.down > 60
        )

    def check_not_doubled(self, rows: dict[str, Any], keys: dict[str, str], ours: list[Asked]) -> None:
        """Omni was asked once for each turn, whatever became of the call."""
        counts = Counter(keys[asked.key] for asked in ours if asked.key is not None)
        assert not [rows[turn_id] for turn_id, count in counts.items() if count > 1], "asked twice"

    def check_order(self, rows: dict[str, Any], keys: dict[str, str], ours: list[Asked]) -> None:
        """A question that was here before a later one was sent came to Omni before it.

        But for a command whose process failed between posting its root message and remembering it: whoever writes below
        that message meanwhile is first. And the columns tell what was before what only while nobody sets the clock.
        """
        if self.clock_was_set:
            return
        failed = self.world.deaths or self.world.database_failures
        owned = [(rows[keys[a.key]], a) for a in ours if a.key is not None]
        for early, asked_early in owned:
            for late, asked_late in owned:
                if (
                    not (failed and early["surface"] in ("command", "private"))
                    and early["conversation_id"] == late["conversation_id"]
                    and early["message_ts"] < late["message_ts"]
                    and early["created_at"] < late["submitted_at"]
                ):
                    assert asked_early.at < asked_late.at, (early, late)

    def check_everything_is_here(self, rows: dict[str, Any]) -> None:
        """Every question Slack got an acknowledgement for is a turn."""
        known = {row["source_key"] for row in rows.values()}
        for post in self.world.slack.posts:
            if BOT in post.versions[0] or post.channel.startswith("D"):
                assert post.source_key in known, post


TurnMachine.TestCase.settings = settings(
    examples(25),
    stateful_step_count=STEPS,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
test_the_engine_keeps_its_promises = TurnMachine.TestCase
