"""Holds values against JSON Schemas: a fast validator accepts, a slow one turns faults into Problems."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.core.model import Json, JsonObject, Problem, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema.protocols import Validator as Reference

_NOWHERE: Final = Source(path="")


class Validator:
    """One schema (JSON Schema 2020-12, self-contained), compiled at its first use and kept.

    The schema may be given as its JSON text, which only `problems` parses in Python. `accepts`
    takes some microseconds a manifest; `problems` some milliseconds, and loads jsonschema.
    """

    def __init__(self, schema: JsonObject | str) -> None:
        self._stated = schema
        self._is_valid: Callable[[Json], bool] | None = None
        self._reference: Reference | None = None

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

    def problems(self, instance: Json, source: Source = _NOWHERE) -> list[Problem]:
        """The Problems of `instance`, sorted by place, each once; empty where it is valid."""
        # The verdict is the fast one's alone, so that accepting and explaining cannot disagree.
        if self.accepts(instance):
            return []
        from reconciler.validation import explain  # noqa: PLC0415 - loads difflib and jsonschema

        if self._reference is None:
            self._reference = explain.reference_validator(self._schema)
        errors = self._reference.iter_errors(cast("Any", instance))
        found = explain.explain(errors, self._schema, source)
        return found or [explain.locate_fault(self._schema, instance, source)]


def _compile(schema: JsonObject | str) -> Callable[[Json], bool]:
    import jsonschema_rs  # noqa: PLC0415 - only validate, plan and apply need it

    stated = schema if isinstance(schema, str) else dict(schema)
    return cast("Callable[[Json], bool]", jsonschema_rs.Draft202012Validator(stated).is_valid)
