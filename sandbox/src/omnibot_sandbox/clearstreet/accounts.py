"""Trading accounts, as the list of a key's accounts shows them."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.clearstreet.paging import cut
from omnibot_sandbox.clearstreet.visits import Answer, Visit

JSON = dict[str, Any]

_PAGE_SIZE = 1000


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


#: Keys of people's own, to be linked in the demo: Ana has two accounts, Ben one.
ANAS_KEY, BENS_KEY = "demo-ana-7f3c9a41", "demo-ben-2e8d5b60"
#: The keys an emulator knows when its maker names none.
DEMO_KEYS: dict[str, list[JSON]] = {
    "demo-key": [account(19816, "Main"), account(19817, "Old Main", "CLOSED")],
    "second-key": [account(20001, "Second"), account(20002, "Second Retirement", subtype="CASH")],
    ANAS_KEY: [account(30001, "Ana Growth"), account(30002, "Ana Retirement", subtype="CASH")],
    BENS_KEY: [account(40001, "Ben Main")],
}


def list_accounts(visit: Visit) -> Answer:
    """The caller's accounts, the closed ones too; `account_id` is the beginning of an id, `account_name` any piece."""
    id, name = visit.query.get("account_id", ""), visit.query.get("account_name", "").casefold()
    named = [a for a in visit.accounts if name in str(a.get("full_name", "")).casefold()]
    found = [a for a in named if str(a["id"]).startswith(id)]
    page, metadata = cut(found, visit.query, _PAGE_SIZE, newest_first=False, nulls=True, largest=_PAGE_SIZE)
    if visit.revision.extended:
        page = [{"account_holder_entity_kind": "NATURAL_PERSON", **a} for a in page]
    else:
        metadata = {name: value for name, value in metadata.items() if value is not None}
    return Answer(page, metadata, explicit=True)
