"""Hands each client's secret to a command of the user's, on its standard input."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import SinkError
from reconciler.core.masking.masker import mask
from reconciler.core.model import Secret
from reconciler.core.project import seconds
from reconciler.core.secrets import reveal, secret_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.sinks.contract import Setting

# Of what a command prints at its end: how many characters are shown, and how many bytes masked.
_LONGEST_QUOTE: Final = 300
_LONGEST_TAIL: Final = 2000
_NO_SECRET: Final = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSink:
    """Runs `command`, a program and its arguments, without a shell, once for each secret.

    It gets the secret on stdin, byte for byte: arguments and environments of a process are there
    for others to read. In its environment are RECONCILER_TARGET, RECONCILER_CLIENT_KEY and
    RECONCILER_CLIENT_ID, but none of the variables in `withheld`. Exit code 0 means that the secret
    is stored: nothing can be read back but by `lookup_command`, which prints the id of the client
    whose secret is stored, and `load_command`, which prints the secret. `timeout` is in seconds.
    """

    command: tuple[str, ...]
    probe_command: tuple[str, ...] = ()
    lookup_command: tuple[str, ...] = ()
    load_command: tuple[str, ...] = ()
    timeout: float = 30.0
    folder: str = "."
    withheld: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The program; its arguments are left out."""
        return f"the command {self.command[0]}"

    def probe(self) -> None:
        """Make sure that the program is there, and run the probe command where there is one."""
        for command in (self.command, self.probe_command):
            if command and self._find_program(command) is None:
                raise SinkError(f"there is no program {command[0]} for the sink exec")
        if self.probe_command:
            self._run(self.probe_command, {}, _NO_SECRET)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Have the command store the secret of a client; SinkError unless it exits with 0."""
        about = {
            "RECONCILER_TARGET": target,
            "RECONCILER_CLIENT_KEY": key,
            "RECONCILER_CLIENT_ID": client_id,
        }
        self._run(self.command, about, secret)
        return self.place

    @property
    def holder(self) -> Callable[[str, str], str | None] | None:
        """What gives the id of the client whose secret is there, by target and key; None where nothing does."""
        return partial(self._ask, self.lookup_command) if self.lookup_command else None

    @property
    def load(self) -> Callable[[str, str], str | None] | None:
        """What gives the secret that is there, by target and key; None where nothing does."""
        return partial(self._ask, self.load_command) if self.load_command else None

    def _ask(self, command: tuple[str, ...], target: str, key: str) -> str | None:
        """What a command prints of a client, None for nothing. Raises SinkError.

        The command gets RECONCILER_TARGET and RECONCILER_CLIENT_KEY. Another exit code than 0 says
        nothing of the secret.
        """
        about = {"RECONCILER_TARGET": target, "RECONCILER_CLIENT_KEY": key}
        printed = self._run(command, about, _NO_SECRET, stdout=subprocess.PIPE)
        return printed.decode("utf-8", "replace").strip() or None

    def _find_program(self, command: Sequence[str]) -> str | None:
        """The program's path, None where it is not there.

        A name is looked up in PATH, a path with a slash is relative to the project's folder.
        """
        name = command[0]
        if "/" in name and not name.startswith("/"):
            name = os.path.abspath(f"{self.folder}/{name}")  # noqa: PTH100 - a text is wanted
        return shutil.which(name)

    def _run(
        self,
        command: Sequence[str],
        about: Mapping[str, str],
        secret: Secret,
        *,
        stdout: int = subprocess.DEVNULL,
    ) -> bytes:
        """Run the command to its end; the value is what it printed, where `stdout` is a pipe."""
        inherited = {name: os.environ[name] for name in os.environ.keys() - self.withheld}
        try:
            with (
                subprocess.Popen(  # noqa: S603 - the user's own command, and no shell
                    [self._find_program(command) or command[0], *command[1:]],
                    stdin=subprocess.PIPE,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    cwd=self.folder,
                    env={**inherited, **about},
                    start_new_session=True,  # Ctrl-C is for us, who let it finish
                ) as process
            ):
                problem, printed = self._feed(process, str(reveal(secret)).encode(), secret)
        except OSError as error:
            printed, problem = b"", f"cannot be started: {error.strerror}"
        if problem:
            raise SinkError(f"the command {command[0]} {problem}")
        return printed

    def _feed(
        self, process: subprocess.Popen[bytes], content: bytes, secret: Secret
    ) -> tuple[str, bytes]:
        """Pass the secret to the command and wait for its end: what went wrong, or "", and what it printed."""
        try:
            printed, output = process.communicate(content, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            # Its whole group: what it started would keep us waiting for the end of its output.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return f"was ended, since it took more than {self.timeout:g} seconds", b""
        if process.returncode == 0:
            return "", printed or b""
        return f"exited with {process.returncode}{_quote_end(output, secret)}", b""


def _quote_end(output: bytes, secret: Secret) -> str:
    """The end of what a command printed, on one line and without the secret."""
    # What is cut in front may have begun a part of the secret: the mask knows parts.
    tail = mask(output[-_LONGEST_TAIL:].decode("utf-8", "replace"), secret_texts(secret))
    line = " ".join("".join(c if c.isprintable() else " " for c in tail).split())
    return f": {line[-_LONGEST_QUOTE:]}" if line else ""


def make(setting: Setting) -> ExecSink:
    """The sink of a target whose `secrets` name the `command`, and may name `probe`, `lookup`, `load` and `timeout`."""
    return _SINK({**setting.options, "folder": setting.root, "withheld": setting.withheld})


_SINK: Final = decoder(
    ExecSink,
    names={"probe_command": "probe", "lookup_command": "lookup", "load_command": "load"},
    command=tuple,
    probe_command=tuple,
    lookup_command=tuple,
    load_command=tuple,
    timeout=seconds,
)
