"""What stands behind the scenes: the calls, the faults, the switches, and the bot's life and death."""

from __future__ import annotations

import asyncio

from omnibot_sandbox.clearstreet.revision import REVISIONS
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo import exchange_controls
from omnibot_sandbox.demo.forms import ActionForm, ExchangeForm, FaultForm, LineForm, RuleForm, SwitchForm
from omnibot_sandbox.demo.journal import Journal
from omnibot_sandbox.demo.network import Network
from omnibot_sandbox.demo.scenarios import scenarios
from omnibot_sandbox.demo.supervisor import Supervisor
from omnibot_sandbox.faults import Delay, Drop, Fault, Gate, Refuse, Reset, Rule, Silence, Truncate
from omnibot_sandbox.slack.methods import METHODS
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

#: Events of so many seconds are mixed up together when they come out of order.
_MIXED = 0.6
#: Switches that stand for something gone wrong.
_TROUBLES = ("rate_limits", "duplicates", "out_of_order", "hold_events")


class Controls:
    """The controls of one demo."""

    def __init__(
        self,
        slack: SlackEmulator,
        omni: ClearStreetEmulator,
        journal: Journal,
        supervisor: Supervisor | None,
        lines: Network | None = None,
    ) -> None:
        self._slack = slack
        self._omni = omni
        self._journal = journal
        self._supervisor = supervisor
        self._lines = lines
        self._mixed = self._held = False
        self._leaving: asyncio.Task[None] | None = None

    def describe(self) -> JSON:
        """The state of the controls, and the faults in force."""
        return {
            "bot": {**self._bot(), "connections": len(self._slack.socket_mode.sockets)},
            "switches": {
                "rate_limits": self._slack.enforce_tiers,
                "duplicates": self._slack.deliver_twice,
                "out_of_order": self._mixed,
                "hold_events": self._held,
                "pace": self._omni.pace,
                "stream_seconds": self._slack.stream_seconds,
                "revision": self._omni.revision,
            },
            "rules": [
                {**rule.describe(), "side": side} for side, gate in self._gates().items() for rule in gate.rules()
            ],
            "lines": {} if self._lines is None else self._lines.describe(),
            "exchange": exchange_controls.describe(self._omni.exchange),
        }

    def everything(self) -> JSON:
        """All the drawer shows: the above, the calls so far, and what there is to choose from."""
        return {
            **self.describe(),
            "calls": [entry.summary() for entry in self._journal.entries],
            "methods": {"slack": sorted(METHODS), "clear-street": sorted(self._omni.endpoints)},
            "revisions": list(REVISIONS),
            "scenarios": scenarios(),
            "addresses": {"slack": self._slack.api_url, "clear-street": self._omni.base_url},
        }

    def call(self, number: int) -> JSON | None:
        """One call with what was sent and answered."""
        entry = self._journal.find(number)
        return None if entry is None else entry.detail()

    # -- faults -------------------------------------------------------------------------------------------------------

    def add(self, form: FaultForm) -> None:
        """Put a fault in force."""
        befall(self._gates()[form.side], form)

    def change(self, form: RuleForm) -> None:
        """Switch a fault off or on, or take it away.

        Raises:
            LookupError: there is no such fault (any more).
        """
        gate = self._gates()[form.side]
        rule = next((rule for rule in gate.rules() if rule.id == form.id), None)
        if rule is None:
            raise LookupError("this fault is spent or gone")
        match form.action:
            case "remove":
                gate.remove(rule)
            case "let-go" | "hang-up":
                rule.let_go(hang_up=form.action == "hang-up")
            case action:
                rule.enabled = action == "enable"
                if not rule.enabled:
                    rule.let_go()

    async def line(self, form: LineForm) -> None:
        """Make the whole line to one side bad, or good again.

        Raises:
            LookupError: nothing stands between this bot and the emulators.
        """
        if self._lines is None:
            raise LookupError("There is no line here that could be made bad.")
        await self._lines.switch(form)

    async def mend(self) -> None:
        """Let everything work: no faults, good lines, deliveries in order, an open market that orders simply meet."""
        exchange_controls.reset(self._omni.exchange)
        for gate in self._gates().values():
            gate.clear()
        if self._lines is not None:
            await self._lines.mend()
        for name in _TROUBLES:
            self._flag(name, on=False)

    def deal(self, form: ExchangeForm) -> None:
        """Change how the exchange is.

        Raises:
            LookupError: not like this; says why.
        """
        exchange_controls.put(self._omni.exchange, form)

    def _gates(self) -> dict[str, Gate]:
        return {"slack": self._slack.gate, "clear-street": self._omni.gate}

    # -- switches -----------------------------------------------------------------------------------------------------

    def switch(self, form: SwitchForm) -> None:
        """Set a switch.

        Raises:
            LookupError: not to this value.
        """
        if form.name == "revision":
            self._revision(str(form.value))
        elif form.name in ("pace", "stream_seconds"):
            self._number(form.name, form.value)
        elif not isinstance(form.value, bool):
            raise LookupError(f"{form.name}: must be on or off")
        else:
            self._flag(form.name, form.value)

    def _flag(self, name: str, on: bool) -> None:
        match name:
            case "rate_limits":
                self._slack.enforce_tiers = on
            case "duplicates":
                self._slack.deliver_twice = on
            case "out_of_order":
                self._mixed = on
                self._slack.shuffle_events(1 if on else None, _MIXED)
            case "hold_events":
                self._held = on
                if on:
                    self._slack.hold_events()
                else:
                    self._slack.release_events()

    def _number(self, name: str, value: bool | float | str) -> None:
        if isinstance(value, bool | str) or not 0 <= value <= 600:
            raise LookupError(f"{name}: must be a number from 0 to 600")
        if name == "pace":
            self._omni.pace = float(value)
        else:
            self._slack.stream_seconds = float(value)

    def _revision(self, revision: str) -> None:
        if revision not in REVISIONS:
            raise LookupError(f"revision: must be one of {', '.join(REVISIONS)}")
        self._omni.revision = revision
        if self._supervisor is not None and self._supervisor.state == "running":
            self._supervisor.restart()  # it remembers for an hour which revision it met

    # -- the bot ------------------------------------------------------------------------------------------------------

    async def act(self, form: ActionForm) -> None:
        """Do it.

        Raises:
            LookupError: the bot is not ours to kill or start.
        """
        match form.action:
            case "tear-sockets":
                self._slack.kill_sockets()
            case "refresh-sockets":
                # In the background: a bot that hangs must not hang the page.
                self._leaving = asyncio.create_task(self._slack.disconnect_sockets())
            case "clear-calls":
                self._journal.clear()
            case "clear-faults":
                for gate in self._gates().values():
                    gate.clear()
            case "mend":
                await self.mend()
            case action:
                self._bot_act(action)

    def _bot_act(self, action: str) -> None:
        supervisor = self._supervisor
        if supervisor is None:
            raise LookupError("This bot was started by somebody else: only they can do that.")
        if action == "start" and supervisor.state == "down":
            supervisor.start()
        elif supervisor.state != "running":
            raise LookupError("The bot does not run at the moment.")
        elif action == "kill":
            supervisor.kill()
        elif action == "restart":
            supervisor.restart()

    def _bot(self) -> JSON:
        if self._supervisor is not None:
            return {**self._supervisor.describe(), "ours": True}
        return {"state": "running" if self._slack.socket_mode.sockets else "absent", "note": "", "ours": False}


def befall(gate: Gate, form: FaultForm) -> None:
    """Put a fault in force at a gate."""
    fault = _fault(form)
    match form.when:
        case "every":
            gate.every(form.pattern, form.number, fault, point=form.point)
        case "sometimes":
            gate.sometimes(form.pattern, form.probability, fault, point=form.point)
        case "next":
            gate.add(Rule(form.pattern, form.point, fault, count=form.number, when="the next"))
        case _:
            gate.add(Rule(form.pattern, form.point, fault))


def _fault(form: FaultForm) -> Fault:
    match form.kind:
        case "delay":
            return Delay(form.seconds, form.jitter)
        case "drop":
            return Drop()
        case "reset":
            return Reset()
        case "silence":
            return Silence()
        case "truncate":
            return Truncate(form.after)
        case "wrong-json":
            return Refuse(200, '{"ok": tru')
        case _:
            headers = {} if form.retry_after is None else {"Retry-After": str(form.retry_after)}
            return Refuse(form.status, {"ok": False, "error": form.error} if form.error else None, headers)
