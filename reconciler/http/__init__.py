"""Servers, read and changed over HTTP."""

from __future__ import annotations

import sys


def _load_httpx() -> None:
    """Load httpx without the command line that it brings for people: 60 ms of rich and pygments.

    httpx is made for that: without the packages that it needs, it has no command line either.
    """
    name = "httpx._main"
    # One that somebody else has loaded is left as it is.
    if "httpx" not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]  # "it cannot be imported"
        try:
            import httpx  # noqa: F401, PLC0415
        finally:
            # Taken away again, so that whoever wants that command line can still import it.
            del sys.modules[name]


_load_httpx()
