"""Turns a change inside a field into operations of a JSON Patch (RFC 6902) that touch only what is stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, JsonObject, Missing, Secret
from reconciler.core.pointer import escape
from reconciler.core.secrets import holds_secret, reveal
from reconciler.core.values import same
from reconciler.plan.fields.overlay import laid_over
from reconciler.plan.normalize import canonical
from reconciler.provider.schema_views import facts, member_views, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.provider.model import Field
    from reconciler.provider.schema_views import Views


def deep_operations(field: Field, wanted: Json, body: JsonObject) -> Iterator[Json]:
    """The operations that make a field of `body` what is wanted, by path.

    An array is replaced whole: an index would rely on the server's order of its members.
    """
    for pointer, after, live, of in _differing(field, wanted, body):
        path = f"/{escape(field.read_as)}{pointer}"
        value = laid_over(field, wanted, live) if not pointer else after
        clear = _clear(field, of, pointer)
        if value is None and clear is not None:
            if clear.get("remove"):
                yield {"op": "remove", "path": path}
                continue
            value = clear["value"]
        # The target of a `replace` must exist (RFC 6902 section 4.3), else the whole patch is refused;
        # a server may show null for what it does not hold. An `add` is right in both cases (4.1).
        exists = live is not MISSING and live is not None
        yield {"op": "replace" if exists else "add", "path": path, "value": value}


def deep_tests(field: Field, wanted: Json, body: JsonObject, *, hidden: bool) -> Iterator[Json]:
    """The `test` operations that compare with `body` what `deep_operations` changes of a field."""
    for pointer, _, live, _ in _differing(field, wanted, body):
        # Null and what the server shows in place of a secret are no values that it could test.
        if live is MISSING or live is None or isinstance(live, float) or _is_masked(live):
            continue
        # As it is and not canonical: a test compares arrays member by member (RFC 6902 section 4.6).
        value = Secret(reveal(live)) if hidden and not holds_secret(live) else live
        yield {"op": "test", "path": f"/{escape(field.read_as)}{pointer}", "value": value}


def without_tests(operations: Sequence[Json]) -> list[Json]:
    """The operations of a JSON Patch that change something."""
    return [
        each for each in operations if not (isinstance(each, dict) and each.get("op") == "test")
    ]


def _differing(
    field: Field, wanted: Json, body: JsonObject
) -> Iterator[tuple[str, Json, Json | Missing, Views]]:
    """What differs in a field, as deep as it can be told: the pointer, wanted, live and the schema's views."""
    stated, live = canonical(field, wanted), body.get(field.read_as, MISSING)
    # A field that only as a whole is equal to what is live has to be sent as a whole.
    found = list(_members(views(field.schema), stated, live, ""))
    yield from found or [("", stated, live, views(field.schema))]


def _members(
    of: Views, wanted: Json, live: Json | Missing, pointer: str
) -> Iterator[tuple[str, Json, Json | Missing, Views]]:
    if isinstance(wanted, dict) and isinstance(live, dict):
        for name, member in sorted(wanted.items()):
            below = f"{pointer}/{escape(name)}"
            yield from _members(member_views(of, name), member, live.get(name, MISSING), below)
    elif not same(reveal(wanted), reveal(live)):
        yield pointer, wanted, live, of


def _clear(field: Field, of: Views, pointer: str) -> JsonObject | None:
    """How null is written: the field's own word, or that of a member inside it."""
    if not pointer:
        clear = field.clear
        return None if clear is None else {"remove": clear.remove, "value": clear.value}
    found = (facts(view).get("clear") for view in of)
    return next((word for word in found if isinstance(word, dict)), None)


def _is_masked(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    if isinstance(value, list):
        return any(map(_is_masked, value))
    return isinstance(value, Secret) and value.masked
