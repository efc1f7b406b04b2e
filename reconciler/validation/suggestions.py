"""Turns a name that nothing knows into the known name that was meant, and into a hint that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# A longer one is no slip of the keyboard, and difflib's time grows with the square of it.
_LONGEST_NAME: Final = 60


def closest_name(name: object, known: Iterable[str]) -> str:
    """The known name that `name` is most likely a misspelling of, "" where none is near.

    `redirect_uris` and `RedirectURIs` are `redirectUris` for certain; other names by likeness.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return ""
    import difflib  # noqa: PLC0415 - a run without problems never needs it

    # Reversed, so that of two names that fold to one the first stays.
    candidates = {_fold(candidate): candidate for candidate in reversed(list(known))}
    likely = difflib.get_close_matches(_fold(name), candidates, n=1)
    return candidates[likely[0]] if likely else ""


def suggest(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: the one that was meant, else all there are."""
    names = sorted(known)
    near = closest_name(name, names)
    return did_you_mean(near) if near else list_known(names)


def did_you_mean(name: str) -> str:
    """The hint that names what was meant, "" for no name."""
    return f"did you mean `{name}`?" if name else ""


def list_known(names: Collection[str]) -> str:
    """The hint that lists every known name."""
    return f"known are: {', '.join(sorted(names))}" if names else "there is none"


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
