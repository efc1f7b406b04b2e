"""Says what a server made of a value that it was sent: the same, another spelling of it, or not what was asked."""

from __future__ import annotations

import re
import string
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from reconciler.core.model import MISSING, Json, Missing
from reconciler.core.values import canonical_json, same
from reconciler.plan.fields.parts import secret_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.changes import FieldChange

# What `_meaning` makes of null, "", [], {} and a member that is not there.
_NOTHING: Final = ("nothing",)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
# RFC 3986 section 2.3: an escape of one of these means the character itself.
_UNRESERVED: Final = string.ascii_letters + string.digits + "-._~"


class Taken(Enum):
    """What became of a value that was sent."""

    DONE = "done"
    SPELLING = "spelling"
    NOT_TAKEN = "not taken"


def what_was_taken(before: Json | Missing, wanted: Json, now: Json | Missing) -> Taken:
    """What a server that shows `now` made of `wanted`; `before` is what it showed until then.

    All are canonical, and cut to what is declared. A value that is still the one from before was
    not taken, whatever it looks like. A server may spell a value otherwise: what it drops of it, or
    adds to it, is no spelling.
    """
    if same(wanted, now):
        return Taken.DONE
    if same(before, now):
        return Taken.NOT_TAKEN
    return Taken.SPELLING if is_spelling(wanted, now) else Taken.NOT_TAKEN


def not_taken(
    answered: Iterable[FieldChange], planned: Mapping[str, FieldChange]
) -> tuple[FieldChange, ...]:
    """The fields of `answered`, which an answer shows otherwise than they were wanted, that are not done.

    `planned` are the changes that were to be made, by field. Of a field that was not to change, only
    another spelling is what it was before.
    """
    return tuple(
        change
        for change in answered
        if what_was_taken(_before(planned, change), change.after, change.before) is Taken.NOT_TAKEN
    )


def _before(planned: Mapping[str, FieldChange], change: FieldChange) -> Json | Missing:
    # Never the same as any value: there was none, or it was as wanted.
    return planned[change.field].before if change.field in planned else _NOTHING


def untaken_sentence(change: FieldChange, planned: Iterable[FieldChange]) -> str:
    """What a server did with a field that it did not take; `planned` are the changes that were to be made."""
    wanted, now = secret_text(change.after), secret_text(change.before)
    before = {field.field: field.before for field in planned}
    if change.field in before and same(before[change.field], change.before):
        return (
            f"the server accepted the request and still shows {change.field} as it was before, "
            f"{now} in place of {wanted}"
        )
    return f"the server accepted the request and shows {change.field} as {now} in place of {wanted}"


def is_spelling(wanted: Json, now: Json | Missing) -> bool:
    """Whether two values mean the same to a server that spells them its own way.

    Order and duplicates in a list count as spelling, and so do blanks at the ends, the case of a
    text, a slash at the end of an address, its default port and how its characters are escaped. Of
    an address, the case of what comes after the host does not.
    """
    return _meaning(wanted) == _meaning(now)


def _meaning(value: Json | Missing) -> object:
    if value is MISSING or value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, str):
        return _text(value.strip())
    if isinstance(value, bool):
        return ("text", "true" if value else "false")
    return _number_or_inside(value)


def _number_or_inside(value: Json) -> object:
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, list):
        # Sorted by its text: meanings of several kinds have no order among them.
        return ("list", *sorted({repr(_meaning(item)) for item in value}))
    if isinstance(value, dict):
        members = ((name, _meaning(value[name])) for name in sorted(value))
        some = [each for each in members if each[1] != _NOTHING]
        return ("object", *some) if some else _NOTHING
    # A fingerprint: of a secret there is no other spelling.
    return ("other", repr(value))


def _text(text: str) -> object:
    if not text:
        return _NOTHING
    if _NUMBER.fullmatch(text):
        return ("number", float(text))
    if "://" in text:
        return ("address", _address(text))
    return ("text", _network(text) or text.casefold())


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except (UnicodeError, ValueError):
        return text
    user = parts.netloc.rpartition("@")[0]
    shown = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else str(port)
    rest = (_escaped(part) for part in (parts.path.rstrip("/"), parts.query, parts.fragment))
    return canonical_json([parts.scheme, user, host, shown, *rest])


def _escaped(text: str) -> str:
    """`text` with every escape in capitals, and none where a character needs none (RFC 3986 section 6.2.2)."""
    plain = _ESCAPE.sub(lambda found: _unescaped(found[0]), text)
    return quote(plain, safe=string.printable)


def _unescaped(escape: str) -> str:
    character = unquote(escape)
    return character if character in _UNRESERVED else escape.upper()


def _network(text: str) -> str:
    """An IP address or a network in the one spelling of all; "" for any other text."""
    if not text[0].isalnum() and text[0] != ":":
        return ""
    import ipaddress  # noqa: PLC0415 - 8 ms, and only where a server answers otherwise

    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return ""
