"""Makes frozen dataclasses with slots as `dataclasses` does, in a thirtieth of the time.

The standard library compiles six methods from text for each class, 0.6 ms: for the
vocabulary alone that took longer than importing click. Here all methods are functions that classes
share, or close over their fields.

To type checkers this is the standard library's own `dataclass`, and `dataclasses.replace` and
`fields` work, so that a module can go back to it by its import alone (docs/decisions/0016).
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_Class = TypeVar("_Class", bound=type)

_REQUIRED: Final = object()  # in place of the default of a field that has none


class _Factory:
    """What `field(default_factory=...)` leaves in the body of a class."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


class _Fields:
    """`__dataclass_fields__`, made when `dataclasses.replace` or `fields` first ask for it."""

    def __init__(self, defaults: Mapping[str, object], *, kw_only: bool) -> None:
        self._defaults = defaults
        self._kw_only = kw_only

    def __get__(self, _value: object, cls: Any) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self.standard(cls).__dataclass_fields__
        cls.__dataclass_fields__ = fields
        return fields

    def standard(self, cls: Any) -> Any:
        """The class as the standard library makes it, with the same fields."""
        from dataclasses import dataclass, field  # noqa: PLC0415 - loaded by whoever asks

        members: dict[str, Any] = {
            name: field(default_factory=default.make) if isinstance(default, _Factory) else default
            for name, default in self._defaults.items()
            if default is not _REQUIRED
        }
        named = {"__annotations__": cls.__annotations__, "__qualname__": cls.__qualname__}
        return dataclass(kw_only=self._kw_only)(type(cls.__name__, (), {**members, **named}))


def _dataclass(
    *, frozen: bool, slots: bool, kw_only: bool = False, eq: bool = True
) -> Callable[[_Class], _Class]:
    """Make dataclasses of classes without bases; without `eq` a value is equal to itself alone."""
    if not (frozen and slots):
        raise TypeError("only frozen dataclasses with slots are made here")

    def build(cls: Any) -> Any:
        body = dict(vars(cls))
        defaults = {name: body.pop(name, _REQUIRED) for name in body.get("__annotations__", ())}
        # A class has its slots from the start or never, so it is made a second time. What the
        # first one got for want of slots must not go over.
        del body["__dict__"], body["__weakref__"]
        made = {
            "__slots__": tuple(defaults),
            "__match_args__": () if kw_only else tuple(defaults),
            "__dataclass_fields__": _Fields(defaults, kw_only=kw_only),
            **_SHARED,
            **(_by_value(defaults) if eq else {}),
        }
        finished: Any = type(cls.__name__, (), {"__annotations__": {}, **made, **body})
        finished.__init__ = _init(finished, defaults, kw_only=kw_only)
        return finished

    return build


def _init(cls: Any, defaults: Mapping[str, object], *, kw_only: bool) -> Any:
    """An `__init__` that sets the fields one by one: half as fast as a compiled one, and no work here."""
    fields = [(name, getattr(cls, name).__set__, default) for name, default in defaults.items()]

    def __init__(self: object, *arguments: object, **members: object) -> None:  # noqa: N807
        given = members
        if arguments and not kw_only:
            given = {**dict(zip(defaults, arguments, strict=False)), **members}
        known = 0
        for name, put, default in fields:
            if name in given:
                put(self, given[name])
                known += 1
            elif default is _REQUIRED:
                known = -1
                break
            else:
                put(self, default.make() if isinstance(default, _Factory) else default)
        if known != len(members) + len(arguments):
            # The standard library says what is wrong with the call, in Python's own words.
            _Fields(defaults, kw_only=kw_only).standard(cls)(*arguments, **members)

    return __init__


def _by_value(fields: Iterable[str]) -> dict[str, Any]:
    """Equality and hash by `fields`, for values of the very same class."""
    members: Callable[[object], object] = attrgetter("__class__", *fields)

    def is_equal(self: object, other: object) -> Any:
        same_class = other.__class__ is self.__class__
        return members(self) == members(other) if same_class else NotImplemented

    return {"__eq__": is_equal, "__hash__": lambda self: hash(members(self))}


def _repr(self: Any) -> str:
    members = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{self.__class__.__qualname__}({members})"


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - a bug is about to be told

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - as above

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    """What `copy` and `pickle` carry over: they would set the members of a frozen value otherwise."""
    return [getattr(self, name) for name in self.__slots__]


def _setstate(self: Any, state: list[object]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED: Final = {
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}


def _field(*, default_factory: Callable[[], object]) -> Any:
    """Have a default made anew for each value."""
    return _Factory(default_factory)


if TYPE_CHECKING:
    from dataclasses import dataclass, field
else:
    dataclass, field = _dataclass, _field

__all__ = ["dataclass", "field"]
