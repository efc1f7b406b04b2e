"""Puts each client's secret into a private file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler import atomic_files, private_files
from reconciler.core.errors import SinkError
from reconciler.core.secrets import reveal
from reconciler.sinks import folder
from reconciler.validation.folders import DEFAULT_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.model import Secret
    from reconciler.core.places import Place
    from reconciler.sinks.contract import Setting

# More than a secret takes, so that a full disk shows before there is a client.
_PROBE: Final = b"room for a secret\n" * 64


class FileSink:
    """Writes `<directory>/<target>/<key>.json`, that only its owner can read."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._directory)

    def holder(self, target: str, key: str) -> str | None:
        """The id of the client whose secret is stored under `key`, None for none.

        A file that cannot be read counts as none: the secret is then reported as lost, and not as safe.
        """
        return self._look(target, key)[0]

    def missing(self, clients: Mapping[Place, str]) -> Mapping[Place, str]:
        """Of the clients, their ids by target and key, those whose secret is in no file, with why."""
        found = {place: self._look(*place) for place in clients}
        return {
            # Not whose: anything may have been written there.
            place: why or f"{self._path(*place)} has the secret of another client"
            for place, (holder, why) in found.items()
            if holder != clients[place]
        }

    def _look(self, target: str, key: str) -> tuple[str | None, str]:
        """The id of the client whose secret is stored under `key`, or None and why there is none."""
        path = self._path(target, key)
        try:
            document = json.loads(self._read(path))
            client_id, secret = document["client_id"], document["client_secret"]
        except FileNotFoundError:
            return None, f"there is no {path}"
        except OSError as error:
            return None, f"{path}: {atomic_files.reason(error)}"
        except (ValueError, KeyError, TypeError, RecursionError):
            return None, f"{path} holds no secret of a client"
        return (str(client_id), "") if secret else (None, f"{path} holds no secret of a client")

    def load(self, target: str, key: str) -> str | None:
        """The secret that is stored under `key`, None for none. Raises SinkError."""
        path = self._path(target, key)
        try:
            return str(json.loads(self._read(path))["client_secret"])
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = f"{path} cannot be read: {atomic_files.reason(error)}"
        except (ValueError, KeyError, TypeError, RecursionError):
            problem = f"{path} holds no secret of a client"
        # Outside of the handler, so that no traceback leads back to the content.
        raise SinkError(problem)

    def _read(self, path: Path) -> bytes:
        atomic_files.refuse_link(path.parent)
        return atomic_files.read(path)

    def _path(self, target: str, key: str) -> Path:
        return folder.client_path(self._directory, target, key, ".json")

    def probe(self) -> None:
        """Prove that a secret could be written, and leave nothing behind. Raises SinkError."""
        folder.probe(self._directory, _PROBE)
        folder.probe_private(self._directory)

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Write the secret of a client, on disk when this returns; the value is the file's path.

        The secret of a predecessor is replaced. Raises SinkError.
        """
        path = self._path(target, key)
        document = {"client_id": client_id, "client_secret": reveal(secret)}
        content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        try:
            atomic_files.refuse_link(path.parent)
            atomic_files.make_folder(path.parent, mode=atomic_files.PRIVATE_FOLDER)
            # Also one that was there before, with other rights.
            path.parent.chmod(atomic_files.PRIVATE_FOLDER)
            private_files.write(self._directory, path, content)
            folder.check_content(path, content)
        except OSError as error:
            problem = folder.write_problem(self._directory, error)
        else:
            return str(path)
        # Outside of the handler, so that no traceback leads back to the content.
        raise SinkError(problem)


def make(setting: Setting) -> FileSink:
    """The sink of a target whose `secrets` may name the `directory`."""
    return FileSink(setting.path(setting.options.get("directory", DEFAULT_DIRECTORIES["file"])))
