"""Why an order was refused, by machine code.

Source: the examples of submit_orders in the OpenAPI of 2026-08. An error's `details` say each reason twice, as
`{type, subject, description}` and as `{reason, domain, metadata}`; here each reason is said once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from omnibot.clearstreet.models.scalars import JSON


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `code` is the API's own (`BUYING_POWER`, `SELF_MATCH`, …); there is no closed list of them."""

    code: str
    description: str = ""
    """The API's words, empty when it has none."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Facts by name, such as `available` and `required_total`: text, as they came."""


def read_reasons(details: JSON) -> tuple[Reason, ...]:
    """The reasons in an error's `details`, in order. What has neither of the two shapes is left out; never raises."""
    found: dict[str, Reason] = {}
    for detail in details if isinstance(details, list) else [details]:
        if not isinstance(detail, dict):
            continue
        code = detail.get("type") or detail.get("reason")
        if not isinstance(code, str):
            continue
        description, metadata = detail.get("description"), detail.get("metadata")
        earlier = found.get(code, Reason(code))
        found[code] = Reason(
            code,
            description if isinstance(description, str) else earlier.description,
            {name: str(value) for name, value in metadata.items()} if isinstance(metadata, dict) else earlier.metadata,
        )
    return tuple(found.values())
