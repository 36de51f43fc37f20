"""Clear Street's rejection codes in plain words. Pure; an unknown code is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omnibot.clearstreet.models.rejections import Reason, read_reasons
from omnibot.errors import ClearStreetError, NotEntitled, NotFound, RateLimited, Unauthorised

#: By machine code, what it means; facts of the refusal stand in braces, and a sentence that lacks one goes without it.
_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "BUYING_POWER": (
        "The account's buying power is too small: the order needs ${required_total}, and ${available} is there.",
        "The account's buying power is too small.",
    ),
    "SELF_MATCH": (
        "It would trade with the account's own open order at {price}.",
        "It would trade with an open order of the same account.",
    ),
    "INVALID_TICK_SIZE": (
        "{symbol} is priced in steps of ${tick_size}, and {price} is none of them.",
        "The price is not on a step in which this is priced.",
    ),
    "LIQUIDATION_ONLY": (
        "In {symbol} positions can only be closed, not opened.",
        "Positions can only be closed, not opened.",
    ),
    "OPTIONS_LEVEL_EXCEEDED": ("The account may not trade this option.",),
    "UNSUPPORTED_SECURITY": ("{symbol} cannot be traded this way.", "This cannot be traded this way."),
    "INSUFFICIENT_LOCATE_INVENTORY": (
        "There are not enough shares of {symbol} to borrow for a short sale.",
        "There are not enough shares to borrow for a short sale.",
    ),
}
_LONGEST, _MOST = 300, 5


def refusal(error: ClearStreetError) -> str:
    """Why an order was refused, for people."""
    reasons = read_reasons(error.details)
    if reasons:
        return " ".join(dict.fromkeys(_sentence(reason) for reason in reasons[:_MOST]))
    match error:
        case RateLimited():
            return "Clear Street is too busy to take it, and did nothing."
        case Unauthorised():
            return "Clear Street does not accept the API key it was sent with."
        case NotEntitled():
            return _with("The API key may not trade on this account", error)
        case NotFound():
            return _with("Clear Street knows no such order or account, or the order is over", error)
        case _:
            return _with("Clear Street did not accept it", error)


def details(said: Sequence[str]) -> str:
    """What Clear Street says about an order, as it says it."""
    return "; ".join(_cut(one) for one in said[:_MOST])


def _sentence(reason: Reason) -> str:
    for sentence in _SENTENCES.get(reason.code, ()):
        try:
            return sentence.format_map({name: _cut(value) for name, value in reason.metadata.items()})
        except KeyError:
            continue
    said = f": {reason.description}" if reason.description else ""
    return _cut(f"Clear Street refused it with {reason.code}{said}") + "."


def _with(sentence: str, error: ClearStreetError) -> str:
    return f"{sentence}: “{_cut(error.api_message)}”" if error.api_message else f"{sentence}."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
