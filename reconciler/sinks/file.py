"""Puts each new client's secret into a private file of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import durable
from reconciler.core.errors import SinkError
from reconciler.core.secrets import reveal

if TYPE_CHECKING:
    from reconciler.core.model import Secret


class FileSink:
    """Writes `<directory>/<target>/<key>.json`, that only its owner can read."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    def probe(self) -> None:
        """Prove that a secret could be written, and leave nothing behind. Raises SinkError."""
        try:
            with tempfile.NamedTemporaryFile(dir=self._nearest(), prefix=".probe-") as file:
                file.write(b"room for a secret\n" * 64)
                file.flush()
        except OSError as error:
            problem = self._problem(error)
        else:
            return
        raise SinkError(problem)

    def _nearest(self) -> Path:
        """The folder, or the one above it where it would be made."""
        absolute = self._directory.absolute()
        return next(path for path in (absolute, *absolute.parents) if path.exists())

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Write the secret of a client, on disk when this returns, and give the file's path.

        The secret of a predecessor is replaced. Raises SinkError.
        """
        folder = self._directory / durable.file_name(target)
        path = folder / f"{durable.file_name(key)}.json"
        content = {"client_id": client_id, "client_secret": reveal(secret)}
        try:
            durable.make_folder(folder, mode=durable.PRIVATE_FOLDER)
            folder.chmod(durable.PRIVATE_FOLDER)
            durable.keep_out_of_git(self._directory)
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            durable.write(path, text.encode(), mode=durable.PRIVATE_FILE)
        except OSError as error:
            problem = self._problem(error)
        else:
            return str(path)
        raise SinkError(problem)

    def _problem(self, error: OSError) -> str:
        return f"no secret can be written to {self._directory}: {durable.reason(error)}"
