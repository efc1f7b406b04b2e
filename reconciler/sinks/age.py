"""Encrypts each client's secret into a file of its own, which may be committed (age-encryption.org/v1)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler import atomic_files
from reconciler.core.errors import SinkError
from reconciler.core.secrets import reveal
from reconciler.sinks import folder
from reconciler.validation.folders import DEFAULT_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.model import Secret
    from reconciler.core.places import Place
    from reconciler.sinks.contract import Setting

_PROBE: Final = b"no secret\n"


class AgeSink:
    """Writes `<directory>/<target>/<key>.age`, which only the `recipients` can read.

    A recipient is an age public key (`age1...`) or the line of an SSH public key. What is stored
    cannot be read back for its meaning, since only they can decrypt it: the bytes are compared.
    `identity` is a file with the private key (`AGE-SECRET-KEY-1...`) of one of them, for `load`.
    """

    def __init__(
        self, directory: str | Path, recipients: Sequence[str], identity: str | None = None
    ) -> None:
        self._directory = Path(directory)
        self._recipients = tuple(recipients)
        self._identity = identity

    @property
    def place(self) -> str:
        """The folder, and for how many recipients."""
        count = len(self._recipients)
        return f"{self._directory}, encrypted to {count} recipient{'' if count == 1 else 's'}"

    def probe(self) -> None:
        """Prove that a text can be encrypted to the recipients, and that the folder takes it."""
        folder.probe(self._directory, self._encrypt(_PROBE))

    def missing(self, clients: Mapping[Place, str]) -> Mapping[Place, str]:
        """Of the clients, by target and key, those of whose secret there is no file, with why.

        Whose secret is in one that is there, only the recipients can tell.
        """
        paths = {place: folder.client_path(self._directory, *place, ".age") for place in clients}
        return {place: f"there is no {path}" for place, path in paths.items() if not path.is_file()}

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Write the secret of a client, on disk when this returns; the value is the file's path.

        Nothing is written before it is encrypted. Raises SinkError.
        """
        path = folder.client_path(self._directory, target, key, ".age")
        document = {"client_id": client_id, "client_secret": reveal(secret)}
        plain = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        content = self._encrypt(plain.encode())
        try:
            atomic_files.refuse_link(path.parent)
            atomic_files.make_folder(path.parent, mode=atomic_files.SHARED_FOLDER)
            atomic_files.write(path, content, mode=atomic_files.SHARED_FILE)
            folder.check_content(path, content)
        except OSError as error:
            problem = folder.write_problem(self._directory, error)
        else:
            return str(path)
        # Outside of the handler, so that no traceback leads back to the plain text.
        raise SinkError(problem)

    @property
    def load(self) -> Callable[[str, str], str | None] | None:
        """What gives the secret that is there, by target and key; None without an `identity`."""
        return None if self._identity is None else partial(self._load, self._identity)

    def _load(self, identity: str, target: str, key: str) -> str | None:
        path, pyrage = folder.client_path(self._directory, target, key, ".age"), _pyrage()
        try:
            keys = [
                pyrage.x25519.Identity.from_str(line)
                for line in Path(identity).read_text("utf-8").split()
                if line.startswith("AGE-SECRET-KEY-")
            ]
            document = json.loads(pyrage.decrypt(atomic_files.read(path), keys))
            return str(document["client_secret"])
        except FileNotFoundError as error:
            if error.filename != identity:
                return None
            problem = f"there is no {identity}"
        except OSError as error:
            problem = f"{path} cannot be read: {atomic_files.reason(error)}"
        except (pyrage.IdentityError, pyrage.DecryptError, ValueError, KeyError, TypeError):
            problem = f"{path} cannot be decrypted with {identity}"
        # Outside of the handler, so that no traceback leads back to the plain text.
        raise SinkError(problem)

    def _encrypt(self, plain: bytes) -> bytes:
        pyrage = _pyrage()
        recipients = [_parse_recipient(pyrage, text) for text in self._recipients]
        # Armored, so that git and a review see a text.
        return cast("bytes", pyrage.encrypt(plain, recipients, armored=True))


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - an extra, that only this sink needs
    except ImportError:
        problem = "the sink age needs pyrage: pip install 'oauth-client-reconciler[age]'"
    else:
        return pyrage
    raise SinkError(problem)


def _parse_recipient(pyrage: Any, text: str) -> Any:
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError:
        pass
    # Cut short: who gives a private key by mistake must not find it in a log.
    raise SinkError(
        f"{text[:24]}... is no age recipient: it takes an age1... key, or an ssh-ed25519 or ssh-rsa one"
    )


def make(setting: Setting) -> AgeSink:
    """The sink of a target whose `secrets` name the `recipients` and may name the `directory` and the `identity`."""
    options = setting.options
    directory = setting.path(options.get("directory", DEFAULT_DIRECTORIES["age"]))
    identity = setting.path(options["identity"]) if "identity" in options else None
    return AgeSink(directory, options["recipients"], identity)
