"""Run by the interpreter of an environment that has the official SDK (and none of omnibot's packages).

Reads one JSON request a line, {base_url, call, arguments}, and writes one JSON answer a line:

    data      what the SDK made of the answer, as JSON
    unknown   paths of fields that no model of the SDK knows
    error     instead of both: the exception's name, its status if it has one, and its text
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import reduce
from typing import Any

import clearstreet  # type: ignore[import-not-found]  # installed there, not here
from clearstreet import ClearStreet, DefaultHttpxClient
from clearstreet._models import BaseModel  # type: ignore[import-not-found]


def unknown(value: Any, where: str) -> Iterator[str]:
    """Fields the API sent that the SDK has no name for."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{where}.{name}"
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name, None), f"{where}.{name}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from unknown(item, f"{where}[{place}]")


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """One call of the SDK."""
    client = ClearStreet(
        api_key="demo-key",
        base_url=request["base_url"],
        timeout=60,
        max_retries=0,
        http_client=DefaultHttpxClient(verify=False),  # loading certificates for loopback takes longer than the call
        _strict_response_validation=True,
    )
    with client:
        call = reduce(getattr, request["call"].split("."), client)
        try:
            answer = call(**request["arguments"])
        except clearstreet.ClearStreetError as error:
            return {"error": [type(error).__name__, getattr(error, "status_code", None), str(error)]}
    return {
        "data": answer.model_dump(mode="json", by_alias=True)["data"],
        "unknown": sorted(set(unknown(answer, "answer"))),
    }


for line in sys.stdin:
    print(json.dumps(perform(json.loads(line))), flush=True)
