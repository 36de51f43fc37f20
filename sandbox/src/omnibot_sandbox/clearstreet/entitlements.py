"""Agreements and entitlements: who let Omni see which account's data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from omnibot_sandbox.clearstreet import bodies
from omnibot_sandbox.clearstreet.bodies import read_integer
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.revision import JSON, Revision
from omnibot_sandbox.clearstreet.store import Identifiers, timestamp
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit, answer

AGREEMENT_ID = "01JZ0000000000000000000000"
KEY = "omni_account_data_access"
CODE = "omni.account_data"


@dataclass(frozen=True, slots=True)
class Grant:
    """One account's data, granted to Omni."""

    id: str
    owner: str
    account_id: int
    code: str
    agreement_id: str
    granted_at: str

    def written(self, short_names: bool) -> JSON:
        """The grant as a revision writes it."""
        return {
            "agreement_id": self.agreement_id,
            "entitlement_code": self.code,
            "entitlement_id": self.id,
            "granted_at": self.granted_at,
            "account_id" if short_names else "trading_account_id": self.account_id,
        }


class Entitlements:
    """What one can do with entitlements; they belong to the caller, not to a thread."""

    def __init__(self, ids: Identifiers) -> None:
        self._ids = ids
        self.agreements = [dict(_AGREEMENT)]
        self.grants: dict[str, Grant] = {}
        #: Ids of grants that were taken back, and whose they were.
        self._withdrawn: dict[str, str] = {}
        #: What callers chose, by (key, account, code). The newest revision enables what nobody chose.
        self._chosen: dict[tuple[str, int, str], bool] = {}

    # What a test or the demo changes.

    def publish(self, document: str | None = None, *, key: str = KEY, title: str = "") -> JSON:
        """Publish an agreement, or the next version of one: earlier versions can no longer be signed.

        Args:
            document: markdown; without one, the short document that comes with the emulator.
            key: which agreement it is.
            title: its title; without one, that of the version before.
        """
        before = next((one for one in self.agreements if one["agreement_key"] == key), None)
        text = document if document is not None else _AGREEMENT["document_content"]
        after: JSON = {
            **(before or {**_AGREEMENT, "version": 0}),
            "agreement_id": self._ids.draw(),
            "agreement_key": key,
            "document_content": text,
            "document_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        after |= {"version": after["version"] + 1, **({"title": title} if title else {})}
        self.agreements = [*(one for one in self.agreements if one["agreement_key"] != key), after]
        return after

    def withhold(self, key: str, account_id: int, code: str = CODE) -> None:
        """Let the owner of this key have opted out for an account."""
        self._withdraw(key, account_id, code)

    def falsify(self, key: str = KEY) -> None:
        """Let the fingerprint of an agreement name another document."""
        for one in self.agreements:
            if one["agreement_key"] == key:
                one["document_sha256"] = hashlib.sha256(b"another document").hexdigest()

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {
            "GET /v1/omni-ai/entitlements": self.list_grants,
            "POST /v1/omni-ai/entitlements": self.grant,
            "DELETE /v1/omni-ai/entitlements/{entitlement_id}": self.revoke,
            "GET /v1/omni-ai/entitlement-agreements": self.list_agreements,
            "GET /v1/omni-ai/entitlement-status": self.list_status,
            "POST /v1/omni-ai/entitlements/opt-out": self.opt_out,
        }

    def enabled(self, key: str, account_id: int, revision: Revision) -> bool:
        """Whether Omni may see the data of a caller's account: by its grant, or unless somebody opted out."""
        if revision.extended:
            return self._chosen.get((key, account_id, CODE), True)
        return any((one.owner, one.account_id, one.code) == (key, account_id, CODE) for one in self.grants.values())

    def list_agreements(self, visit: Visit) -> Answer:
        """The documents that can be signed."""
        if not self.agreements and visit.revision.absence_refused:
            raise ApiError(404, "No active agreements")
        return answer(self.agreements)

    def list_grants(self, visit: Visit) -> Answer:
        """The caller's active grants."""
        short = visit.revision.short_names
        wanted = visit.allow(read_integer(visit.query, "account_id" if short else "trading_account_id"))
        own = [grant for grant in self.grants.values() if grant.owner == visit.key]
        return answer([grant.written(short) for grant in own if wanted in (None, grant.account_id)])

    def grant(self, visit: Visit) -> Answer:
        """Record consent. What was granted before stays as it is: the call may be repeated."""
        short = visit.revision.short_names
        accounts_name = "account_ids" if short else "trading_account_ids"
        codes_name = "entitlement_codes" if short else "requested_entitlement_codes"
        body = bodies.read_body(
            visit.raw,
            {"agreement_id": bodies.string, codes_name: bodies.codes, accounts_name: bodies.list_of(bodies.integer)},
        )
        pairs = _pairs(visit, body[accounts_name], body[codes_name])
        if all(agreement["agreement_id"] != body["agreement_id"] for agreement in self.agreements):
            raise ApiError(400, "agreement_id does not name a current agreement")
        granted = [self._upsert(visit.key, account, code, body["agreement_id"]) for account, code in pairs]
        return answer([grant.written(short) for grant in granted])

    def revoke(self, visit: Visit) -> Answer:
        """Take one grant back."""
        id = visit.path["entitlement_id"]
        grant = self.grants.get(id)
        if visit.revision.absence_refused and self._withdrawn.get(id) == visit.key:
            raise ApiError(409, "Entitlement is already inactive")
        if grant is None or grant.owner != visit.key:
            raise ApiError(404, "Entitlement not found")
        self._withdraw(visit.key, grant.account_id, grant.code)
        return answer({"entitlement_id": grant.id, "revoked": True})

    def list_status(self, visit: Visit) -> Answer:
        """Whether Omni may see each of the caller's accounts."""
        if not visit.revision.extended:
            raise ApiError(404)
        wanted = visit.allow(read_integer(visit.query, "account_id"))
        open_accounts = [account["id"] for account in visit.accounts if account.get("status") != "CLOSED"]
        return answer([self._status(visit.key, id, CODE) for id in open_accounts if wanted in (None, id)])

    def opt_out(self, visit: Visit) -> Answer:
        """Keep Omni from seeing these accounts."""
        if not visit.revision.extended:
            raise ApiError(404)
        fields = {"account_ids": bodies.list_of(bodies.integer), "entitlement_codes": bodies.codes}
        body = bodies.read_body(visit.raw, fields)
        pairs = _pairs(visit, body["account_ids"], body["entitlement_codes"])
        for account, code in pairs:
            self._withdraw(visit.key, account, code)
        return answer([self._status(visit.key, account, code) for account, code in pairs])

    def _upsert(self, key: str, account_id: int, code: str, agreement_id: str) -> Grant:
        self._chosen[key, account_id, code] = True
        for grant in self.grants.values():
            if (grant.owner, grant.account_id, grant.code, grant.agreement_id) == (key, account_id, code, agreement_id):
                return grant
        grant = Grant(self._ids.draw(), key, account_id, code, agreement_id, timestamp(datetime.now(UTC)))
        self.grants[grant.id] = grant
        return grant

    def _withdraw(self, key: str, account_id: int, code: str) -> None:
        self._chosen[key, account_id, code] = False
        for grant in list(self.grants.values()):
            if (grant.owner, grant.account_id, grant.code) == (key, account_id, code):
                del self.grants[grant.id]
                self._withdrawn[grant.id] = key

    def _status(self, key: str, account_id: int, code: str) -> JSON:
        enabled = self._chosen.get((key, account_id, code), True)
        return {"account_id": account_id, "enabled": enabled, "entitlement_code": code}


def _pairs(visit: Visit, accounts: list[int], codes: list[str]) -> list[tuple[int, str]]:
    if not accounts or not codes:
        raise ApiError(400, "at least one account and one entitlement code are required")
    for account in accounts:
        visit.allow(account)
    return [(account, code) for account in dict.fromkeys(accounts) for code in dict.fromkeys(codes)]


def long_document() -> str:
    """An agreement as lawyers write them: the short one, and a schedule of more than 30 kB."""
    parts = [_payload("agreement.md").rstrip(), _payload("agreement_schedule.md").rstrip()]
    clause = _payload("agreement_clause.md").rstrip()
    things = [line for line in _payload("agreement_data.txt").splitlines() if line.strip()]
    for number, line in enumerate(things, start=1):
        name, _, what = line.partition(": ")
        parts.append(clause.format(number=number, name=name, what=what))
    return "\n\n".join(parts) + "\n"


def _payload(name: str) -> str:
    return (files("omnibot_sandbox.clearstreet") / "payloads" / name).read_text("utf-8")


def _agreement() -> JSON:
    document = _payload("agreement.md")
    return {
        "agreement_id": AGREEMENT_ID,
        "agreement_key": KEY,
        "document_content": document,
        "document_sha256": hashlib.sha256(document.encode()).hexdigest(),
        "entitlement_codes": [CODE],
        "title": "Omni AI Account Data Access Agreement",
        "version": 3,
    }


_AGREEMENT = _agreement()
