"""What is wrong with an address that a manifest states."""

from __future__ import annotations

from typing import Final, Literal

from reconciler.core.dataclass import dataclass

# The words of `x-reconciler.uri`: where a code or a token is sent, and any other page.
REDIRECT: Final = "redirect"
PAGE: Final = "page"
KINDS: Final = (REDIRECT, PAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with an address.

    An error is what no server can mean, a warning what one might. `message` never quotes the
    address, which a reference may stand for; `hint` may.
    """

    severity: Literal["error", "warning"]
    message: str
    hint: str = ""


def error(message: str, hint: str = "") -> Fault:
    """The fault of an address that no server can mean."""
    return Fault(severity="error", message=message, hint=hint)


def warning(message: str, hint: str = "") -> Fault:
    """The fault of an address that a server may mean, and that is rarely meant."""
    return Fault(severity="warning", message=message, hint=hint)


def code_point(character: str) -> str:
    """A character by its number and name, such as `U+200B ZERO WIDTH SPACE`."""
    import unicodedata  # noqa: PLC0415 - most addresses are plain

    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".rstrip()
