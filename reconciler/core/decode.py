"""Turns a JSON object that a schema has accepted into a value: each member into the field that has its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from reconciler.core.model import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

# A JSON object whose members have the types that their schema says: it has accepted them.
Accepted: TypeAlias = "Mapping[str, Any]"


def decoder(
    cls: type[T], /, *, names: Mapping[str, str] = EMPTY, **convert: Callable[[Any], object]
) -> Callable[[Accepted], T]:
    """What makes a `cls`, a dataclass, of an object that its schema has accepted.

    A member is the field's name in camelCase, or what `names` says by field. `convert` has, by
    field, what makes the value of a member: `tuple`, an enum, another decoder. A field without a
    member has its default; a member without a field is left out. TypeError for a name in `names`
    or `convert` that is no field.
    """
    fields = cls.__annotations__
    if unknown := (names.keys() | convert.keys()) - fields.keys():
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    plain = {names.get(field) or _camel_case(field): field for field in fields}
    converted = [
        (member, field, convert[field]) for member, field in plain.items() if field in convert
    ]

    def decode(stated: Accepted) -> T:
        members = {plain[name]: value for name, value in stated.items() if name in plain}
        for member, field, make in converted:
            if member in stated:
                members[field] = make(stated[member])
        return cls(**members)

    return decode


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
