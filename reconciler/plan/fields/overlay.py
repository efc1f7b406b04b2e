"""Lays what is wanted of a field over what is live, so that a request drops nothing that nobody stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import MISSING, Json, JsonObject, Missing, Secret
from reconciler.core.pointer import escape
from reconciler.plan.normalize import (
    canonical,
    differs,
    identity,
    live_by_identity,
    sorted_members,
)
from reconciler.provider.schema_views import (
    compare_by,
    facts,
    is_stated,
    item_views,
    member_views,
    says,
    says_secret,
    views,
)
from reconciler.provider.spelling import answer_names, first_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.provider.model import Field, Provider
    from reconciler.provider.schema_views import Views


def laid_over(field: Field, wanted: Json, live: Json | Missing) -> Json:
    """`wanted` of a field with the live members that it does not state, in canonical form.

    An object is as deep as the comparison (RFC 7396, where null is a value like any other). A list
    is a value, but for the objects in one whose members are told apart by a key.
    """
    return part_laid_over(views(field.schema), canonical(field, wanted), live)


def part_laid_over(of: Views, wanted: Json, live: Json | Missing) -> Json:
    """The same for a value, canonical, of which `of` speaks."""
    by = compare_by(of)
    if by and isinstance(wanted, list) and isinstance(live, list):
        return _keyed_list(of, by, wanted, live)
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        return wanted
    left = _carried_members(of, {name: live[name] for name in live if name not in wanted})
    stated = {
        name: part_laid_over(member_views(of, name), member, live.get(name, MISSING))
        for name, member in wanted.items()
    }
    whole = {**left, **stated}
    return {name: whole[name] for name in sorted(whole)}


def merged_part(field: Field, wanted: Json, live: Json | Missing) -> Json:
    """The part of `wanted` that a server which merges objects at every depth has to be sent (RFC 7396).

    Of an object, those members that differ from `live`; of all else, what `laid_over` makes of it.
    """
    stated, of = canonical(field, wanted), views(field.schema)
    if not isinstance(stated, dict) or not isinstance(live, dict):
        return part_laid_over(of, stated, live)
    # A field that only as a whole is equal to what is live has to be sent as a whole.
    return _differing(of, stated, live) or part_laid_over(of, stated, live)


def _differing(of: Views, wanted: JsonObject, live: JsonObject) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, member in sorted(wanted.items()):
        now, inner = live.get(name, MISSING), member_views(of, name)
        if is_stated(inner, "volatile") or not differs(inner, member, now):
            continue
        if isinstance(member, dict) and isinstance(now, dict):
            found[name] = _differing(inner, member, now)
        else:
            found[name] = part_laid_over(inner, member, now)
    return found


def _keyed_list(of: Views, by: Sequence[str], wanted: Sequence[Json], live: Sequence[Json]) -> Json:
    index, inner = live_by_identity(by, live), item_views(of, 0)
    merged = [
        member
        if (place := index.get(identity(by, member))) is None
        # Not the other names of the same thing: which of two counts would depend on the server.
        else part_laid_over(inner, member, _without(by, live[place]))
        for member in wanted
    ]
    return sorted_members(merged) if is_stated(of, "set") else merged


def _without(names: Sequence[str], member: Json) -> dict[str, Json]:
    members = member if isinstance(member, dict) else {}
    return {name: value for name, value in members.items() if name not in names}


def carried(field: Field, live: Json) -> Json | Missing:
    """`live` as a request may carry it back, in canonical form; MISSING where it must not.

    That is without what only the server writes, and without what it shows in place of a secret.
    """
    if _hides_secret(live, secret=field.secret):
        return MISSING
    return _sorted(_carried(views(field.schema), live))


def _carried(of: Views, live: Json) -> Json:
    if isinstance(live, dict):
        return _carried_members(of, live)
    if not isinstance(live, list):
        return live
    by = compare_by(of)
    kept = [_carried_item(by, item_views(of, index), item) for index, item in enumerate(live)]
    return sorted_members(kept) if is_stated(of, "set") else kept


def _carried_item(by: Sequence[str], of: Views, item: Json) -> Json:
    """An object in a list with keys, by its surest identifier alone of several."""
    if not isinstance(item, dict) or not by:
        return _carried(of, item)
    names = [name for name in by if name in item]
    # Beside a second identifier that is out of date, it depends on the server which one counts.
    return _carried_members(of, _without(names[1:], item))


def _carried_members(of: Views, live: JsonObject) -> dict[str, Json]:
    return {
        name: _carried(inner, member)
        for name, member in live.items()
        if not says(inner := member_views(of, name), "readOnly")
        and not _hides_secret(member, secret=says_secret(inner))
    }


def _hides_secret(live: Json, *, secret: bool) -> bool:
    """Whether a server shows this in the place of a secret: sent back, it would become the secret."""
    return (isinstance(live, Secret) and live.masked) or (secret and live == "")


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(member) for member in value] if isinstance(value, list) else value


def unknown_members(provider: Provider, body: JsonObject) -> dict[str, Json]:
    """The live members that no field describes, as a whole PUT has to carry them back.

    Left out are those that the descriptor points to, which are the server's own.
    """
    return {
        name: _carried((), value)
        for name, value in _undescribed(provider, body).items()
        if not _hides_secret(value, secret=False)
    }


def hidden_unknown_members(provider: Provider, body: JsonObject) -> Iterator[str]:
    """The JSON Pointers of what no field describes and the server shows a mask of, as `hidden_members` has them."""
    for name, value in _undescribed(provider, body).items():
        yield from _hidden((), MISSING, value, f"/{escape(name)}")


def _undescribed(provider: Provider, body: JsonObject) -> dict[str, Json]:
    identity_of = provider.identity
    pointers = (identity_of.pointer, identity_of.created, identity_of.last_used)
    own = {first_name(pointer) for pointer in pointers if pointer}
    known = answer_names(provider) | own
    return {name: value for name, value in body.items() if name not in known}


def hidden_members(field: Field, wanted: Json | Missing, live: Json | Missing) -> Iterator[str]:
    """The JSON Pointers of secrets that a request would have to carry, and of which the server shows a mask.

    Those that `wanted` states are none of them, nor those that the server keeps by itself.
    """
    for pointer in _hidden(views(field.schema), wanted, live, ""):
        yield f"/{escape(field.name)}{pointer}"


def _hidden(of: Views, wanted: Json | Missing, live: Json | Missing, pointer: str) -> Iterator[str]:
    if says(of, "readOnly") or (wanted is not MISSING and not isinstance(wanted, dict)):
        return
    if isinstance(live, Secret) and live.masked and wanted is MISSING and not _is_kept(of):
        yield pointer
    if isinstance(live, dict):
        stated = wanted if isinstance(wanted, dict) else {}
        for name, member in live.items():
            inner, below = member_views(of, name), f"{pointer}/{escape(name)}"
            yield from _hidden(inner, stated.get(name, MISSING), member, below)
    if isinstance(live, list) and wanted is MISSING:
        for index, item in enumerate(live):
            yield from _hidden(item_views(of, index), MISSING, item, f"{pointer}/{index}")


def _is_kept(of: Views) -> bool:
    return any(facts(view).get("keptWhenLeftOut") is True for view in of)
