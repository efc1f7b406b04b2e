"""Tells which file names every system can hold, and which two names may mean one file.

A repository is checked out on Linux, macOS and Windows. What Windows cannot hold breaks every clone
there: https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# Unlike the page, with a 0 as well: some versions take COM0 and LPT0 for devices too.
_NUMBERS: Final = "0123456789¹²³"
_DEVICES: Final = frozenset(
    (
        *("con", "prn", "aux", "nul", "conin$", "conout$", "clock$"),
        *(f"com{number}" for number in _NUMBERS),
        *(f"lpt{number}" for number in _NUMBERS),
    )
)
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
# Of bytes on Linux, of UTF-16 units on Windows and macOS, of which no text has more than bytes.
_LONGEST: Final = 255


def is_portable(name: str) -> bool:
    """Whether every system can hold a file of this name, which is one without its folders.

    `con.yaml` is none for Windows, whatever its ending; neither is a name with a character that
    Windows reserves, a control or half a surrogate pair in it, or a dot or a blank at its end.
    """
    if not name or name in {".", ".."} or name[-1] in ". " or not _is_encodable(name):
        return False
    if any(character in _FORBIDDEN or character < " " or character == "\x7f" for character in name):
        return False
    return not is_device(name)


def is_device(name: str) -> bool:
    """Whether Windows keeps a file's name for a device, whatever its ending."""
    # It looks at what stands before the first dot, without the blanks at its end.
    return name.partition(".")[0].rstrip(" ").lower() in _DEVICES


def same_file_form(name: str) -> str:
    """The form that two names share which some system takes for one: in case, or as Unicode spells it."""
    # Once more after folding, which may leave a letter and its accent apart.
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", folded)


def _is_encodable(name: str) -> bool:
    try:
        return len(name.encode()) <= _LONGEST
    except UnicodeEncodeError:
        return False
