"""Turns the examples into a repo for the demo, whose servers are those of the sandbox."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.cli import project_file
from reconciler.core.errors import ReconcilerError
from reconciler.core.project import ClientCredentials
from reconciler.manifests import project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.handle import Sandbox

_PACKAGE: Final = Path(__file__).parents[2]
# The one secret that the examples set by reference, instead of letting the server make it.
_REFERENCED_VARIABLE: Final = "RECEIPT_PRINTER_SECRET"


def examples_folder() -> Path:
    """The folder of the examples: inside the installed package, or beside it in the source."""
    bundled = _PACKAGE / "examples"
    return bundled if bundled.is_dir() else _PACKAGE.parent / "examples"


def copy_examples(folder: Path, sandbox: Sandbox) -> None:
    """Copy the examples into `folder` and put the sandbox's addresses into their project file."""
    try:
        shutil.copytree(examples_folder(), folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise ReconcilerError("the examples, which the demo shows, could not be copied") from error
    path = folder / project_file.NAME
    for public, local in _addresses(path, sandbox):
        replace(path, public, local)


def _addresses(path: Path, sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """Each address in the examples' project file, with the one at which the sandbox plays its server."""
    local = sandbox.ready["addresses"]
    for target in project.load(str(path)).targets.values():
        yield target.base_url, local[target.provider]
        if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
            yield target.auth.token_url, local[f"{target.provider}Token"]


def replace(path: Path, before: str, after: str) -> None:
    """Replace the one `before` in a file by `after`; raises ValueError where there is not one."""
    text = path.read_text(encoding="utf-8")
    if text.count(before) != 1:
        raise ValueError(f"{path.name} holds {before!r} {text.count(before)} times, not once")
    path.write_text(text.replace(before, after), encoding="utf-8")


@contextmanager
def environment(sandbox: Sandbox) -> Iterator[None]:
    """Set the environment variables that the examples refer to, while the block lasts."""
    before = dict(os.environ)
    os.environ.update(sandbox.env | {_REFERENCED_VARIABLE: secrets.token_urlsafe()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
