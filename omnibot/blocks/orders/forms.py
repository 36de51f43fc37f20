"""Order modals: edit a proposal, replace a working order, decline; and parsing what was entered.

Every field has a block of its own, named by `block_of`, so that what is wrong with it is said right there. Inputs keep
what was typed while the form is brought up to date, because their blocks keep their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from omnibot.blocks.layout.builders import context, escaped_parts, section, shorten
from omnibot.blocks.layout.button_versions import ClickedButton, named
from omnibot.blocks.layout.modals import View, modal, plain
from omnibot.blocks.layout.types import Block
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.orders.manual_entry import NAMES, TIMES, TYPES, UNITS, word
from omnibot.blocks.orders.status import ACCOUNT, DECISION, decision, utc
from omnibot.clearstreet.models.enums import OrderType, TimeInForce, TrailingOffsetType
from omnibot.orders.model import AMOUNTS, Terms, Ticket
from omnibot.orders.order_parser import PRICES, edited
from omnibot.orders.wording import changes, sentence
from omnibot.policy import money
from omnibot.policy.facts import OrderAction

#: How the callback_ids of the forms begin; they end with the mark of the version. Their `private_metadata` is what the
#: button carried that opened them.
EDIT_VIEW: Final = "order_edit"
REPLACE_VIEW: Final = "order_replace"
DECLINE_VIEW: Final = "order_decline"
#: How the action_ids of inputs begin; those that tell at once what was entered come as block_actions under them.
ENTERED_ACTION: Final = "order_entered"

_BLOCK: Final = "order_field:"
_REASON_BLOCK, _REASON_ACTION = "order_reason", "order_reason"
#: Characters of a reason, and of a field that is read.
REASON, _FIELD = 500, 200
_PROBLEM: Final = 150
_YES: Final = {"text": plain("May also trade outside regular hours"), "value": "yes"}

#: In either spelling of an opening or closing auction; each revision is written in its own.
_OFFERED_TIMES: Final = (
    TimeInForce.DAY,
    TimeInForce.GOOD_TILL_CANCEL,
    TimeInForce.GOOD_TILL_DATE,
    TimeInForce.IMMEDIATE_OR_CANCEL,
    TimeInForce.FILL_OR_KILL,
    TimeInForce.AT_OPEN,
    TimeInForce.AT_CLOSE,
)


def block_of(field: str) -> str:
    """The block_id of a field's input."""
    return f"{_BLOCK}{field}"


def field_of(block_id: str) -> str | None:
    """The field a block asks for; None: it is no input of an order."""
    field = block_id.removeprefix(_BLOCK)
    return field if block_id != field and field in NAMES else None


# -- forms ------------------------------------------------------------------------------------------------------------


def edit_view(
    ticket: Ticket, entered: Mapping[str, Any] | None = None, *, now: datetime, said: Sequence[str] = ()
) -> View:
    """The form that edits a ticket, with what would be proposed as things stand.

    Args:
        ticket: it waits for people.
        entered: what `read_form` found; None: the form is fresh.
        now: aware.
        said: what else is to be pointed out, such as the rules' reasons against it.
    """
    blocks = _form(ticket.terms, ticket.before, ticket.account_name, entered, now, said)
    callback = named(EDIT_VIEW, ticket.mark)
    return modal("Edit this order", blocks, submit="Use this", callback=callback, metadata=ticket.press, close="Leave")


def replace_view(
    ticket: Ticket,
    entered: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    said: Sequence[str] = (),
) -> View:
    """The form that changes a working order; what is left empty stays as it is.

    Args:
        ticket: the one whose order works; the rest as for `edit_view`.
    """
    before = ticket.working
    blank = Terms(act=OrderAction.MODIFY, account_id=ticket.account_id, order_id=ticket.order_id)
    blocks = _form(blank, before, ticket.account_name, entered, now, said)
    callback, about = named(REPLACE_VIEW, ticket.mark), str(ClickedButton(ticket.id, ticket.mark))
    return modal("Change this order", blocks, submit="Propose this", callback=callback, metadata=about, close="Leave")


def decline_view(ticket: Ticket) -> View:
    """The form that declines a ticket; saying why is welcome, not needed."""
    ask = _input(
        _REASON_BLOCK,
        "Why not?",
        {"type": "plain_text_input", "action_id": _REASON_ACTION, "multiline": True, "max_length": REASON},
        hint="Stands on the card, where everybody who sees it can read it.",
        optional=True,
    )
    blocks = [*_would(decision(ticket), "This would not be sent:"), ask]
    callback = named(DECLINE_VIEW, ticket.mark)
    return modal("Decline this order", blocks, submit="Decline", callback=callback, metadata=ticket.press)


def _form(
    terms: Terms,
    before: Terms | None,
    account_name: str,
    entered: Mapping[str, Any] | None,
    now: datetime,
    said: Sequence[str],
) -> list[Block]:
    new, problems = edited(terms, entered or {}, now)
    remarks = [f"{NAMES.get(field, field)}: {problem}" for field, problem in problems.items()]
    blocks: list[Block] = []
    if not problems and not _nothing_yet(new):
        words = sentence(new, account_name=shorten(account_name, ACCOUNT), before=before)
        blocks += _would(shorten(words, DECISION), "This would be proposed:")
        if terms.act is OrderAction.NEW and (different := changes(terms, new)):
            blocks.append(context(escape(shorten("Changes " + "; ".join(different), 600))))
    elif not problems:
        remarks = ["Enter what is to be changed."]
    blocks += [section(f"⚠ {part}") for one in [*remarks, *said][:10] for part in escaped_parts(shorten(one, 300))]
    blocks += [_field(name, new, before, entered) for name in form_fields(new, before)]
    blocks.append(context("A changed order has to be approved on its card: what was approved before does not count."))
    return blocks


def _nothing_yet(terms: Terms) -> bool:
    return terms.act is OrderAction.MODIFY and all(
        getattr(terms, name) is None for name in (*AMOUNTS, "trailing_offset_type")
    )


def form_fields(terms: Terms, before: Terms | None) -> tuple[str, ...]:
    """What a form asks for: by what is done, by the type of the order, and by how long it works."""
    if terms.act is OrderAction.CANCEL:
        return ()
    if terms.act is OrderAction.MODIFY:
        kind = before.order_type if before is not None else None
        prices = PRICES.get(kind) if isinstance(kind, OrderType) else None
        return ("quantity", *(("limit_price", "stop_price") if prices is None else prices))
    kind = terms.order_type
    prices = PRICES.get(kind, ()) if isinstance(kind, OrderType) else ()
    expiry = ("expires_at",) if terms.time_in_force is TimeInForce.GOOD_TILL_DATE else ()
    return ("quantity", "order_type", *prices, "time_in_force", *expiry, "extended_hours")


def _would(inert: str, label: str) -> list[Block]:
    text = {"type": "text", "text": inert, "style": {"bold": True}}
    said = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [text]}]}
    return [context(label), said | {"block_id": "order_sentence"}]


# -- inputs -----------------------------------------------------------------------------------------------------------


def _field(name: str, terms: Terms, before: Terms | None, entered: Mapping[str, Any] | None) -> Block:
    modify = terms.act is OrderAction.MODIFY
    now = getattr(before, name) if modify and before is not None else None
    hint = "" if now is None else f"Now {_exact(now) if isinstance(now, Decimal) else word(now)}; left empty, it stays."
    element: Block = {"action_id": f"{ENTERED_ACTION}:{name}"}
    value = getattr(terms, name)
    match name:
        case "order_type":
            element |= _select(TYPES, tuple(PRICES), value)
        case "time_in_force":
            element |= _select(TIMES, _OFFERED_TIMES, value)
        case "trailing_offset_type":
            element |= _select(UNITS, tuple(TrailingOffsetType), value)
        case "expires_at":
            element |= {"type": "datetimepicker"} | _moment(value)
        case "extended_hours":
            element |= {"type": "checkboxes", "options": [_YES]} | ({"initial_options": [_YES]} if value else {})
        case _:
            element |= _amount(value, (entered or {}).get(name))
    optional = modify or name == "extended_hours"
    return _input(block_of(name), NAMES[name], element, hint=hint, optional=optional, tells=True)


def _input(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False, tells: bool = False
) -> Block:
    made: Block = {"type": "input", "block_id": block_id, "label": plain(label), "element": element}
    made |= {"optional": True} if optional else {}
    made |= {"dispatch_action": True} if tells else {}
    return made | ({"hint": plain(shorten(hint, 200))} if hint else {})


def _amount(value: Decimal | None, typed: Any) -> Block:
    """A line to type an amount into; Enter shows what it would come to."""
    first = shorten(typed, _FIELD) if isinstance(typed, str) else "" if value is None else _exact(value)
    made: Block = {
        "type": "plain_text_input",
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    return made | ({"initial_value": first} if first else {})


def _exact(amount: Decimal) -> str:
    return f"{amount:f}" if money.known(amount) is not None else ""


def _moment(moment: datetime | None) -> Block:
    seconds = 0 if moment is None else int(utc(moment).timestamp())
    # Slack takes ten digits and no others.
    return {"initial_date_time": seconds} if 10**9 <= seconds < 10**10 else {}


def _select(words: Mapping[Any, str], offered: Sequence[Any], chosen: Any) -> Block:
    """A menu; what is chosen now is on it if it is a word we know."""
    if chosen in words and words[chosen] not in {words[one] for one in offered} and chosen.value != "OTHER":
        offered = (*offered, chosen)
    options = [{"text": plain(words[one]), "value": one.value} for one in offered]
    first = next((option for option in options if chosen in words and option["text"] == plain(words[chosen])), None)
    return {"type": "static_select", "options": options} | ({} if first is None else {"initial_option": first})


# -- what was entered -------------------------------------------------------------------------------------------------


def read_form(state: Any) -> dict[str, Any]:
    """What stands in a form, as `orders.drafts.edited` takes it; of what makes no sense, nothing. Never raises.

    Args:
        state: a view's `state`, as Slack sends it.
    """
    entered: dict[str, Any] = {}
    for block_id, element in _elements(state).items():
        field = field_of(block_id)
        if field is not None:
            entered[field] = _read(field, element)
    return entered


def read_reason(state: Any) -> str | None:
    """Why somebody declined; None: they did not say."""
    said = _elements(state).get(_REASON_BLOCK, {}).get("value")
    return (said.strip()[:REASON] or None) if isinstance(said, str) else None


def form_errors(problems: Mapping[str, str], state: Any) -> dict[str, str]:
    """Problems by block, as Slack wants them; of a field that is not there, or of none (""), at the first input."""
    inputs = [block_id for block_id in _elements(state) if field_of(block_id) is not None or block_id == _REASON_BLOCK]
    shown = inputs or [block_of("quantity")]
    errors: dict[str, str] = {}
    for field, problem in problems.items():
        here = block_of(field) in shown
        said = problem if here or not field else f"{NAMES.get(field, field)}: {problem}"
        errors.setdefault(block_of(field) if here else shown[0], shorten(said, _PROBLEM) or "This makes no sense.")
    return errors


def _elements(state: Any) -> dict[str, Mapping[str, Any]]:
    """By block what stands in its input."""
    values = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for block_id, inner in values.items() if isinstance(values, Mapping) else ():
        held = next(iter(inner.values()), None) if isinstance(inner, Mapping) else None
        if isinstance(block_id, str) and isinstance(held, Mapping):
            found[block_id] = held
    return found


def _read(field: str, element: Mapping[str, Any]) -> Any:
    """An empty text stands for nothing."""
    match field:
        case "order_type" | "time_in_force" | "trailing_offset_type":
            option = element.get("selected_option")
            value = option.get("value") if isinstance(option, Mapping) else None
        case "expires_at":
            return _read_moment(element.get("selected_date_time"))
        case "extended_hours":
            chosen = element.get("selected_options")
            return isinstance(chosen, list) and bool(chosen)
        case _:
            value = element.get("value")
    return value[:_FIELD] if isinstance(value, str) else ""


def _read_moment(seconds: Any) -> datetime | str:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return ""
