"""Matches the patterns of schemas in a time that grows with the text and no faster."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes of a compiled pattern: `^.{0,1000}$` takes half of it, and each is compiled in some
# milliseconds. A text is matched in a time that grows with this too.
_LARGEST: Final = 2 * 1024 * 1024


@cache
def linear_options() -> Any:
    """What has jsonschema-rs match by automata, which never go back in the text (`pattern_options`)."""
    import jsonschema_rs  # noqa: PLC0415 - only validate, plan and apply need it

    return jsonschema_rs.RegexOptions(size_limit=_LARGEST)


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern`, of ECMA-262, matches anywhere in `text`, as the fast validator has it.

    Raises ValueError for a pattern that `fault` says something of.
    """
    try:
        return _matcher(pattern)(text)
    except UnicodeEncodeError:
        return False  # half a surrogate pair: no JSON holds it


def fault(pattern: str) -> str:
    """Why `pattern` is not taken, "" for one that is matched in linear time."""
    try:
        _matcher(pattern)
    except ValueError:
        return _reason(pattern)
    return ""


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> Callable[[str], bool]:
    import jsonschema_rs  # noqa: PLC0415 - as above

    validator = jsonschema_rs.Draft202012Validator(
        {"pattern": pattern}, pattern_options=linear_options()
    )
    return cast("Callable[[str], bool]", validator.is_valid)


def _reason(pattern: str) -> str:
    import jsonschema_rs  # noqa: PLC0415 - as above

    try:
        # Only compiled: by this engine it may take any time to match.
        jsonschema_rs.Draft202012Validator(
            {"pattern": pattern},
            pattern_options=jsonschema_rs.FancyRegexOptions(size_limit=_LARGEST),
        )
    except ValueError:
        return "it is no regular expression (ECMA-262), or its repeats make it too large"
    return (
        "look-around such as `(?=` and back-references such as `\\1` cannot be matched in linear "
        "time: write it without them (`$` is the very end of the text)"
    )
