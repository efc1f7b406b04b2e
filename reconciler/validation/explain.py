"""Turns a validator's errors into Problems that say what is wrong, where, and what would be right."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Any, cast

from reconciler.core.model import Problem
from reconciler.core.pointer import escape
from reconciler.core.problems.many import MOST_SHOWN, counted
from reconciler.core.values import object_member
from reconciler.provider.patterns import linear_options
from reconciler.validation.findings import (
    Finding,
    misplaced_member,
    missing_member,
    not_writable,
    unknown_member,
    unknown_reference_form,
)
from reconciler.validation.schema_walk import (
    is_reference,
    message_of,
    node_at,
    places_of,
    resolve_ref,
    rule_of,
)
from reconciler.validation.suggestions import closest_name
from reconciler.validation.wording import wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator as Reference

    from reconciler.core.model import Json, JsonObject, Source

    # The characters of the plain scalar at a path in the document, None where there is none.
    Written: TypeAlias = Callable[[Sequence[str | int]], str | None]


def reference_validator(schema: JsonObject) -> Reference:
    """The validator whose errors `explain` turns into Problems: jsonschema's, with `keywords`."""
    import jsonschema  # noqa: PLC0415 - 200 ms; who has its errors at hand needs it no more
    import referencing  # noqa: PLC0415 - as above

    from reconciler.validation import keywords  # noqa: PLC0415 - as above

    extend = cast("Callable[..., type[Reference]]", jsonschema.validators.extend)
    # Left to itself it would fetch what a `$ref` names; an empty registry has nothing and asks nobody.
    registry: referencing.Registry[Any] = referencing.Registry()
    own = extend(jsonschema.Draft202012Validator, keywords.replaced(schema))
    return own(dict(schema), registry=registry)


def explain(
    errors: Iterable[ValidationError],
    root: JsonObject,
    source: Source,
    written: Written | None = None,
) -> list[Problem]:
    """The errors of one document as Problems, sorted by place, each once; after the first hundred a count.

    `root` is the schema that the document was held against, `written` what the user wrote at a
    path. Of several findings about one value
    only the one to mend first is reported, and a missing field is not where an unknown one looks
    like its misspelling.
    """
    tally = _Tally()
    # Twice the hundred: of several errors about one value only one is told. To find the words for
    # an error takes a millisecond, and a hostile file has millions of them.
    first = nsmallest(2 * MOST_SHOWN, map(tally.note, errors), key=_place_of)
    findings = _prune([finding for error in first for finding in _findings(error, root, written)])
    shown = nsmallest(MOST_SHOWN, findings, key=_order)
    problems = list(dict.fromkeys(_problem(finding, source) for finding in shown))
    rest = tally.count - sum(map(_size, first)) + len(findings) + sum(map(_unworded, first))
    return [*problems, *counted(source, "error", rest - len(shown))]


class _Tally:
    """Counts the errors that pass by."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, error: ValidationError) -> ValidationError:
        self.count += _size(error)
        return error


def _size(error: ValidationError) -> int:
    """For how many problems an error stands: it is one, or one for each member."""
    if error.validator == "additionalProperties":
        return len(_unnamed(error))
    return 1


def _unworded(error: ValidationError) -> int:
    """How many unknown members of an object are counted, and not put into words."""
    if error.validator == "additionalProperties":
        return max(0, len(_unnamed(error)) - MOST_SHOWN)
    return 0


def _unnamed(error: ValidationError) -> list[str]:
    from reconciler.validation.keywords import unnamed_members  # noqa: PLC0415 - jsonschema is loaded

    return list(
        unnamed_members(cast("JsonObject", error.schema), cast("JsonObject", error.instance))
    )


def _place_of(error: ValidationError) -> tuple[tuple[bool, str | int], ...]:
    return _in_order(error.absolute_path)


def _in_order(path: Iterable[str | int]) -> tuple[tuple[bool, str | int], ...]:
    return tuple((isinstance(token, str), token) for token in path)


def _problem(finding: Finding, source: Source) -> Problem:
    return Problem(
        source=source,
        pointer="".join(f"/{escape(str(token))}" for token in finding.path),
        message=finding.message,
        hint=finding.hint,
        at_key=finding.at_key,
    )


def _order(finding: Finding) -> tuple[object, ...]:
    return (_in_order(finding.path), finding.message, finding.hint)


def _prune(findings: list[Finding]) -> set[Finding]:
    best: dict[tuple[str | int, ...], int] = {}
    for finding in findings:
        if finding.about == "value":
            # A value of the wrong type breaks other rules as well: those come of it and are no news.
            best[finding.path] = min(best.get(finding.path, finding.rank), finding.rank)
    # "redirectUri" beside a missing "redirectUris" is one mistake, not two.
    misspelt = {(finding.path[:-1], finding.names) for finding in findings if finding.at_key}
    return {
        finding
        for finding in findings
        if not (finding.about == "value" and finding.rank > best[finding.path])
        and not (finding.about == "missing" and (finding.path, finding.names) in misspelt)
    }


def _findings(
    error: ValidationError, root: JsonObject, written: Written | None
) -> Iterator[Finding]:
    """The findings of one error; those of a choice between schemas are of the branch that was meant."""
    own = message_of(error.schema)
    if error.validator in {"anyOf", "oneOf"} and error.context and not own:
        for inner in _intended_branch(error):
            yield from _findings(inner, root, written)
        return
    path = tuple(error.absolute_path)
    rule = rule_of(root, tuple(error.absolute_schema_path))
    if error.validator == "additionalProperties":
        yield from _unknown_members(error, root, path)
    elif error.validator == "required":
        yield from _missing_members(error, root, path, rule)
    elif error.validator == "not" and error.validator_value == {} and path:
        read_only = _is_read_only(error.schema)
        yield not_writable(path, own) if read_only else misplaced_member(path, rule)
    else:
        text = None if written is None else written(path)
        yield from wrong_value(error, path, own=own, rule=rule, written=text)


def _is_read_only(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("readOnly") is True


def _intended_branch(error: ValidationError) -> list[ValidationError]:
    """The errors of the branch whose type the value has, else those of the first branch."""
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(cast("int", inner.schema_path[0]), []).append(inner)
    fitting = [found for found in branches.values() if not any(map(_is_of_another_type, found))]
    return min(fitting or [branches[min(branches)]], key=len)


def _is_of_another_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.path


def _unknown_members(
    error: ValidationError, root: JsonObject, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    schema = cast("JsonObject", error.schema)
    known = cast("Mapping[str, JsonObject]", object_member(schema, "properties"))
    patterns = object_member(schema, "patternProperties")
    # A read-only field is never suggested: it would be the next error.
    writable = [key for key in known if not _is_read_only(known[key])]
    # The first by name, as problems are sorted.
    for name in nsmallest(MOST_SHOWN, _unnamed(error)):
        if is_reference(schema):
            yield unknown_reference_form(path, name)
        else:
            near = closest_name(name, writable)
            yield unknown_member(path, name, near, [*writable, *patterns], places_of(root, name))


def _missing_members(
    error: ValidationError, root: JsonObject, path: tuple[str | int, ...], rule: str
) -> Iterator[Finding]:
    here = object_member(node_at(root, path), "properties")
    present = cast("Mapping[str, object]", error.instance)
    for name in cast("list[str]", error.validator_value):
        if name not in present:
            known = resolve_ref(root, object_member(here, name))
            yield missing_member(path, name, str(known.get("description", "")), rule)


def locate_fault(schema: JsonObject, instance: Json, source: Source) -> Problem:
    """The Problem of a value that only the fast validator refuses: it says at least where."""
    import jsonschema_rs  # noqa: PLC0415 - the two validators hardly ever disagree

    try:
        validator = jsonschema_rs.Draft202012Validator(
            dict(schema), pattern_options=linear_options(), offline=True
        )
        first = next(validator.iter_errors(instance))
    except ValueError:
        return Problem(source=source, pointer="", message="this is not a JSON document")
    pointer = "".join(f"/{escape(str(token))}" for token in first.instance_path)
    return Problem(source=source, pointer=pointer, message="the value does not fit its schema")
