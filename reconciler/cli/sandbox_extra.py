"""Says what to install where the sandbox's packages are missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError
from reconciler.sandbox.server import SandboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needed() -> Iterator[None]:
    """Turn missing packages into a sentence that ends with the command that installs them."""
    try:
        yield
    except SandboxUnavailable as error:
        raise ReconcilerError(str(error)) from error
