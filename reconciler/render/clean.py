"""Escapes what would act on a terminal or on its reader, in text of any origin.

It stands alone so that a command that only prints a sentence loads nothing else.
"""

from __future__ import annotations


def clean(text: str) -> str:
    """Escape what does not print: control characters, line breaks, bidi marks, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
