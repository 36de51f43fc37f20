"""Trading accounts, as the list of a key's accounts shows them."""

from __future__ import annotations

from typing import Any

from omnibot.emulator.clearstreet.bodies import read_integer
from omnibot.emulator.clearstreet.visits import Answer, Visit, answer

JSON = dict[str, Any]


def account(id: int, name: str, status: str = "ACTIVE", **extra: Any) -> JSON:
    """One account as the API writes it."""
    return {
        "account_holder_entity_id": 987_000_000 + id,
        "close_date": "2024-08-01" if status == "CLOSED" else None,
        "full_name": name,
        "id": id,
        "open_date": "2023-01-15",
        "options_level": 1,
        "short_name": name.upper().replace(" ", "-"),
        "status": status,
        "subtype": "MARGIN",
        "type": "CUSTOMER",
        **extra,
    }


#: The keys an emulator knows when its maker names none.
DEMO_KEYS: dict[str, list[JSON]] = {
    "demo-key": [account(19816, "Main"), account(19817, "Old Main", "CLOSED")],
    "second-key": [account(20001, "Second"), account(20002, "Second Retirement", subtype="CASH")],
}


def list_accounts(visit: Visit) -> Answer:
    """The caller's accounts, the closed ones too."""
    wanted = read_integer(visit.query, "account_id")
    name = visit.query.get("account_name", "").casefold()
    found = [a for a in visit.accounts if wanted in (None, a["id"]) and name in str(a.get("full_name", "")).casefold()]
    page, metadata = visit.page(found, newest_first=False)
    if visit.revision.extended:
        page = [{"account_holder_entity_kind": "NATURAL_PERSON", **a} for a in page]
    return answer(page, metadata)
