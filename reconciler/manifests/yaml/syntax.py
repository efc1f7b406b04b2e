"""Turns libyaml's error about text that is not YAML into a place and a sentence that help to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.reader import ReaderError

from reconciler.core.dataclass import dataclass
from reconciler.manifests.yaml.lines import Lines, encoding

if TYPE_CHECKING:
    from reconciler.core.model import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxProblem:
    """Where the text stops being YAML, why, and what would be right."""

    position: Position
    message: str
    hint: str = ""


# By libyaml's own words (src/scanner.c, src/parser.c); what is not here is quoted as it is.
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "mapping values are not allowed in this context": (
        "a `:` cannot stand here",
        "quote the value, or check the indentation of this line and the one before",
    ),
    "could not find expected ':'": ("this key has no `:` after it", ""),
    "did not find expected key": (
        "the indentation does not fit the lines above",
        "members of one mapping start in the same column",
    ),
    "did not find expected '-' indicator": (
        "the indentation does not fit the list above",
        "items of one list start in the same column",
    ),
    "block sequence entries are not allowed in this context": (
        "a `-` cannot stand here",
        "start the list on a line of its own, or write [a, b]",
    ),
    "mapping keys are not allowed in this context": ("a `?` cannot stand here", "quote the value"),
    "found a tab character that violates indentation": (
        "a tab cannot indent",
        "use spaces",
    ),
    "found a tab character where an indentation space is expected": (
        "a tab cannot indent",
        "use spaces",
    ),
    "found unknown escape character": (
        "unknown escape in a double-quoted string",
        "double the backslash, or use single quotes",
    ),
    "did not find expected <document start>": (
        "the document has ended before this line",
        "check the indentation, or begin another document with `---`",
    ),
    "did not find expected alphabetic or numeric character": (
        "`*` starts an alias and `&` an anchor, and no name follows",
        "quote the value",
    ),
    "found undefined tag handle": ("unknown tag", "leave it out"),
    "found incompatible YAML document": ("only YAML 1.1 and 1.2 can be read", ""),
    "control characters are not allowed": ("a control character", "write it as an escape"),
}

_STARTS: Final = {
    "\t": ("a tab cannot indent", "use spaces"),
    "@": ("a plain value cannot start with `@`", "quote the value"),
    "`": ("a plain value cannot start with a backtick", "quote the value"),
    "%": ("a plain value cannot start with `%`", "quote the value"),
}


def explain(error: YAMLError, text: bytes) -> SyntaxProblem:
    """The place of an error that libyaml raised over `text`, in a sentence of ours."""
    lines = Lines(text)
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return _at_mark(error, text, lines)
    if isinstance(error, ReaderError):
        return _decoding_problem(error, text, lines)
    return SyntaxProblem(position=lines.position(0, 0), message=f"this cannot be read: {error}")


def _at_mark(error: MarkedYAMLError, text: bytes, lines: Lines) -> SyntaxProblem:
    problem = error.problem or "this is not YAML"
    mark: Any = error.problem_mark
    position = lines.position(mark.line, mark.column)
    # libyaml marks the end of the file; what a person looks for is where the quote began.
    if problem == "found unexpected end of stream" and error.context_mark is not None:
        opening: Any = error.context_mark
        return SyntaxProblem(
            position=lines.position(opening.line, opening.column),
            message="this quote is never closed",
        )
    if problem == "did not find expected whitespace or line break":
        return SyntaxProblem(
            position=position,
            message="a plain value that begins with `!` is a tag to YAML",
            hint="quote the value",
        )
    if problem.startswith("did not find expected") and (unclosed := _unclosed_bracket(text, lines)):
        return _open_bracket(problem, position, lines.position(*unclosed))
    if problem == "found character that cannot start any token":
        start = lines.character(mark.line, mark.column)
        message, hint = _STARTS.get(start, (f"`{start}` cannot start a value", "quote the value"))
    elif problem == "did not find expected node content":
        message, hint = "a value cannot start like this", "quote the value"
    else:
        message, hint = _SENTENCES.get(problem, (f"this is not YAML: {problem}", ""))
    return SyntaxProblem(position=position, message=message, hint=hint)


def _open_bracket(problem: str, position: Position, opening: Position) -> SyntaxProblem:
    """The problem of a bracket that is open, at the bracket, unless the fault is on its very line."""
    if position.line == opening.line and position.column <= len(position.text):
        wanted = problem.removeprefix("did not find expected ").replace("'", "`")
        if wanted == "node content":
            wanted = "a value"
        return SyntaxProblem(position=position, message=f"expected {wanted}")
    stopped = f"reading stopped at line {position.line}, column {position.column}"
    return SyntaxProblem(position=opening, message="this bracket is never closed", hint=stopped)


def _unclosed_bracket(text: bytes, lines: Lines) -> tuple[int, int] | None:
    """The line and column, from 0, of the innermost flow collection that is open at the error."""
    open_marks: list[tuple[int, int] | None] = []
    parser = CParser(text)
    try:
        while event := parser.get_event():
            if isinstance(event, CollectionStartEvent):
                mark: Any = event.start_mark
                is_bracket = lines.character(mark.line, mark.column) in {"[", "{"}
                open_marks.append((mark.line, mark.column) if is_bracket else None)
            elif isinstance(event, CollectionEndEvent):
                open_marks.pop()
    except YAMLError:
        pass
    return open_marks[-1] if open_marks else None


def _decoding_problem(error: ReaderError, text: bytes, lines: Lines) -> SyntaxProblem:
    position = lines.position_of_byte(error.position)
    if "UTF" in error.reason:
        name = encoding(text).upper()
        return SyntaxProblem(
            position=position, message=f"this is not valid {name}", hint="save the file as UTF-8"
        )
    message, hint = _SENTENCES.get(error.reason, (error.reason, ""))
    return SyntaxProblem(position=position, message=message, hint=hint)
