"""Turns settings into a running sandbox: in a thread for tests and the demo, or as the whole process."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.sandbox.world import DEFAULT_RATE_LIMIT, Settings, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.sandbox.handle import Sandbox
    from reconciler.sandbox.listener import Listener
    from reconciler.sandbox.tokens import Credential

_LOOPBACK = "127.0.0.1"


class SandboxUnavailable(RuntimeError):
    """The packages that the sandbox stands on are not installed."""


@contextlib.contextmanager
def running(  # noqa: PLR0913 - one keyword for each trait of the world that is played
    *,
    port: int = 0,
    faults: Sequence[str] = (),
    state_path: str | None = None,
    rate_limit: tuple[int, float] | None = DEFAULT_RATE_LIMIT,
    clock: Callable[[], float] = time.time,
    seed: int | None = None,
    credentials: Mapping[str, Credential] | None = None,
    provident_put: Literal["replace", "merge"] = "replace",
    provident_list: bool = False,
) -> Iterator[Sandbox]:
    """Run a sandbox on 127.0.0.1 in a thread while the block lasts; see `world.Settings`.

    Raises ValueError for an unknown fault, OSError for a port in use, SandboxUnavailable without its packages.
    """
    _require_packages()
    settings = Settings(
        faults=tuple(faults),
        state_path=state_path,
        rate_limit=rate_limit,
        clock=clock,
        seed=seed,
        credentials=credentials or {},
        provident_put=provident_put,
        provident_list=provident_list,
    )
    ready = threading.Event()
    with _prepare(settings, port, lambda _sandbox: ready.set()) as (sandbox, listener, listening):
        thread = threading.Thread(
            target=_run, args=(listener, listening, ready), name="sandbox", daemon=True
        )
        thread.start()
        ready.wait()
        try:
            yield sandbox
        finally:
            listener.should_exit = True
            thread.join()


def serve(
    port: int = 0,
    faults: Sequence[str] = (),
    ready_file: str | None = None,
    state_path: str | None = None,
    *,
    rate_limit: tuple[int, float] | None = DEFAULT_RATE_LIMIT,
) -> None:
    """Run a sandbox on 127.0.0.1 until SIGINT or SIGTERM; print nothing.

    `ready_file` gets addresses and credentials (mode 0600) once the socket listens, and is gone afterwards.
    Raises as `running` does.
    """
    _require_packages()
    settings = Settings(faults=tuple(faults), state_path=state_path, rate_limit=rate_limit)

    def write_ready_file(sandbox: Sandbox) -> None:
        if ready_file is not None:
            write_privately(Path(ready_file), json.dumps(sandbox.ready, indent=2) + "\n")

    with _prepare(settings, port, write_ready_file) as (_sandbox, listener, listening):
        try:
            listener.run(sockets=[listening])
        finally:
            if ready_file is not None:
                Path(ready_file).unlink(missing_ok=True)


@contextlib.contextmanager
def _prepare(
    settings: Settings, port: int, on_ready: Callable[[Sandbox], None]
) -> Iterator[tuple[Sandbox, Listener, socket.socket]]:
    from reconciler.sandbox import app, handle, listener  # noqa: PLC0415 - heavy

    with (
        contextlib.closing(World(settings)) as played,
        # Bound here and not by uvicorn, so that a port in use is an OSError and not an exit.
        contextlib.closing(socket.create_server((_LOOPBACK, port), backlog=1024)) as listening,
    ):
        sandbox = handle.Sandbox(played, listening.getsockname()[1])
        connections = listener.Connections()
        asgi = app.build(played, connections.abort)
        server = listener.Listener(asgi, connections, lambda: on_ready(sandbox))
        yield sandbox, server, listening


def _run(listener: Listener, listening: socket.socket, ready: threading.Event) -> None:
    try:
        listener.run(sockets=[listening])
    finally:
        # A server that cannot start must not leave anyone waiting.
        ready.set()


def write_privately(path: Path, text: str) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    # mkstemp makes the file with mode 0600 from the start, so the credentials are never readable.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _require_packages() -> None:
    for name in ("starlette", "uvicorn", "jsonpatch"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise SandboxUnavailable(
                f"the sandbox needs {name}: pip install 'oauth-client-reconciler[sandbox]'"
            ) from error
