"""Hands each client's secret to a command of the user's, on its standard input."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.decode import decoder
from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.core.project import seconds
from reconciler.core.secrets import reveal
from reconciler.sinks.masking import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.sinks.contract import Setting

# Of what a command says in the end, so much is shown, and so much looked at.
_LONGEST_QUOTE: Final = 300
_LONGEST_TAIL: Final = 2000
_NOTHING: Final = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSink:
    """Runs `command`, a program and its arguments, without a shell, once for each secret.

    It gets the secret on stdin, byte for byte, and in its environment RECONCILER_TARGET,
    RECONCILER_CLIENT_KEY and RECONCILER_CLIENT_ID, but none of the variables in `withheld`. Exit
    code 0 means that the secret is stored: nothing can be read back. `timeout` is in seconds.
    """

    command: tuple[str, ...]
    probing: tuple[str, ...] = ()
    timeout: float = 30.0
    folder: str = "."
    withheld: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The program; its arguments are left out."""
        return f"the command {self.command[0]}"

    def probe(self) -> None:
        """Make sure that the program is there, and run the probe command where there is one."""
        for words in (self.command, self.probing):
            if words and self._program(words) is None:
                raise SinkError(f"there is no program {words[0]} for the sink exec")
        if self.probing:
            self._run(self.probing, {}, _NOTHING)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Have the command store the secret of a client; SinkError unless it exits with 0."""
        about = {
            "RECONCILER_TARGET": target,
            "RECONCILER_CLIENT_KEY": key,
            "RECONCILER_CLIENT_ID": client_id,
        }
        self._run(self.command, about, secret)
        return self.place

    def _program(self, words: Sequence[str]) -> str | None:
        """The program's path: a name is looked up, a path is relative to the project's folder."""
        name = words[0]
        if "/" in name and not name.startswith("/"):
            name = os.path.abspath(f"{self.folder}/{name}")  # noqa: PTH100 - a text is wanted
        return shutil.which(name)

    def _run(self, words: Sequence[str], about: Mapping[str, str], secret: Secret) -> None:
        inherited = {name: os.environ[name] for name in os.environ.keys() - self.withheld}
        try:
            with (
                subprocess.Popen(  # noqa: S603 - the user's own command, and no shell
                    [self._program(words) or words[0], *words[1:]],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    cwd=self.folder,
                    env={**inherited, **about},
                    start_new_session=True,  # Ctrl-C is for us, who let it finish
                ) as process
            ):
                problem = self._fed(process, str(reveal(secret)).encode(), secret)
        except OSError as error:
            problem = f"cannot be started: {error.strerror}"
        if problem:
            raise SinkError(f"the command {words[0]} {problem}")

    def _fed(self, process: subprocess.Popen[bytes], given: bytes, secret: Secret) -> str:
        """What became of a command that was given the secret, "" for well."""
        try:
            _, said = process.communicate(given, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            # Its whole group: what it started would keep us waiting for the end of its output.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return f"was ended, since it took more than {self.timeout:g} seconds"
        if process.returncode == 0:
            return ""
        return f"exited with {process.returncode}{_quoted(said, secret)}"


def _quoted(said: bytes, secret: Secret) -> str:
    """The end of what a command said, on one line and without the secret."""
    # What is cut in front may have begun a part of the secret: the mask knows parts.
    tail = masked(said[-_LONGEST_TAIL:].decode("utf-8", "replace"), secret)
    line = " ".join("".join(c if c.isprintable() else " " for c in tail).split())
    return f": {line[-_LONGEST_QUOTE:]}" if line else ""


def make(setting: Setting) -> ExecSink:
    """The sink of a target whose `secrets` name the `command`, a `probe` and a `timeout`."""
    return _SINK({**setting.options, "folder": setting.root, "withheld": setting.withheld})


_SINK: Final = decoder(
    ExecSink, names={"probing": "probe"}, command=tuple, probing=tuple, timeout=seconds
)
