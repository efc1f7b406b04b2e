"""Proves that a sink's folder can be written to, and says what is wrong where it cannot."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from reconciler import atomic_files
from reconciler.core.errors import SinkError

if TYPE_CHECKING:
    from pathlib import Path


def probe(folder: Path, content: bytes) -> None:
    """Write `content`, which is no secret, and take it away again. Raises SinkError."""
    try:
        with tempfile.NamedTemporaryFile(dir=_nearest(folder), prefix=".probe-") as file:
            file.write(content)
            file.flush()
    except OSError as error:
        problem = refusal(folder, error)
    else:
        return
    raise SinkError(problem)


def read_back(path: Path, content: bytes) -> None:
    """Make sure that `path` holds `content`. Raises OSError and SinkError."""
    if path.read_bytes() != content:
        raise SinkError(f"{path} does not hold what was written to it")


def refusal(folder: Path, error: OSError) -> str:
    """Say that no secret can be written to `folder`, and why."""
    return f"no secret can be written to {folder}: {atomic_files.reason(error)}"


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it where it would be made."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())
