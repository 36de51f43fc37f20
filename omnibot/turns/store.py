"""Turns and conversations in SQL (buttons: presses.py). Each transition is one guarded UPDATE."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.link_cache import FRESH
from omnibot.accounts.model import Place
from omnibot.consent.model import NewConsent
from omnibot.consent.store import insert_consent
from omnibot.db.engine import Database
from omnibot.db.leases import LEASE, Leases
from omnibot.db.tables import OPEN_STATES, buttons, conversations, turns
from omnibot.errors import OwnershipLost
from omnibot.turns.history import continued_without_account, went_elsewhere
from omnibot.turns.model import (
    Conversation,
    HeldFor,
    Kind,
    NewTurn,
    OfferedButton,
    Person,
    Turn,
    TurnAnswer,
    TurnState,
)
from omnibot.turns.rows import answer_json, button_row, read_conversation, read_turn, select_value, utcnow
from omnibot.turns.rules import BACK, DEADLINE, HOLD, MOVED, OTHER_ACCOUNT, OTHER_PERSON
from omnibot.turns.waiting import IN_VAIN, READY, ask_again_later

#: Made once: an alias of a wide table costs more than the statement it stands in.
_KNOWN = turns.alias("known")
_BUSY = (TurnState.SUBMITTING, TurnState.RUNNING, TurnState.FINALIZING)


class TurnStore:
    """What turns remembers. Every write to an open turn checks its state and its owner."""

    def __init__(self, database: Database, instance: str) -> None:
        self.database = database
        self.instance = instance
        self.leases = Leases(database, turns, instance)

    # Accepting.

    async def accept(self, new: NewTurn, *, only_if_participant: bool = False) -> str | None:
        """Make a turn durable in one statement; this instance owns it at once.

        Args:
            new: the turn.
            only_if_participant: store it only if this person already has a turn in this Slack thread.

        Returns:
            The turn's id, or None: it is already here, or not meant for us.
        """
        turn_id = secrets.token_hex(12)
        now = utcnow()
        row: dict[str, Any] = {
            "id": turn_id,
            "source_key": new.source_key,
            "surface": new.surface.value,
            "kind": new.kind.value,
            "team": new.team,
            "org": new.person.org,
            "user": new.person.user,
            "channel": new.channel,
            "thread_ts": new.thread_ts,
            "message_ts": new.message_ts,
            "event": new.event,
            "edited_ts": new.edited_ts,
            "question": new.question,
            "created_at": now,
            **self.fresh(),
        }
        if new.withdrawn:
            row |= {"state": TurnState.CANCELED.value, "owner": None, "lease_until": None, "ended_at": now}
        values = [select_value(name, value) for name, value in row.items()]
        source = select(*values)
        if only_if_participant:
            mine = (
                _KNOWN.c.user == new.person.user,
                _KNOWN.c.org == new.person.org,
                # Somebody who was turned away takes no part.
                or_(_KNOWN.c.conversation_id.is_not(None), _KNOWN.c.state.in_(OPEN_STATES)),
            )
            here = _KNOWN.c.channel == new.channel, _KNOWN.c.thread_ts == new.thread_ts
            asked_here = _KNOWN.c.asked_in == new.channel, _KNOWN.c.asked_thread_ts == new.thread_ts
            source = source.where(
                or_(
                    exists(select(literal(1)).where(*here, *mine)),
                    exists(select(literal(1)).where(*asked_here, *mine)),
                )
            )
        else:
            # SQLite cannot tell a SELECT's ON from an upsert's without a WHERE.
            source = source.where(literal(True))
        statement = self.insert().from_select(list(row), source, include_defaults=False)
        return turn_id if await self.insert_once(statement) else None

    def fresh(self) -> dict[str, Any]:
        """What every new turn begins with: ours, due now by the database's clock."""
        return {
            "state": TurnState.ACCEPTED.value,
            "submissions": 0,
            "edits": 0,
            "queue_said": False,
            "notices": [],
            "due_at": self.database.now(),
            "owner": self.instance,
            "lease_until": self.database.after(LEASE),
        }

    def insert(self) -> Any:
        return sqlite_insert(turns) if self.database.single_process else postgresql_insert(turns)

    async def insert_once(self, statement: Any) -> bool:
        async with self.database.transaction() as connection:
            stored = await connection.execute(statement.on_conflict_do_nothing().returning(turns.c.id))
            return stored.first() is not None

    # Reading.

    async def get(self, turn_id: str) -> Turn | None:
        """The turn as the database has it now."""
        async with self.database.transaction() as connection:
            row = (await connection.execute(select(turns).where(turns.c.id == turn_id))).mappings().first()
        return read_turn(row) if row else None

    async def read_all(self, ids: Sequence[str]) -> list[Turn]:
        """These turns; raises when one of them cannot be read."""
        async with self.database.transaction() as connection:
            rows = (await connection.execute(select(turns).where(turns.c.id.in_(ids)))).mappings().all()
        return [read_turn(row) for row in rows]

    async def conversation(self, conversation_id: str) -> Conversation:
        """The conversation a turn belongs to."""
        async with self.database.transaction() as connection:
            query = select(conversations).where(conversations.c.id == conversation_id)
            return read_conversation((await connection.execute(query)).mappings().one())

    async def ahead(self, turn: Turn) -> int:
        """How many open turns must end before this one may begin.

        Those of its conversation that are at work or were asked earlier, and earlier ones of the same Slack thread
        that are not yet authorised (they may turn out to be of this conversation).
        """
        earlier = tuple_(turns.c.message_ts, turns.c.id) < tuple_(literal(turn.message_ts), literal(turn.id))
        mine = and_(
            turns.c.conversation_id == turn.conversation_id,
            or_(turns.c.state.in_(_BUSY), and_(turns.c.state == TurnState.ACCEPTED, earlier)),
        )
        undecided = and_(
            turns.c.conversation_id.is_(None),
            turns.c.channel == turn.channel,
            turns.c.thread_ts == turn.thread_ts,
            turns.c.state == TurnState.ACCEPTED,
            earlier,
        )
        query = select(func.count()).select_from(turns).where(turns.c.id != turn.id, or_(mine, undecided))
        async with self.database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def count_open(self) -> dict[TurnState, int]:
        """How many turns stand in each open state, zeros included."""
        query = select(turns.c.state, func.count()).where(turns.c.state.in_(OPEN_STATES)).group_by(turns.c.state)
        async with self.database.transaction() as connection:
            counts = {row[0]: row[1] for row in await connection.execute(query)}
        return {TurnState(state): counts.get(state, 0) for state in OPEN_STATES}

    async def waiting_of(self, person: Person) -> int:
        """How many of this person's turns wait to begin, anywhere."""
        query = (
            select(func.count())
            .select_from(turns)
            .where(turns.c.org == person.org, turns.c.user == person.user, turns.c.state == TurnState.ACCEPTED)
        )
        async with self.database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def waiting_in(self, conversation_id: str) -> list[str]:
        """Ids of the accepted turns of a conversation, in order."""
        query = (
            select(turns.c.id)
            .where(turns.c.conversation_id == conversation_id, turns.c.state == TurnState.ACCEPTED)
            .order_by(turns.c.message_ts, turns.c.id)
        )
        async with self.database.transaction() as connection:
            return list((await connection.execute(query)).scalars())

    async def known_omni_ids(self, conversation: Conversation) -> tuple[set[str], set[str]]:
        """Omni threads and USER messages that are already some turn's own."""
        async with self.database.transaction() as connection:
            threads = await connection.execute(
                select(conversations.c.omni_thread_id).where(conversations.c.omni_thread_id.is_not(None))
            )
            messages = await connection.execute(
                select(turns.c.user_message_id).where(
                    turns.c.conversation_id == conversation.id, turns.c.user_message_id.is_not(None)
                )
            )
            return set(threads.scalars()), set(messages.scalars())

    # Transitions.

    async def move(self, turn: Turn, to: TurnState, **changes: Any) -> Turn:
        """Go from the state `turn` is in to another (or the same), changing columns on the way.

        Raises:
            OwnershipLost: the row is not in that state any more, or not ours.
        """
        async with self.database.transaction() as connection:
            return await self._move(connection, turn, to, **changes)

    async def _move(self, connection: AsyncConnection, turn: Turn, to: TurnState, **changes: Any) -> Turn:
        if to.terminal:
            changes |= {"owner": None, "lease_until": None, "ended_at": utcnow()}
        statement = (
            update(turns)
            .where(
                turns.c.id == turn.id,
                turns.c.state == turn.state.value,
                turns.c.owner == self.instance,
                turns.c.edits == turn.edits,
            )
            .values(state=to.value, **changes)
            .returning(turns)
        )
        row = (await connection.execute(statement)).mappings().first()
        if row is None:
            raise OwnershipLost
        return read_turn(row)

    async def hold(self, turn: Turn, held_for: HeldFor) -> Turn:
        """Let a turn wait for a person, nobody's, until it is released or a day has passed.

        Raises:
            OwnershipLost: it is not ours any more.
        """
        return await self.move(
            turn,
            TurnState.HELD,
            held_for=held_for.value,
            # A little earlier: what was linked or chosen a moment ago elsewhere may not have been known here yet.
            held_at=self.database.after(-2 * FRESH),
            owner=None,
            lease_until=None,
            due_at=self.database.after(HOLD.total_seconds()),
        )

    async def release(self) -> list[str]:
        """Let go those held turns whose link, account or consent is there by now; the next sweep takes them up.

        Those whose consent was refused or forgotten end, without a word: who refused it has seen that.

        Returns:
            Their ids.
        """
        query = select(turns.c.id, IN_VAIN.label("in_vain")).where(
            turns.c.state == TurnState.HELD.value, turns.c.cancel_requested_at.is_(None), or_(READY, IN_VAIN)
        )
        async with self.database.transaction() as connection:
            found = (await connection.execute(query)).all()
            if not found:
                return []
            held = turns.c.state == TurnState.HELD.value
            await connection.execute(
                update(turns)
                .where(held, turns.c.id.in_([row.id for row in found if row.in_vain]))
                .values(state=TurnState.CANCELED.value, owner=None, lease_until=None, ended_at=utcnow())
            )
            statement = (
                update(turns)
                .where(held, turns.c.id.in_([row.id for row in found if not row.in_vain]))
                .values(state=TurnState.ACCEPTED.value, held_for=None, held_at=None, due_at=self.database.now())
                .returning(turns.c.id)
            )
            return list((await connection.execute(statement)).scalars())

    async def join(
        self,
        turn: Turn,
        *,
        question: str,
        channel: str,
        thread_ts: str,
        principal: str,
        account_id: int | None,
        asked_thread_ts: str | None = None,
    ) -> Turn:
        """Give an authorised turn its question and its conversation, made here if it is the first.

        A conversation that begins in a thread where there was another one says that it has not seen that.

        Raises:
            OwnershipLost: it is not ours any more, or its words were edited meanwhile (look at it afresh).
        """
        async with self.database.transaction() as connection:
            make = sqlite_insert(conversations) if self.database.single_process else postgresql_insert(conversations)
            key = {
                "team": turn.team,
                "channel": channel,
                "thread_ts": thread_ts,
                "principal": principal,
                "account_id": account_id or 0,
            }
            made = await connection.execute(
                make.values(id=secrets.token_hex(12), last_seq=0, created_at=utcnow(), **key)
                .on_conflict_do_nothing()
                .returning(conversations.c.id)
            )
            begun = made.first() is not None
            query = select(conversations.c.id).where(*[conversations.c[name] == value for name, value in key.items()])
            conversation_id = (await connection.execute(query)).scalar_one()
            notice = await _beginning(connection, key) if begun else await _return(connection, key, conversation_id)
            return await self._move(
                connection,
                turn,
                TurnState.ACCEPTED,
                question=question,
                channel=channel,
                asked_in=func.coalesce(turns.c.asked_in, turn.channel),
                asked_thread_ts=func.coalesce(turns.c.asked_thread_ts, asked_thread_ts),
                thread_ts=thread_ts,
                conversation_id=conversation_id,
                **({"notices": [*turn.notices, notice]} if notice and turn.kind is not Kind.ACTION else {}),
            )

    async def about_no_account(self, person: Person, principal: str, place: Place) -> bool:
        """Whether a thread holds a conversation about no account that was begun elsewhere, and is to stay so."""
        async with self.database.transaction() as connection:
            return await continued_without_account(connection, person, principal, place)

    async def direct_thread(self, person: Person, channel: str, thread_ts: str) -> tuple[str, str] | None:
        """The thread of this person's DM in which their questions of a thread elsewhere are answered, if there is one.

        Returns:
            Channel and root.
        """
        query = (
            select(turns.c.channel, turns.c.thread_ts)
            .where(
                turns.c.org == person.org,
                turns.c.user == person.user,
                turns.c.asked_in == channel,
                turns.c.asked_thread_ts == thread_ts,
                turns.c.conversation_id.is_not(None),
            )
            .order_by(turns.c.created_at.desc())
            .limit(1)
        )
        async with self.database.transaction() as connection:
            row = (await connection.execute(query)).first()
        return (row.channel, row.thread_ts) if row is not None else None

    async def submit(
        self, turn: Turn, *, request: Mapping[str, Any], thread_id: str | None, deadline: timedelta
    ) -> Turn | None:
        """Write down exactly what is about to be sent.

        Returns:
            The turn, submitting; None when its words were edited meanwhile, or another turn of its conversation was
            quicker (look at it afresh).
        """
        now = utcnow()
        statement = (
            update(turns)
            .where(
                turns.c.id == turn.id,
                turns.c.state == TurnState.ACCEPTED.value,
                turns.c.owner == self.instance,
                turns.c.edits == turn.edits,
                turns.c.cancel_requested_at.is_(None),
            )
            .values(
                state=TurnState.SUBMITTING.value,
                request=dict(request),
                request_thread_id=thread_id,
                # The key belongs to the request: the same request may be repeated under it, another may not.
                idempotency_key=turn.idempotency_key if turn.request == dict(request) else secrets.token_hex(16),
                submitted_at=turn.submitted_at or now,
                deadline_at=turn.deadline_at or now + deadline,
                submissions=turns.c.submissions + 1,
            )
            .returning(turns)
        )
        try:
            async with self.database.transaction() as connection:
                row = (await connection.execute(statement)).mappings().first()
        except IntegrityError:
            return None
        return read_turn(row) if row else None

    async def started(
        self, turn: Turn, *, thread_id: str, response_id: str | None, user_message_id: str
    ) -> Turn | None:
        """Omni has the question: remember the response, and the thread as the conversation's.

        Returns:
            The turn, running; None when that Omni thread or message is another turn's already.
        """
        try:
            async with self.database.transaction() as connection:
                await connection.execute(
                    update(conversations)
                    .where(conversations.c.id == turn.conversation_id)
                    .values(
                        omni_thread_id=thread_id,
                        last_seq=case((conversations.c.omni_thread_id == thread_id, conversations.c.last_seq), else_=0),
                    )
                )
                return await self._move(
                    connection,
                    turn,
                    TurnState.RUNNING,
                    response_id=response_id,
                    user_message_id=user_message_id,
                    # Omni's time begins now; waiting for others was not its fault.
                    deadline_at=utcnow() + DEADLINE[turn.kind],
                )
        except IntegrityError:
            return None

    async def forget_omni_thread(self, turn: Turn) -> None:
        """The conversation's next create call opens a new Omni thread."""
        async with self.database.transaction() as connection:
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == turn.conversation_id,
                    conversations.c.omni_thread_id == turn.request_thread_id,
                )
                .values(omni_thread_id=None, last_seq=0)
            )

    async def finalize(
        self,
        turn: Turn,
        answer: TurnAnswer,
        offers: Sequence[OfferedButton],
        last_seq: int | None,
        consent: NewConsent | None = None,
    ) -> Turn:
        """Store the answer and its buttons: from here on the reply is a matter of delivery.

        Where the answer asks for consent, the same question is stored once more, held until that is given.
        """
        async with self.database.transaction() as connection:
            moved = await self._move(connection, turn, TurnState.FINALIZING, answer=answer_json(answer))
            if offers:
                await connection.execute(insert(buttons), [button_row(turn.id, offer) for offer in offers])
            if last_seq is not None:
                await connection.execute(
                    update(conversations)
                    .where(conversations.c.id == turn.conversation_id, conversations.c.last_seq < last_seq)
                    .values(last_seq=last_seq)
                )
            if consent is not None:
                again_id = await ask_again_later(connection, self.database, moved, self.fresh())
                await insert_consent(
                    connection, consent, turn_id=turn.id, again_id=again_id, team=turn.team, person=turn.person
                )
            return moved

    # What people change.

    async def edit_waiting(self, source_key: str, event: Mapping[str, Any], edited_ts: str) -> str | None:
        """A waiting message was edited: its question is read again. Returns the turn's id if it still waited."""
        newer = or_(turns.c.edited_ts.is_(None), turns.c.edited_ts < edited_ts)
        return await self._change_waiting(
            source_key, newer, event=dict(event), question=None, edited_ts=edited_ts, edits=turns.c.edits + 1
        )

    async def cancel_waiting(self, source_key: str) -> str | None:
        """A waiting message was deleted. Returns the turn's id if it still waited."""
        return await self._change_waiting(source_key, cancel_requested_at=utcnow(), due_at=self.database.now())

    async def _change_waiting(self, source_key: str, *guards: ColumnElement[bool], **changes: Any) -> str | None:
        statement = (
            update(turns)
            .where(turns.c.source_key == source_key, turns.c.state.in_([TurnState.ACCEPTED, TurnState.HELD]), *guards)
            .values(**changes)
            .returning(turns.c.id)
        )
        async with self.database.transaction() as connection:
            turn_id: str | None = (await connection.execute(statement)).scalar_one_or_none()
            return turn_id

    async def request_cancel(
        self,
        person: Person,
        channel: str,
        *,
        thread_ts: str | None = None,
        until_ts: str | None = None,
        turn_id: str | None = None,
    ) -> dict[str, TurnState]:
        """Ask for the end of all this person's open turns in a channel, whoever owns them. Returns their states.

        Args:
            person: whose turns.
            channel: where they were asked, or are answered.
            thread_ts: only those in this thread.
            until_ts: only those asked no later.
            turn_id: only this one.
        """
        narrower = [] if thread_ts is None else [turns.c.thread_ts == thread_ts]
        narrower += [] if until_ts is None else [turns.c.message_ts <= until_ts]
        narrower += [] if turn_id is None else [turns.c.id == turn_id]
        statement = (
            update(turns)
            .where(
                *narrower,
                turns.c.org == person.org,
                turns.c.user == person.user,
                or_(turns.c.channel == channel, turns.c.asked_in == channel),
                turns.c.state.in_([TurnState.ACCEPTED, TurnState.SUBMITTING, TurnState.RUNNING, TurnState.HELD]),
                turns.c.cancel_requested_at.is_(None),
            )
            .values(
                cancel_requested_at=utcnow(),
                canceled_by=person.user,
                # A held one is nobody's: the sweep takes it up.
                due_at=case((turns.c.state == TurnState.HELD.value, self.database.now()), else_=turns.c.due_at),
            )
            .returning(turns.c.id, turns.c.state)
        )
        async with self.database.transaction() as connection:
            return {row.id: TurnState(row.state) for row in await connection.execute(statement)}

    async def canceled_among(self, turn_ids: Collection[str]) -> list[Turn]:
        """Those of our turns that somebody wants stopped."""
        if not turn_ids:
            return []
        query = select(turns).where(
            turns.c.owner == self.instance,
            turns.c.state.in_(OPEN_STATES),
            turns.c.cancel_requested_at.is_not(None),
        )
        async with self.database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [read_turn(row) for row in rows if row["id"] in turn_ids]

    async def prune(self, before: datetime) -> int:
        """Empty the turns that ended before: question, words, answer, buttons. Their ids stay, so nothing is answered
        twice. Returns how many were emptied."""
        old = and_(turns.c.ended_at < before, turns.c.pruned_at.is_(None))
        async with self.database.transaction() as connection:
            await connection.execute(
                delete(buttons).where(buttons.c.turn_id.in_(select(turns.c.id).where(old).scalar_subquery()))
            )
            emptied = await connection.execute(
                update(turns)
                .where(old)
                .values(question=None, event={}, request=null(), answer=null(), notices=[], pruned_at=utcnow())
                .returning(turns.c.id)
            )
            return len(emptied.all())


async def _beginning(connection: AsyncConnection, key: Mapping[str, Any]) -> str | None:
    """What to say of the conversations that were in the thread before this one."""
    thread = [conversations.c[name] == key[name] for name in ("team", "channel", "thread_ts")]
    query = select(conversations.c.principal, conversations.c.account_id, conversations.c.omni_thread_id).where(*thread)
    others = [
        row
        for row in await connection.execute(query)
        if row.omni_thread_id is not None and (row.principal, row.account_id) != (key["principal"], key["account_id"])
    ]
    if not others:
        return MOVED if await went_elsewhere(connection, key) else None
    return OTHER_ACCOUNT if any(row.principal == key["principal"] for row in others) else OTHER_PERSON


async def _return(connection: AsyncConnection, key: Mapping[str, Any], conversation_id: str) -> str | None:
    """What to say when a conversation goes on after another of the same principal's in its thread."""
    place = [conversations.c[name] == key[name] for name in ("team", "channel", "thread_ts", "principal")]
    query = (
        select(turns.c.conversation_id)
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(*place)
        .order_by(turns.c.message_ts.desc(), turns.c.id.desc())
        .limit(1)
    )
    latest = (await connection.execute(query)).scalar()
    return BACK if latest is not None and latest != conversation_id else None
