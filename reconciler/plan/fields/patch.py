"""Turns a change inside a field into operations of a JSON Patch (RFC 6902) that touch only what is stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.dataclass import dataclass
from reconciler.core.model import MISSING, Json, JsonObject, Missing, Secret
from reconciler.core.secrets import holds_secret, reveal
from reconciler.plan.fields.overlay import part_laid_over
from reconciler.plan.normalize import canonical, differs
from reconciler.provider.schema_views import facts, is_stated, member_views, read_as, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.provider.model import Field
    from reconciler.provider.schema_views import Views


def deep_operations(field: Field, wanted: Json, body: JsonObject) -> Iterator[Json]:
    """The operations that make a field of `body` what is wanted, by path.

    An array is replaced whole: an index would rely on the server's order of its members.
    """
    for part in _differing(field, wanted, body):
        value = part_laid_over(part.of, part.wanted, part.live)
        clear = _clear(field, part)
        if value is None and clear is not None:
            if clear.get("remove"):
                yield {"op": "remove", "path": part.path}
                continue
            value = clear["value"]
        # The target of a `replace` must exist (RFC 6902 section 4.3), else the whole patch is refused;
        # a server may show null for what it does not hold. An `add` is right in both cases (4.1).
        exists = part.live is not MISSING and part.live is not None
        yield {"op": "replace" if exists else "add", "path": part.path, "value": value}


def deep_tests(field: Field, wanted: Json, body: JsonObject, *, hidden: bool) -> Iterator[Json]:
    """The `test` operations that compare with `body` what `deep_operations` changes of a field."""
    for part in _differing(field, wanted, body):
        live = part.live
        # Null and what the server shows in place of a secret are no values that it could test.
        if live is MISSING or live is None or isinstance(live, float) or _is_masked(live):
            continue
        # As it is and not canonical: a test compares arrays member by member (RFC 6902 section 4.6).
        value = Secret(reveal(live)) if hidden and not holds_secret(live) else live
        yield {"op": "test", "path": part.path, "value": value}


def without_tests(operations: Sequence[Json]) -> list[Json]:
    """The operations of a JSON Patch that change something."""
    return [
        each for each in operations if not (isinstance(each, dict) and each.get("op") == "test")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A value that differs: where answers have it, what is wanted and live, and what speaks of it."""

    path: str
    wanted: Json
    live: Json | Missing
    of: Views


def _differing(field: Field, wanted: Json, body: JsonObject) -> list[_Part]:
    """What differs in a field, as deep as it can be told."""
    whole = _Part(
        path=field.read_as,
        wanted=canonical(field, wanted),
        live=body.get(field.name, MISSING),
        of=views(field.schema),
    )
    # A field that only as a whole is equal to what is live has to be sent as a whole.
    return list(_members(whole)) or [whole]


def _members(part: _Part) -> Iterator[_Part]:
    if isinstance(part.wanted, dict) and isinstance(part.live, dict):
        for name, member in sorted(part.wanted.items()):
            of = member_views(part.of, name)
            if not is_stated(of, "volatile"):
                path = f"{part.path}{read_as(of, name)}"
                yield from _members(
                    _Part(path=path, wanted=member, live=part.live.get(name, MISSING), of=of)
                )
    elif differs(part.of, part.wanted, part.live):
        yield part


def _clear(field: Field, part: _Part) -> JsonObject | None:
    """How null is written: the field's own word, or that of a member inside it."""
    if part.path == field.read_as:
        clear = field.clear
        return None if clear is None else {"remove": clear.remove, "value": clear.value}
    found = (facts(view).get("clear") for view in part.of)
    return next((word for word in found if isinstance(word, dict)), None)


def _is_masked(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    if isinstance(value, list):
        return any(map(_is_masked, value))
    return isinstance(value, Secret) and value.masked
