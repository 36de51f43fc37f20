"""Money is never a float: not in a field, an argument or a result of the packages that calculate with it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import omnibot.clearstreet.models
import omnibot.orders
import omnibot.policy

#: Seconds, and nothing else, may be floats.
TIMES = frozenset({"seconds", "wait", "grace", "after", "timeout", "patience", "pace", "retry_after", "within"})


def modules() -> Iterator[ModuleType]:
    for package in (omnibot.orders, omnibot.policy, omnibot.clearstreet.models):
        yield package
        for found in pkgutil.iter_modules(package.__path__):
            yield importlib.import_module(f"{package.__name__}.{found.name}")


def annotated(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Every annotation of a module: of its constants, its classes' fields, its functions' arguments and results."""
    yield from module_hints(module.__name__, module)
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(thing):
            yield from module_hints(f"{module.__name__}.{name}", thing)
            for inner, method in vars(thing).items():
                function = method.fget if isinstance(method, property) else getattr(method, "__func__", method)
                if inspect.isfunction(function):
                    yield from module_hints(f"{module.__name__}.{name}.{inner}", function)
        elif inspect.isfunction(thing):
            yield from module_hints(f"{module.__name__}.{name}", thing)


def module_hints(place: str, thing: Any) -> Iterator[tuple[str, Any]]:
    try:
        hints = typing.get_type_hints(thing)
    except (NameError, TypeError):
        hints = dict(getattr(thing, "__annotations__", {}))  # as they are written, which tells as much
    for name, hint in hints.items():
        yield f"{place}:{name}", hint


def has_float(hint: Any) -> bool:
    if isinstance(hint, str):
        return "float" in hint
    return hint is float or any(has_float(one) for one in typing.get_args(hint))


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_money_is_never_a_float(module: ModuleType):
    found = [place for place, hint in annotated(module) if has_float(hint)]
    wrong = [place for place in found if place.split(":")[-1] not in TIMES and not place.endswith("_pace:return")]
    assert wrong == []


def test_the_walk_sees_what_it_looks_for():
    from omnibot.orders.model import Terms

    found = dict(annotated(importlib.import_module(Terms.__module__)))
    assert "omnibot.orders.model.Terms:limit_price" in found
    assert has_float(list[float | None])
    assert has_float("dict[str, float]")
