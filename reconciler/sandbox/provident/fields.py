"""Turns the body of a Provident create or update into the issues that the vendor reports."""

from __future__ import annotations

import ipaddress
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUIRED: Final = ("name", "redirectUris", "allowedScopes")
CREATE_DEFAULTS: Final[dict[str, Any]] = {
    "tokenLifetimeSeconds": 3600,
    "rateLimitCount": 200,
    "rateLimitWindowSeconds": 43200,
    "ipRestriction": False,
    "allowedIps": [],
}
_LIFETIMES: Final = (0, 3600, 10800, 21600, 43200, 86400)


def issues(fields: Mapping[str, Any], *, accepts_activity: bool) -> list[tuple[str, str]]:
    """The (field, problem) of every field that is unknown or malformed.

    `accepts_activity` where `isActive` may be set, which only an update can.
    """
    found = []
    for name, value in fields.items():
        check = None if name == "isActive" and not accepts_activity else _CHECKS.get(name)
        problem = "unrecognized key" if check is None else check(value)
        if problem:
            found.append((name, problem))
    return found


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "expected a string"


def _texts(value: object) -> str:
    fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return "" if fits else "expected an array of strings"


def _boolean(value: object) -> str:
    return "" if isinstance(value, bool) else "expected a boolean"


def _lifetime(value: object) -> str:
    fits = _is_number(value) and value in _LIFETIMES
    return "" if fits else f"expected one of {', '.join(map(str, _LIFETIMES))}"


def _at_least(minimum: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        fits = _is_number(value) and value >= minimum
        return "" if fits else f"expected a number >= {minimum}"

    return check


def _is_number(value: object) -> bool:
    # JSON has no infinity, but 1e999 parses to one.
    return isinstance(value, int | float) and not isinstance(value, bool) and value != math.inf


def _addresses(value: object) -> str:
    if _texts(value) or not isinstance(value, list):
        return _texts(value)
    return next((f"{item!r} is no IP or CIDR" for item in value if not _is_network(item)), "")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


_CHECKS: Final[dict[str, Callable[[Any], str]]] = {
    "name": _text,
    "redirectUris": _texts,
    "allowedScopes": _texts,
    "isActive": _boolean,
    "tokenLifetimeSeconds": _lifetime,
    "rateLimitCount": _at_least(0),
    "rateLimitWindowSeconds": _at_least(1),
    "ipRestriction": _boolean,
    "allowedIps": _addresses,
}
