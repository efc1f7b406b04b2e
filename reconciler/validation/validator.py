"""Holds values against JSON Schemas: a fast validator accepts, a slow one turns faults into Problems."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from reconciler.core.model import Json, JsonObject, Problem, Source
from reconciler.provider.patterns import linear_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.protocols import Validator as Reference

    from reconciler.validation.explain import Written

_NOWHERE: Final = Source(path="")


# What the derived schema says of an address that users are sent to.
URI_KEYWORD: Final = "x-uri"
# So plain that nothing can be wrong with it: most addresses are, and reading a fleet is held up by
# no other. Of default ports nothing is known: an address with one may stand beside the same without.
_PLAIN_URI: Final = (
    r"(?:(?:https://(?=[^/?]{1,63}(?:[/?]|$))(?:[a-z0-9]+[.-])+[a-z]{2,}"
    r"|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::(?!(?:80|443)(?![0-9]))[1-9][0-9]{0,3})?"
    r"|(?:[a-z][a-z0-9]*\.)+[a-z][a-z0-9]*:(?=/))"
    r"(?:/[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*)*/?"
    r"(?:\?[A-Za-z0-9_.=&-]*)?"
)
# What a template leaves behind.
_LEFT_BEHIND: Final = (
    *("__", "change", "replace", "placeholder", "your", "undefined", "null", "nil", "none", "nan"),
    *("todo", "fixme", "tbd", "xxxx"),
)
_LONGEST_PLAIN: Final = 250  # characters


class Validator:
    """One schema (JSON Schema 2020-12, self-contained), compiled at its first use and kept.

    The schema may be given as its JSON text, which only `problems` parses in Python. `accepts`
    takes some microseconds a manifest; `problems` some milliseconds, and loads jsonschema.
    """

    def __init__(self, schema: JsonObject | str) -> None:
        self._stated = schema
        self._is_valid: Callable[[Json], bool] | None = None
        self._is_plain: Callable[[Json], bool] | None = None
        self._reference: Reference | None = None

    def is_plain(self, instance: Json) -> bool:
        """Whether `instance` is valid, and nothing is to be said of the addresses in it either."""
        if self._is_plain is None:
            self._is_plain = _compile(self._stated, {URI_KEYWORD: _PlainUri})
        try:
            return self._is_plain(instance)
        except ValueError:
            return False  # as in `accepts`

    def accepts(self, instance: Json) -> bool:
        """Whether `instance` is valid; what JSON cannot hold is not."""
        if self._is_valid is None:
            self._is_valid = _compile(self._stated)
        try:
            return self._is_valid(instance)
        except ValueError:
            # A number that is none in JSON, or half a surrogate pair.
            return False

    @cached_property
    def _schema(self) -> dict[str, Json]:
        if isinstance(self._stated, str):
            import json  # noqa: PLC0415 - 1.5 ms, of which a run without problems is spared

            schema: dict[str, Json] = json.loads(self._stated)
            return schema
        return dict(self._stated)

    def problems(
        self, instance: Json, source: Source = _NOWHERE, written: Written | None = None
    ) -> list[Problem]:
        """The Problems of `instance`, sorted by place, each once; empty where it is valid.

        `written` gives the characters of the plain scalar at a path, None where there is none: what
        a message quotes and a hint suggests is made of them, since 1.10 is not the number 1.1.
        """
        # The verdict is the fast one's alone, so that accepting and explaining cannot disagree.
        if self.accepts(instance):
            return []
        from reconciler.validation import explain  # noqa: PLC0415 - loads difflib and jsonschema

        if self._reference is None:
            self._reference = explain.reference_validator(self._schema)
        errors = self._reference.iter_errors(cast("Any", instance))
        found = explain.explain(errors, self._schema, source, written)
        return found or [explain.locate_fault(self._schema, instance, source)]


def _compile(
    schema: JsonObject | str, keywords: Mapping[str, type[_PlainUri]] | None = None
) -> Callable[[Json], bool]:
    import jsonschema_rs  # noqa: PLC0415 - only validate, plan and apply need it

    stated = schema if isinstance(schema, str) else dict(schema)
    validator = jsonschema_rs.Draft202012Validator(
        stated,
        keywords=cast("Any", keywords),
        pattern_options=linear_options(),
        retriever=refuse_to_fetch,
    )
    return cast("Callable[[Json], bool]", validator.is_valid)


def refuse_to_fetch(uri: str) -> NoReturn:
    """Raise ValueError: a schema is one file, and what it names elsewhere is never looked for."""
    raise ValueError(f"`{uri}` is not in the schema, and nothing is fetched")


class _PlainUri:
    """The keyword `x-uri` to the fast validator: it refuses what something is to be said of."""

    def __init__(self, _schema: object, kind: str, _path: object) -> None:
        self._kind = kind

    def validate(self, value: Json) -> None:
        """Raise ValueError unless all addresses in a text or a list of texts are plain."""
        items = value if isinstance(value, list) else [value]
        if all(map(is_plain_uri, items)):
            return
        from reconciler.validation.uris.fields import is_plain  # noqa: PLC0415 - most are plain

        if not is_plain(value, self._kind):
            raise ValueError


def is_plain_uri(value: Json) -> bool:
    """Whether a value is an address of the most usual kind, of which nothing is to be said."""
    if not isinstance(value, str) or len(value) > _LONGEST_PLAIN:
        return False
    if re.fullmatch(_PLAIN_URI, value) is None:
        return False
    text = value.lower()
    # Twice as fast as `all`, and this is done for each address of a fleet.
    for word in _LEFT_BEHIND:  # noqa: SIM110
        if word in text:
            return False
    return True
