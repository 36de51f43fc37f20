"""The policy as frozen values. Every key has a default except those that `parser` requires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator

from omnibot.clearstreet.models.enums import OrderType, TimeInForce
from omnibot.errors import SettingsError
from omnibot.policy import field_types
from omnibot.policy.identities import EVERYBODY, NOBODY, Group, Who, is_named


class PolicyError(SettingsError):
    """The policy file cannot be used. `str()` names the file and, line by line, each table and key that is wrong."""

    def __init__(self, source: str, problems: tuple[str, ...]) -> None:
        lines = "\n  ".join(problems)
        super().__init__(
            f"The policy file {source} cannot be used:\n  {lines}\n`omnibot policy example` prints one with every key."
        )
        self.problems = problems


class FollowUps(StrEnum):
    """Whom Omni answers in a channel's thread without a mention."""

    PARTICIPANTS = "participants"
    """The conversation's own people."""
    MENTION = "mention"
    """Nobody: every question mentions Omni."""


class Session(StrEnum):
    """Part of the exchange day in which an order may work."""

    REGULAR = "regular"
    EXTENDED = "extended"


class Table(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: key and reason."""
        yield from ()


_Flag = Annotated[bool, PlainValidator(field_types.flag)]
_Users = Annotated[tuple[str, ...], PlainValidator(field_types.users)]
_Channels = Annotated[tuple[str, ...], PlainValidator(field_types.channels)]
_Cap = Annotated[Decimal | None, PlainValidator(field_types.cap)]

_members_or_ids = field_types.group(members=EVERYBODY)
_nobody_or_ids = field_types.group(nobody=NOBODY)
_some_nobody_or_ids = field_types.group(everybody=EVERYBODY, nobody=NOBODY)
_members_nobody_or_ids = field_types.group(members=EVERYBODY, nobody=NOBODY)


class AccessTable(Table):
    """Who may ask, where, and with whose key."""

    people: Annotated[Group, PlainValidator(_members_or_ids)] = EVERYBODY
    guests: Annotated[Group, PlainValidator(_some_nobody_or_ids)] = NOBODY
    externals: Annotated[Group, PlainValidator(_nobody_or_ids)] = NOBODY
    refused: _Users = ()
    where: Annotated[tuple[str, ...] | None, PlainValidator(field_types.everywhere)] = None
    """None: in every channel; else in these. Direct messages always."""
    shared_channels: _Flag = True
    shared_key: Annotated[Group, PlainValidator(_members_nobody_or_ids)] = EVERYBODY


class Channels(Table):
    """Where account data may be shown, and how threads go on."""

    account_data: _Channels = ()
    no_account_data: _Channels = ()
    follow_ups: Annotated[FollowUps, PlainValidator(field_types.word(FollowUps))] = FollowUps.PARTICIPANTS

    def problems(self) -> Iterator[tuple[str, str]]:
        excluded = frozenset(self.no_account_data)
        for channel in self.account_data:
            if channel in excluded:
                yield "no_account_data", f'{channel} is in "account_data" too; leave it in one of them'


class Consent(Table):
    """Who signs agreements under the shared key."""

    consent_signers: _Users = ()


class Limits(Table):
    """What one person's orders must keep within. None: no limit."""

    accounts: Annotated[tuple[int, ...] | None, PlainValidator(field_types.accounts)] = ()
    max_order_notional: _Cap = None
    max_order_quantity: _Cap = None
    max_day_notional: _Cap = None
    max_day_quantity: _Cap = None
    """Quantities are in shares; an option contract counts as the shares it is for."""
    symbols: Annotated[tuple[str, ...] | None, PlainValidator(field_types.symbols)] = None
    deny_symbols: Annotated[tuple[str, ...], PlainValidator(field_types.tickers)] = ()
    order_types: Annotated[tuple[OrderType, ...], PlainValidator(field_types.words(field_types.ORDER_TYPES))] = (
        OrderType.LIMIT,
    )
    times_in_force: Annotated[
        tuple[TimeInForce, ...], PlainValidator(field_types.words(field_types.TIMES_IN_FORCE))
    ] = (TimeInForce.DAY,)
    sessions: Annotated[tuple[Session, ...], PlainValidator(field_types.words(tuple(Session)))] = (Session.REGULAR,)
    price_collar: Annotated[Decimal | None, PlainValidator(field_types.collar)] = Decimal(500)
    """Basis points from the middle of the market."""
    short_sales: _Flag = False
    options: _Flag = False
    four_eyes_above: Annotated[Decimal | None, PlainValidator(field_types.threshold)] = None


class Trader(Limits):
    """What is different for one trader: only keys that are written count."""

    id: Annotated[str, PlainValidator(field_types.user)]


class Trading(Limits):
    """Who trades, within which limits."""

    traders: _Users = ()
    approvers: _Users = ()
    halters: _Users = ()
    with_shared_key: _Flag = False
    max_quote_age_seconds: Annotated[int, PlainValidator(field_types.whole(1, 3600))] = 15
    ticket_expiry_minutes: Annotated[int, PlainValidator(field_types.whole(1, 1440))] = 10
    trader: Annotated[tuple[Trader, ...], BeforeValidator(field_types.tables)] = ()

    def is_trader(self, who: Who) -> bool:
        """Whether this person is on the list of traders."""
        return any(is_named(entry, who) for entry in self.traders)

    def is_approver(self, who: Who) -> bool:
        """Whether this person may approve other people's orders."""
        return any(is_named(entry, who) for entry in self.approvers)

    def limits_of(self, who: Who) -> Limits:
        """This person's limits: everybody's, with what is different for this one put in place.

        A symbol that is denied to everybody stays denied.
        """
        for override in self.trader:
            if is_named(override.id, who):
                return self.with_override(override)
        return self

    def with_override(self, override: Trader) -> Limits:
        """Everybody's limits with these in place."""
        changes: dict[str, Any] = {name: getattr(override, name) for name in override.model_fields_set - {"id"}}
        changes["deny_symbols"] = (*self.deny_symbols, *override.deny_symbols)
        return self.model_copy(update=changes)

    def problems(self) -> Iterator[tuple[str, str]]:
        traders = frozenset(self.traders)
        for index, override in enumerate(self.trader, 1):
            if override.id not in traders:
                yield f"trader[{index}].id", f'{override.id} is not in "traders" of [trading]; add it there too'
        for one, other in _doubles([override.id for override in self.trader]):
            yield "trader", f"{one} and {other} are one person, and need one [[trading.trader]] between them"
        if self.traders:
            yield from self._missing()
        watched = [self, *self.trader]
        if not self.approvers and any(one.four_eyes_above is not None for one in watched):
            yield "approvers", '"four_eyes_above" needs people to approve: name them here'

    def _missing(self) -> Iterator[tuple[str, str]]:
        """What nobody should have forgotten once somebody trades."""
        overridden = {override.id for override in self.trader}
        without = [entry for entry in self.traders if entry not in overridden]
        for key in ("max_order_notional", "max_day_notional"):
            lacking = [override for override in self.trader if key not in override.model_fields_set]
            if key not in self.model_fields_set and (without or lacking):
                yield key, 'is missing: say how much, as "100000", or "unlimited"'
        if self.accounts == () and (without or any(one.accounts == () for one in self.trader)):
            yield "accounts", 'is missing: name the account ids on which orders may go, or say "any"'
        if not self.halters:
            yield "halters", "is missing: name at least one person who may stop all trading with /omni halt"


def _doubles(ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each entry that may be the person of an earlier one, with the first of those; an id alone may be in any home."""
    seen: dict[str, dict[str, str]] = {}
    for entry in ids:
        home, _, user = entry.rpartition("/")
        homes = seen.setdefault(user, {})
        earlier = homes.get(home) or homes.get("") or (next(iter(homes.values()), None) if not home else None)
        if earlier is not None:
            yield earlier, entry
        homes.setdefault(home, entry)


class Policy(Table):
    """The whole file. `Policy()` goes without one: members ask, nobody trades, nobody signs for the shared key."""

    version: Annotated[int, PlainValidator(field_types.whole(1, 1))] = 1
    access: AccessTable = AccessTable()
    channels: Channels = Channels()
    consent: Consent = Consent()
    trading: Trading = Trading()
