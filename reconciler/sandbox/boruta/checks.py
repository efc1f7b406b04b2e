"""Casts the values of a request as Ecto does, and checks them one by one as Boruta's changesets do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Mode = Literal["create", "update"]
INVALID: Final = "is invalid"
GRANTS: Final = (
    "client_credentials",
    "password",
    "authorization_code",
    "agent_code",
    "refresh_token",
    "implicit",
    "revoke",
    "introspect",
    "id_token",
    "vp_token",
    "preauthorized_code",
    "agent_credentials",
)


def cast_number(value: Any) -> Any:
    """A number in digits as a number, as Ecto casts it."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) else value


def cast_flag(value: Any) -> Any:
    """A boolean as text as a boolean, as Ecto casts it."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def cast_list(value: Any) -> Any:
    """A list without its empty texts, which Ecto takes for no values at all."""
    return [each for each in value if each != ""] if isinstance(value, list) else value


def anything(_value: Any, _mode: Mode) -> list[str]:
    """Take every value."""
    return []


def mapping(value: Any, _mode: Mode) -> list[str]:
    """Take a mapping."""
    return [] if isinstance(value, dict) else [INVALID]


def text_value(value: Any, _mode: Mode) -> list[str]:
    """Take a text."""
    return [] if isinstance(value, str) else [INVALID]


def boolean(value: Any, _mode: Mode) -> list[str]:
    """Take a boolean."""
    return [] if isinstance(value, bool) else [INVALID]


def one_of(*allowed: str) -> Callable[[Any, Mode], list[str]]:
    """Take one of these texts."""
    return lambda value, _mode: [] if isinstance(value, str) and value in allowed else [INVALID]


def from_one_second(value: Any, _mode: Mode) -> list[str]:
    """Take a whole number from 1."""
    return [] if type(value) is int and value >= 1 else [INVALID]


def seconds(create: int | None, update: int | None) -> Callable[[Any, Mode], list[str]]:
    """Take a number of seconds up to the limit of a create or an update; None is no limit."""

    def check(value: Any, mode: Mode) -> list[str]:
        most = create if mode == "create" else update
        fits = isinstance(value, int) and not isinstance(value, bool)
        return [] if fits and (most is None or 1 <= value <= most) else [INVALID]

    return check


def addresses(value: Any, _mode: Mode) -> list[str]:
    """Take redirect URIs, and name each that is none."""
    if isinstance(value, list) and None in value:
        return ["empty values are not allowed"]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return [INVALID]
    return [f"`{item}` is invalid" for item in value if not _is_address(item)]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    # Elixir tells a host that is empty from none: `https:///cb` has one.
    return bool(parts.scheme) and text[len(parts.scheme) + 1 :].startswith("//") and "#" not in text


def grants(value: Any, mode: Mode) -> list[str]:
    """Take grant types, each once."""
    # Those that are there twice are not a part of the list either.
    found = members(GRANTS, f"must be part of {', '.join(GRANTS)}")(value, mode)
    return found or (
        [] if len(set(value)) == len(value) else [f"must be part of {', '.join(GRANTS)}"]
    )


def members(allowed: tuple[str, ...], wrong: str) -> Callable[[Any, Mode], list[str]]:
    """Take a list of these texts; `wrong` says of any other that it is refused."""

    def check(value: Any, _mode: Mode) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return [INVALID]
        return [] if set(value) <= set(allowed) else [wrong]

    return check
