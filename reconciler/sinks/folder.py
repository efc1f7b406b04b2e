"""Names the files of a sink's folder, and proves that they can be written and were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import atomic_files, private_files
from reconciler.core.errors import SinkError

if TYPE_CHECKING:
    from pathlib import Path


def client_path(folder: Path, target: str, key: str, suffix: str) -> Path:
    """The file for the secret of a client: `<folder>/<target>/<key><suffix>`."""
    return folder / atomic_files.file_name(target) / f"{atomic_files.file_name(key)}{suffix}"


def probe(folder: Path, content: bytes) -> None:
    """Write `content`, which is no secret, and take it away again. Raises SinkError."""
    # Nothing is left behind, not even the folder: a plan probes too, and changes nothing.
    try:
        for each in folder.iterdir() if folder.is_dir() else ():
            # A link to a file is in nobody's way: where a client's own should be, it is replaced.
            if not each.is_file():
                atomic_files.refuse_link(each)
        atomic_files.probe(_nearest_existing(folder), content)
    except OSError as error:
        problem = write_problem(folder, error)
    else:
        return
    raise SinkError(problem)


def probe_private(folder: Path) -> None:
    """Prove that git would not take a secret from the folder. Raises SinkError."""
    try:
        private_files.probe(folder)
    except OSError as error:
        problem = write_problem(folder, error)
    else:
        return
    raise SinkError(problem)


def check_content(path: Path, content: bytes) -> None:
    """Make sure that `path` holds `content`. Raises OSError and SinkError."""
    if atomic_files.read(path) != content:
        raise SinkError(f"{path} does not hold what was written to it")


def write_problem(folder: Path, error: OSError) -> str:
    """The sentence that no secret can be written to `folder`, and why."""
    return f"no secret can be written to {folder}: {atomic_files.reason(error)}"


def _nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest one above it, in which it would be made."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())
