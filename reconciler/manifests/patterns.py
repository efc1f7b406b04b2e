"""Turns the glob patterns of a target into an answer to which paths they list, without any file.

`*` is any part of a name, `?` one character, `[ab]`, `[a-c]` and `[!a]` one of a class, `**` any
number of folders, `{a,b}` one of several texts. With `!` before it a pattern takes away what those
before it list. Everything else stands for itself. Names that begin with a dot are listed only by
patterns that write the dot.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAGIC: Final = frozenset("*?[")
_ANY_FOLDERS: Final = r"(?:(?!\.)[^/]+/)*"
# More than a person lists, and few enough to try one after the other.
_MOST_ALTERNATIVES: Final = 64

_CLASS: Final = r"\[!?\]?[^\]/]*\]"
# The innermost braces; a class in them may hold a brace or a comma of its own.
_BRACES: Final = r"\{([^{}]*)\}"
_RANGE: Final = r"[^.,]+\.\.[^.,]+(?:\.\.[^.,]+)?"


class Malformed(ValueError):
    """A pattern that means nothing; the message says why."""


def unusable_reason(pattern: str) -> str | None:
    """The sentence that says why a pattern cannot be used, None if it can."""
    path = pattern.removeprefix("!")
    if not path.strip():
        return "`!` takes files away, and no pattern follows it"
    if path.startswith("!"):
        return "one `!` takes files away; for a name that begins with it, write `./!`"
    if "\\" in path or "\0" in path:
        return "folders are separated by a slash"
    try:
        alternatives = expand(path)
    except Malformed as error:
        return str(error)
    reasons = (_unusable_path(each, is_exclusion=path != pattern) for each in alternatives)
    return next(filter(None, reasons), None)


def misplaced_exclusions(patterns: Sequence[str]) -> Sequence[int]:
    """The indexes of the exclusions before which nothing is listed that they could take away."""
    first = next((i for i, each in enumerate(patterns) if not is_exclusion(each)), len(patterns))
    return range(first)


def is_exclusion(pattern: str) -> bool:
    """Whether the pattern takes files away."""
    return pattern.startswith("!")


def lists(patterns: Sequence[str], path: str) -> bool:
    """Whether usable patterns list `path`: the last one that matches it says so."""
    matching = (each for each in reversed(patterns) if matches(each, path))
    return not is_exclusion(next(matching, "!"))


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern is about `path`, which is relative to the project's folder and has slashes.

    An exclusion is also about what lies below a folder that it matches.
    """
    if not is_exclusion(pattern):
        return any(regex.fullmatch(path) for regex in _compiled(pattern))
    regexes, parts = _compiled(pattern[1:]), path.split("/")
    above = ("/".join(parts[:end]) for end in range(len(parts), 0, -1))
    return any(regex.fullmatch(each) for each in above for regex in regexes)


def could_list_below(patterns: Sequence[str], folder: str) -> bool:
    """Whether usable patterns could list a file below `folder`, "." for the project's own."""
    # A name that no pattern writes out stands for every other one.
    inside = f"{folder}/\x01"
    about = (
        each
        for each in reversed(patterns)
        if (matches(each, inside) if is_exclusion(each) else reaches(each, folder))
    )
    return not is_exclusion(next(about, "!"))


def as_pattern(path: str) -> str:
    """The pattern that lists this one path, or what lies below this one folder."""
    return re.sub(r"[*?\[{}]", r"[\g<0>]", path)


def reaches(pattern: str, folder: str) -> bool:
    """Whether a pattern that is no exclusion could list a file below `folder`, "." for the project's."""
    return folder == "." or any(
        _reaches(posixpath.normpath(each).split("/"), folder.split("/")) for each in expand(pattern)
    )


def _reaches(wanted: Sequence[str], folders: Sequence[str]) -> bool:
    if "**" in wanted[: len(folders)]:
        any_from = wanted.index("**")
        return all(map(_segment_matches, wanted[:any_from], folders))
    return len(wanted) > len(folders) and all(map(_segment_matches, wanted, folders))


def _segment_matches(segment: str, name: str) -> bool:
    return compile_path(segment).fullmatch(name) is not None


@lru_cache(maxsize=256)
def expand(pattern: str) -> tuple[str, ...]:
    """The patterns without braces that a pattern stands for, each once. Raises Malformed."""
    classes: list[str] = []

    def put_away(found: re.Match[str]) -> str:
        classes.append(found[0])
        return f"\0{len(classes) - 1}\0"

    open_ones = [re.sub(_CLASS, put_away, pattern)]
    plain: dict[str, None] = {}
    while open_ones:
        text = open_ones.pop()
        found = re.search(_BRACES, text)
        if found is None:
            _refuse_single_braces(text)
            plain[re.sub("\0([0-9]+)\0", lambda number: classes[int(number[1])], text)] = None
        else:
            # Reversed, since the last one is taken first.
            open_ones += [
                text[: found.start()] + each + text[found.end() :]
                for each in reversed(_alternatives(found[1]))
            ]
        if len(open_ones) + len(plain) > _MOST_ALTERNATIVES:
            raise Malformed(f"braces stand for no more than {_MOST_ALTERNATIVES} patterns")
    return tuple(plain)


def _alternatives(inside: str) -> list[str]:
    if "," in inside:
        return inside.split(",")
    if re.fullmatch(_RANGE, inside):
        raise Malformed("braces list alternatives, and no range: write {1,2,3}, or [1-3]")
    raise Malformed(
        "braces list alternatives with commas between them, such as {yaml,yml}; a brace that "
        "belongs to a name is written [{]"
    )


def _refuse_single_braces(text: str) -> None:
    for brace, other in ("{}", "}{"):
        if brace in text:
            raise Malformed(f"a `{brace}` has no `{other}`; one that belongs to a name is written "
                            f"[{brace}]")  # fmt: skip


def _unusable_path(pattern: str, *, is_exclusion: bool) -> str | None:
    if pattern.startswith(("/", "~")) or _has_drive(pattern):
        return "a pattern is relative to the project file"
    if any("**" in segment and segment != "**" for segment in pattern.split("/")):
        return "`**` stands for whole folders: put it between slashes"
    if "//" in pattern or (pattern.endswith("/") and not is_exclusion) or not pattern:
        return "a pattern ends with a file name: add `**/*.yaml`, say"
    return None if is_exclusion else _forbidden_place(pattern)


def _forbidden_place(pattern: str) -> str | None:
    """Why a pattern may not list files where it looks for them, None where it may."""
    if ".git" in pattern.lower().split("/"):
        return "a folder of git's own holds no manifests"
    if set(base_folder(pattern).split("/")) == {".."}:
        return (
            "a pattern that leads out of the project's folder names a folder there that the project "
            "does not lie in, such as ../shared/**/*.yaml"
        )
    return None


def _has_drive(pattern: str) -> bool:
    return pattern[1:2] == ":" and pattern[0].isascii() and pattern[0].isalpha()


def is_literal(pattern: str) -> bool:
    """Whether a pattern without braces is the name of one file."""
    return _MAGIC.isdisjoint(pattern)


def base_folder(pattern: str) -> str:
    """The folder below which all files of a pattern without braces lie, "" for the project's own."""
    segments = posixpath.normpath(pattern).split("/")
    fixed = next((i for i, segment in enumerate(segments) if not is_literal(segment)), -1)
    return "/".join(segments[:fixed])


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[re.Pattern[str], ...]:
    return tuple(compile_path(posixpath.normpath(each)) for each in expand(pattern))


@lru_cache(maxsize=256)
def compile_path(pattern: str) -> re.Pattern[str]:
    """The regular expression of a normal pattern without braces, for whole paths."""
    # Not pathlib: up to Python 3.12 none of its matches lets `**` stand for any number of folders.
    segments = pattern.split("/")
    if segments[-1] == "**":
        segments.append("*")
    folders = "".join(
        _ANY_FOLDERS if segment == "**" else _segment_regex(segment) + "/"
        for segment in segments[:-1]
    )
    return re.compile(folders + _segment_regex(segments[-1]), re.DOTALL)


def _segment_regex(segment: str) -> str:
    visible = r"(?!\.)" if segment[:1] in _MAGIC else ""
    return visible + re.sub(rf"\*|\?|{_CLASS}|.", _piece_regex, segment, flags=re.DOTALL)


def _piece_regex(found: re.Match[str]) -> str:
    text = found[0]
    if text == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if len(text) > 1:
        import fnmatch  # noqa: PLC0415 - few patterns have a class

        # A class: the standard library knows its corners (`[!a]`, `[]-]`, `[z-a]`).
        return "(?!/)" + fnmatch.translate(text).removeprefix("(?s:")[:-3]
    return re.escape(text)
