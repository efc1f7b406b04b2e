"""Every sink that comes with the tool, over real files, commands and HTTP, with a way to look into it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyrage

from reconciler.sinks import registry
from reconciler.sinks.contract import Setting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDENTITY = pyrage.x25519.Identity.generate()
# A command that keeps what it gets, as `vault kv put` would.
KEEP = """
import json, os, pathlib, sys
about = {name: os.environ["RECONCILER_" + name] for name in ("TARGET", "CLIENT_KEY", "CLIENT_ID")}
folder = pathlib.Path("kept") / about["TARGET"]
folder.mkdir(parents=True, exist_ok=True)
text = json.dumps({"client_id": about["CLIENT_ID"], "client_secret": sys.stdin.read()})
(folder / (about["CLIENT_KEY"] + ".json")).write_text(text)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A sink, a way to read what is stored under a target and a key, and a way to break it."""

    sink: registry.SafeSink
    root: Path
    kept: Callable[[str, str], dict[str, Any]]
    keys: Callable[[], list[str]]
    broken: Callable[[], registry.SafeSink]


def make(kind, root, target="shop", **options):
    return registry.make_sink(kind, Setting(target=target, root=str(root), options=options))


def _file(root, _aws, _address):
    folder = root / "files"
    return Place(
        sink=make("file", root, directory="files"),
        root=root,
        kept=lambda target, key: json.loads((folder / target / f"{key}.json").read_text()),
        keys=lambda: sorted(path.stem for path in folder.glob("*/*.json")),
        broken=lambda: make("file", root, directory=_in_the_way(root)),
    )


def _age(root, _aws, _address):
    folder = root / "files"

    def kept(target, key):
        return json.loads(pyrage.decrypt((folder / target / f"{key}.age").read_bytes(), [IDENTITY]))

    recipients = [str(IDENTITY.to_public())]
    return Place(
        sink=make("age", root, directory="files", recipients=recipients),
        root=root,
        kept=kept,
        keys=lambda: sorted(path.stem for path in folder.glob("*/*.age")),
        broken=lambda: make("age", root, directory=_in_the_way(root), recipients=recipients),
    )


def _exec(root, _aws, _address):
    (root / "keep.py").write_text(KEEP)
    return Place(
        sink=make("exec", root, command=[sys.executable, "keep.py"]),
        root=root,
        kept=lambda target, key: json.loads((root / "kept" / target / f"{key}.json").read_text()),
        keys=lambda: sorted(path.stem for path in root.glob("kept/*/*.json")),
        broken=lambda: make("exec", root, command=["./not-there"]),
    )


def _aws_sink(root, aws, address):
    options = {"region": "eu-west-1", "endpointUrl": address}

    def kept(target, key):
        return json.loads(aws.get_secret_value(SecretId=f"oauth/{target}/{key}")["SecretString"])

    def broken():
        # The port of nobody: taken from the server itself would be a bet.
        return make(
            "aws-secretsmanager", root, region="eu-west-1", endpointUrl="http://127.0.0.1:1"
        )

    return Place(
        sink=make("aws-secretsmanager", root, name="oauth/{target}/{key}", **options),
        root=root,
        kept=kept,
        keys=lambda: sorted(
            each["Name"].rpartition("/")[2] for each in aws.list_secrets()["SecretList"]
        ),
        broken=broken,
    )


def _in_the_way(root):
    (root / "in-the-way").write_text("no folder")
    return "in-the-way"


SINKS = {"file": _file, "age": _age, "exec": _exec, "aws-secretsmanager": _aws_sink}
