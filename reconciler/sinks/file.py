"""Puts each client's secret into a private file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files
from reconciler.core.errors import SinkError
from reconciler.core.secrets import reveal
from reconciler.sinks import folder

if TYPE_CHECKING:
    from reconciler.core.model import Secret
    from reconciler.sinks.contract import Setting

_DIRECTORY: Final = ".reconciler/secrets"
_ROOM: Final = b"room for a secret\n" * 64


class FileSink:
    """Writes `<directory>/<target>/<key>.json`, that only its owner can read."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._directory)

    def holder(self, target: str, key: str) -> str | None:
        """The id of the client whose secret is stored under `key`, None for none."""
        path = self._path(target, key)
        try:
            document = json.loads(path.read_bytes())
            return str(document["client_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, target: str, key: str) -> Path:
        return (
            self._directory / atomic_files.file_name(target) / f"{atomic_files.file_name(key)}.json"
        )

    def probe(self) -> None:
        """Prove that a secret could be written, and leave nothing behind. Raises SinkError."""
        folder.probe(self._directory, _ROOM)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Write the secret of a client, on disk when this returns, and give the file's path.

        The secret of a predecessor is replaced. Raises SinkError.
        """
        path = self._path(target, key)
        private = path.parent
        document = {"client_id": client_id, "client_secret": reveal(secret)}
        content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        try:
            atomic_files.make_folder(private, mode=atomic_files.PRIVATE_FOLDER)
            private.chmod(atomic_files.PRIVATE_FOLDER)
            atomic_files.keep_out_of_git(self._directory)
            atomic_files.write(path, content, mode=atomic_files.PRIVATE_FILE)
            folder.read_back(path, content)
        except OSError as error:
            problem = folder.refusal(self._directory, error)
        else:
            return str(path)
        raise SinkError(problem)


def make(setting: Setting) -> FileSink:
    """The sink of a target whose `secrets` may name the `directory`."""
    return FileSink(setting.path(setting.options.get("directory", _DIRECTORY)))
