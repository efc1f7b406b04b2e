"""Finds what a template left in an address: a placeholder that nothing was put in the place of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.validation.uris.fault import error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.validation.uris.fault import Fault

# The marks of template languages. What is in them is kept short, so that the search stays linear.
_INSIDE: Final = r"[^\n]{0,200}?"
_MARKS: Final = re.compile(
    "|".join(
        (
            rf"[$#%]?\{{\{{{_INSIDE}\}}\}}",  # {{ x }} of Go, Jinja, Mustache; ${{ x }} of GitHub
            rf"\{{%{_INSIDE}%\}}",  # {% x %} of Jinja
            rf"[$#%]\{{{_INSIDE}\}}",  # ${X} of shells, #{X} of Ruby and Octopus
            rf"<[%?]?{_INSIDE}>",  # <host>, <%= x %> of ERB
            rf"[$%]\({_INSIDE}\)",  # $(X) of make and Azure, %(x)s of Python
            rf"\[\[{_INSIDE}\]\]",  # [[x]]
            rf"\$\[{_INSIDE}\]",  # $[x]
            r"##[^#\n]{1,200}##",
            r"@@[^@\n]{1,200}@@",
            r"%%[^%\n]{1,200}%%",
            r"\$\$[A-Za-z_][A-Za-z0-9_]{0,99}\$\$",
        )
    )
)
_BRACES: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.-]{0,99}\}")
# A pair of percent signs around a name is also how an encoded text looks: %C3%A4.
_PERCENT: Final = re.compile(r"%([A-Za-z_][A-Za-z0-9_]{1,99})%")
_VARIABLE: Final = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_UNDERSCORES: Final = re.compile(
    r"(?<![A-Za-z0-9_])_{2,3}[A-Z][A-Z0-9_]{0,99}?_{2,3}(?![A-Za-z0-9_])"
)
_AT: Final = re.compile(r"(?<![A-Za-z0-9])@[A-Z][A-Z0-9_]{1,99}@")
_WORDS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?i:change[-_]?me|replace[-_]?me|placeholder|"
    r"your[-_](?:domain|host(?:name)?|app|tenant|company|org|site|server|url))"
    r"|TODO|FIXME|TBD|X{4,}"
    r")(?![A-Za-z0-9])"
)
# What a template writes for a variable that has no value.
_NOTHING: Final = re.compile(r"(?<=[/.@=])(?:undefined|null|None|nil|NaN)(?=[/.:?&]|$)")

_HINT: Final = "write the address itself: nothing is put in the place of a placeholder"


def placeholder_faults(text: str, authority: str) -> Iterator[Fault]:
    """The faults of placeholders in an address with this user, host and port, surest first."""
    if _MARKS.search(text) or _is_percent_variable(text):
        yield error("a placeholder of a template is still in it", _HINT)
    in_host = (_VARIABLE, _UNDERSCORES, _AT)
    if any(pattern.search(authority) for pattern in in_host):
        yield error("a placeholder of a template is still in its host", _HINT)
    elif any(pattern.search(text) for pattern in (*in_host[1:], _BRACES)) or _is_variable(text):
        yield warning("it looks as if a placeholder of a template were still in it", _HINT)
    found = _WORDS.search(text)
    if found:
        yield warning("it looks as if a part were still to be filled in", _HINT)
    if _NOTHING.search(text):
        yield warning("it looks as if a template had put an empty variable into it", _HINT)


def without_braces(text: str) -> str:
    """The address with a letter for each placeholder in braces, which some servers take."""
    return _BRACES.sub("x", text)


def _is_percent_variable(text: str) -> bool:
    return _PERCENT.search(text) is not None and is_badly_encoded(text)


def is_badly_encoded(text: str) -> bool:
    """Whether a percent sign is not followed by two hexadecimal digits (RFC 3986, section 2.1)."""
    return re.search(r"%(?![0-9A-Fa-f]{2})", text) is not None


def _is_variable(text: str) -> bool:
    # In capitals: `$filter` and its like are names of parameters.
    return bool(re.search(r"\$[A-Z_][A-Z0-9_]+", text))
