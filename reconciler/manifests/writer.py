"""Turns a manifest document into YAML text that reads back as the same, and into a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files
from reconciler.core.errors import ReconcilerError
from reconciler.core.scalars import spell
from reconciler.manifests.yaml.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.core.model import Json

# A text of several whole lines, such as a PEM key.
_BLOCK: Final = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n)+(?:[!-~](?:[ -~]*[!-~])?)?")


class Unwritable(ReconcilerError):
    """No YAML text would be read as this document; the message says why."""


def to_yaml(document: Mapping[str, Json]) -> str:
    """The YAML text of a document: members in their order, two blanks a level.

    Readers of YAML 1.2 and 1.1 read it as the same value. Raises Unwritable.
    """
    text = "".join(f"{line}\n" for line in _member_lines(document, ""))
    # Read back with our own reader: a text that it takes for something else is never written.
    reading = read(text.encode("utf-8", "surrogatepass"), "")
    problem = next((problem.message for problem in reading.problems), "")
    if problem or json.dumps(reading.documents) != json.dumps([document]):
        problem = problem or "it would be read as something else"
        raise Unwritable(f"a manifest cannot be spelled in YAML: {problem}")
    return text


def create_file(path: Path, text: str) -> None:
    """Create a file that is not there yet, and the folders above it, on disk when this returns.

    Raises FileExistsError where it is there, and the other OSErrors; they leave nothing behind.
    """
    atomic_files.make_folder(path.parent, mode=atomic_files.SHARED_FOLDER)
    atomic_files.create(path, text.encode(), mode=atomic_files.SHARED_FILE)


def replace_file(path: Path, before: str, after: str) -> bool:
    """Replace the text `before` of a file by `after`; False where the file holds another text by now."""
    if path.read_bytes() != before.encode():
        return False
    atomic_files.write(path, after.encode(), mode=atomic_files.SHARED_FILE)
    return True


def _member_lines(value: Mapping[str, Json], indent: str) -> Iterator[str]:
    for name, member in value.items():
        yield from _value_lines(f"{indent}{spell(name)}:", member, indent)


def _value_lines(head: str, value: Json, indent: str) -> Iterator[str]:
    """The lines of a value after `head`, which names it."""
    if isinstance(value, dict) and value:
        yield head
        yield from _member_lines(value, f"{indent}  ")
    elif isinstance(value, list | tuple) and value:
        yield head
        for member in value:
            yield from _item_lines(member, f"{indent}  ")
    elif isinstance(value, str) and _is_block(value):
        yield from _block_lines(head, value, f"{indent}  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item_lines(value: Json, indent: str) -> Iterator[str]:
    """The lines of a member of a list; those of an object begin beside the dash."""
    if isinstance(value, dict) and value:
        first, *rest = _member_lines(value, f"{indent}  ")
        yield f"{indent}- {first.lstrip(' ')}"
        yield from rest
    else:
        yield from _value_lines(f"{indent}-", value, indent)


def _is_block(text: str) -> bool:
    return text.count("\n") > 1 and _BLOCK.fullmatch(text) is not None


def _block_lines(head: str, text: str, indent: str) -> Iterator[str]:
    yield f"{head} |" if text.endswith("\n") else f"{head} |-"
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}{line}"


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return spell(value)
    # Of what is left, JSON's spelling is YAML's: null, true, 12, 1.5, [] and {}.
    text = json.dumps(value)
    # Only 1e+20 and its like are a text to YAML 1.1, which wants a point in them.
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text
