"""Decides whether a server can mean an address that users are sent to, and says what is wrong with it.

By RFC 3986 for the spelling, RFC 6749 section 3.1.2 for redirect URIs, and RFC 8252 section 7 for
those of native apps, whose schemes and loopback addresses are as good as https.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.core.dataclass import dataclass
from reconciler.core.scalars import spell_item
from reconciler.validation.uris import characters, placeholders
from reconciler.validation.uris.fault import REDIRECT, code_point, error, warning
from reconciler.validation.uris.hosts import authority_faults, is_loopback, split_authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.validation.uris.fault import Fault

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_NEXT: Final = re.compile(r"[\s,;|]+(?=[A-Za-z][A-Za-z0-9+.-]{0,60}:/)")
_HOST_AND_PORT: Final = re.compile(
    r"(?:[^/?#:]*\.[^/?#:]*|localhost):[0-9]+(?:[/?#].*)?", re.DOTALL
)
_HOST_LIKE: Final = re.compile(r"(?:(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}|localhost)(?=[:/?]|$)")
_NO_COLON: Final = re.compile(r"https?[;.,]?//")
_DEFUSED: Final = re.compile(r"h[a-z]{2}ps?")  # hxxps, as reports write it
_DOTS: Final = re.compile(r"(?:^|/)(?:\.|%2[Ee]){1,2}(?:/|$)")
_ENCODED_CONTROL: Final = re.compile(r"%(?:0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff])")
# What runs or reads something in the browser in place of going somewhere.
_RUN: Final = frozenset(
    {"javascript", "vbscript", "data", "blob", "filesystem", "view-source", "about", "file", "jar"}
)
_NO_PAGES: Final = frozenset({"ftp", "sftp", "ws", "wss", "mailto", "tel", "sms", "ssh", "ldap"})
_WEB: Final = ("https", "http")
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}
_LIKENESS: Final = 0.75  # htps and httpss are as near to https, oauth and app are not


def uri_faults(text: str, kind: str = REDIRECT) -> list[Fault]:
    """What is wrong with an address of a kind (`redirect`, `page`): an error, or all warnings."""
    warnings = []
    for fault in _faults(text, kind):
        # What is found after an error comes of it as often as not.
        if fault.severity == "error":
            return [fault]
        warnings.append(fault)
    return warnings


def comparable(text: str) -> str:
    """An address by which those that mean the same are told: scheme and host in small letters, no default port."""
    parts = _split(text)
    scheme, authority = parts.scheme.lower(), parts.authority.lower()
    if scheme in _WEB:
        authority = authority.removesuffix(_DEFAULT_PORTS[scheme])
    start = len(parts.scheme) + 1 + 2 + len(parts.authority) if parts.authority else 0
    return f"{scheme}://{authority}{text[start:]}" if start else text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The parts of an address (RFC 3986, section 3), "" for one that is missing; `fragment` with its `#`."""

    scheme: str
    authority: str
    path: str
    query: str
    fragment: str

    @property
    def host(self) -> str:
        return split_authority(self.authority)[1]


def _split(text: str) -> _Parts:
    before, mark, fragment = text.partition("#")
    before, _, query = before.partition("?")
    scheme, colon, after = before.partition(":")
    if not colon or "/" in scheme:
        scheme, after = "", before
    authority, slash, path = after[2:].partition("/") if after[:2] == "//" else ("", "", after)
    return _Parts(
        scheme=scheme, authority=authority, path=slash + path, query=query, fragment=mark + fragment
    )


def _faults(text: str, kind: str) -> Iterator[Fault]:
    if not text and kind != REDIRECT:
        return  # a field of a page is cleared by it
    if not text.strip():
        yield error("it is empty", "write an address, or leave it out")
    yield from _several_faults(text)
    yield from placeholders.placeholder_faults(text, _split(text).authority)
    yield from characters.unseen_faults(text)
    text = placeholders.without_braces(text)
    parts = _split(text)
    # A host has rules of its own, and the brackets of IPv6.
    outside = text.replace(parts.host, "", 1) if parts.scheme.lower() in _WEB else text
    yield from characters.illegal_faults(outside if parts.host[:1] == "[" else text)
    yield from _scheme_faults(text, parts, kind)
    if parts.scheme.lower() in _WEB:
        yield from _web_faults(text, parts, kind)
    yield from characters.lookalike_faults(outside)
    yield from _path_faults(parts)
    if kind == REDIRECT and parts.fragment:
        yield error(
            "it has a fragment, which no redirect URI may have (RFC 6749, section 3.1.2)",
            "take out the `#` and what follows it",
        )


def _web_faults(text: str, parts: _Parts, kind: str) -> Iterator[Fault]:
    scheme = parts.scheme.lower()
    if not text[len(scheme) :].startswith("://"):
        bare = text[len(scheme) + 1 :].lstrip("/")
        yield error("two slashes are missing after its scheme", _write(f"{scheme}://{bare}"))
    yield from authority_faults(parts.authority)
    if kind == REDIRECT and scheme == "http" and not is_loopback(parts.host):
        yield warning(
            "plain http to another machine: whoever is on the way can take the code or token",
            "write https; http is for 127.0.0.1, [::1] and localhost (RFC 8252, section 7.3)",
        )


def split_addresses(text: str) -> list[str]:
    """The addresses that stand in one text, at blanks, commas, semicolons or bars before a scheme."""
    return _NEXT.split(text.strip())


def _several_faults(text: str) -> Iterator[Fault]:
    stripped = text.strip()
    first, *others = split_addresses(text)
    if not others:
        return
    separator = stripped[len(first)]
    # In a query or a fragment, a comma and another address may be a value.
    if separator in ",;" and re.search(r"[?#]", first):
        yield warning("it looks like several addresses in one text")
        return
    items = ", ".join(map(spell_item, (first, *others)))
    yield error("several addresses stand in one text", f"write a list: [{items}]")


def _scheme_faults(text: str, parts: _Parts, kind: str) -> Iterator[Fault]:
    scheme = parts.scheme
    if text.startswith("*"):
        yield warning(
            "a wildcard in place of an address: whoever asks for it gets the codes",
            "write each address",
        )
        return
    odd = next((letter for letter in scheme if not letter.isascii()), "")
    if odd:
        yield error(
            f"its scheme holds {code_point(odd)}, which is no letter of ASCII", "write https"
        )
    if not scheme or _HOST_AND_PORT.fullmatch(text):
        bare = text.lstrip("/:")
        # A link to a page may be relative to the server, a redirect URI is never (RFC 6749).
        fault = error if kind == REDIRECT else warning
        bare = _NO_COLON.sub("", bare)
        yield fault("it has no scheme", _write(f"https://{bare}") if _HOST_LIKE.match(bare) else "")
    elif not _SCHEME.fullmatch(scheme):
        yield error("its scheme is none: letters, digits, `+`, `-` and `.` (RFC 3986, section 3.1)")
    yield from _known_scheme_faults(scheme.lower(), text)


def _write(text: str) -> str:
    return f"write {spell_item(text)}"


def _known_scheme_faults(scheme: str, text: str) -> Iterator[Fault]:
    if scheme in _RUN:
        yield error(
            f"a browser that is sent to {scheme}: runs or reads what follows it", "write https"
        )
    elif scheme in _NO_PAGES:
        yield warning(
            f"no code or token can be sent to {scheme}:", "write https, or the app's scheme"
        )
    elif scheme and scheme not in _WEB and "." not in scheme and (meant := _meant(scheme)):
        fixed = f"{meant}:{text.partition(':')[2]}"
        yield error(f"its scheme looks like a misspelling of {meant}", _write(fixed))


def _meant(scheme: str) -> str:
    """The scheme of the web that another one is a misspelling of, "" for none."""
    if _DEFUSED.fullmatch(scheme):
        return "https" if scheme.endswith("s") else "http"
    from difflib import SequenceMatcher  # noqa: PLC0415 - most schemes are known

    likeness = {web: SequenceMatcher(None, scheme, web).ratio() for web in _WEB}
    best = max(_WEB, key=likeness.__getitem__)
    return best if likeness[best] >= _LIKENESS else ""


def _path_faults(parts: _Parts) -> Iterator[Fault]:
    path = parts.path
    spelled = path + parts.query + parts.fragment
    if placeholders.is_badly_encoded(spelled):
        yield error("a `%` in it is not followed by two hexadecimal digits", "write %25 for a `%`")
    if _ENCODED_CONTROL.search(spelled):
        yield error("an encoded control character stands in it", "take it out")
    if path.endswith(("%20", "%09")):
        yield warning("it ends with an encoded blank")
    if "*" in path and parts.scheme not in {"", "*"}:
        yield warning(
            "a wildcard stands in its path: codes can be had at any page below",
            "write one address for each page",
        )
    if _DOTS.search(path):
        yield warning(
            "`.` or `..` is a part of its path, which browsers take out", "write the path without"
        )
    if re.search(r"https?:/", path, re.IGNORECASE):
        yield warning("another address stands in its path", "write each as an item of its own")
