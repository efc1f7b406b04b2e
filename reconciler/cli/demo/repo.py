"""Turns the examples into a repo for the demo, whose servers are those of the sandbox."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import ReconcilerError

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
    for public, local in _addresses(sandbox).items():
        replace(folder / "reconciler.yaml", public, local)


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    return {
        "https://api.provident.ae/v2": sandbox.provident,
        "https://example.api.identitynow.com": sandbox.sailpoint,
        "https://admin.example.com/api": sandbox.boruta,
        "https://auth.example.com/oauth/token": sandbox.boruta_token_url,
    }


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
