"""Has one version of the tool write every kind of file that it keeps, so that later versions can be held to them.

PYTHONPATH=tests python tests/formats/write.py CHECKOUT FOLDER [--vendor VENDOR]

CHECKOUT is a working copy of the version that writes. It and its sandbox are run by their command
lines alone; between them stands the gate of `tests/support`, which cuts off answers, and holds a
request back until the run that sent it is killed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from support import s3
from support.another_version import LEFT_OUT, MOVED, RENEWED, VENDORS, write_json, writer
from support.gate import DROPPED, Reply

if TYPE_CHECKING:
    from support.another_version import Writer
    from support.gate import Call


def settled(writer: Writer, folder: Path) -> None:
    """A record with every member that an entry and a pending create can have, and a spool."""
    vendor = writer.vendor
    writer.project(policy={"quarantineDays": 30} if vendor in RENEWED else {})
    secret = {"secret": {"env": "CHOSEN"}} if vendor == "boruta" else {}
    for name in ("plain", "leaves", "respelt"):
        writer.client(name)
    writer.client("chosen", **secret)
    writer.client("guarded", {"preventDestroy": True})
    if vendor in RENEWED:
        writer.client("renewed")
        writer.client("replaced")
    writer.gate.set(after=respelt)
    writer.run("apply", "--auto-approve", code=0)
    writer.respell()
    writer.without("leaves")
    (writer.home / "secrets" / vendor / "spooled.json" / "in-the-way").mkdir(parents=True)
    writer.client("spooled")
    writer.client("pending")
    if vendor in RENEWED:
        writer.renewed("renewed")
        writer.renewed("replaced")
    if vendor == "sailpoint":
        writer.client("lost")
    writer.gate.set(
        before=lambda call: Reply(status=500) if call.method == "DELETE" else None,
        after=lambda call, _: DROPPED if posts(call, "lost", "pending", "replaced") else None,
    )
    writer.run("apply", "--auto-approve", code=5)
    if vendor == "sailpoint":
        # The next run finds the client in the list, without its secret. The others are lost anew.
        writer.remove("pending")
        writer.gate.set(
            before=lambda call: Reply(status=500) if call.method == "DELETE" else None,
            after=lambda call, _: DROPPED if posts(call, "pending") else None,
        )
        writer.run("apply", "--auto-approve", code=5)
    shutil.rmtree(writer.home / "secrets" / vendor / "spooled.json")
    writer.gate.set()
    leave = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(writer.home / "inventory", folder / "inventory", ignore=leave)


def killed(writer: Writer, folder: Path, inventory: dict[str, Any] | None = None) -> None:
    """The journal of a run that was killed in the midst of its last stage."""
    vendor = writer.vendor
    removal = {} if vendor in RENEWED else {"onRemoval": "disable"}
    writer.project(inventory, policy=removal)
    for name in ("stays", "moves", "vanishes", "leaves-a", "leaves-b"):
        writer.client(name)
    if vendor in RENEWED:
        writer.client("renewed")
    writer.run("apply", "--auto-approve", code=0)
    for name in ("vanishes", "leaves-a", "leaves-b"):
        writer.without(name)
    writer.remove("vanishes")
    writer.client("moves", **MOVED[vendor])
    for name in ("new", "refused", "unanswered"):
        writer.client(name)
    if vendor in RENEWED:
        writer.renewed("renewed")
    writer.gate.set(
        before=lambda call: Reply(status=422) if posts(call, "refused") else None,
        after=lambda call, _: DROPPED if posts(call, "unanswered") else None,
    )
    last = {"DELETE"} if vendor in RENEWED else {"PUT"}
    deletes: list[int] = []

    def second(call: Call) -> bool:
        if call.method in last and not call.is_token:
            deletes.append(call.number)
        return len(deletes) == 2 and deletes[-1] == call.number

    def has_dropped() -> bool:
        return vendor not in RENEWED or "drop" in journal(writer, inventory)

    arguments = ("apply", "--auto-approve", "--receipt", "receipt.json")
    writer.run_killed(*arguments, when=second, only_if=has_dropped)
    if inventory is None:
        writer.keep(folder)
        shutil.copy(writer.home / "receipt.json", folder)
        writer.fold()
        write_record(writer, folder)
    else:
        write_objects(folder, inventory)
        # Nobody waits for the lock of the run that was killed.
        obstore.delete(s3.bucket(inventory), f"{vendor}.lock")
        writer.fold()
        (folder / "expected.json").write_bytes(s3.objects(inventory)[f"{vendor}.json"])


def planned(writer: Writer, folder: Path) -> None:
    """A saved plan with every action that the vendor has, and what the version did with it."""
    vendor = writer.vendor
    writer.project()
    for name in ("stays", "moves", "leaves"):
        writer.client(name)
    if vendor in RENEWED:
        writer.client("renewed")
    writer.run("apply", "--auto-approve", code=0)
    writer.without("leaves")
    secret = {"secret": {"env": "CHOSEN"}} if vendor == "boruta" else {}
    writer.client("moves", **MOVED[vendor], **secret)
    writer.client("new")
    if vendor in RENEWED:
        writer.renewed("renewed")
    writer.run("plan", "--out", "plan.json", code=0)
    writer.keep(folder)
    shutil.copy(writer.home / "plan.json", folder)
    writer.run("apply", "plan.json", "--receipt", "receipt.json", code=0)
    shutil.copy(writer.home / "receipt.json", folder)
    write_record(writer, folder)


def imported(writer: Writer, folder: Path) -> None:
    """Manifests that the version wrote itself, and the record that binds them."""
    writer.project()
    for name in ("one", "two"):
        writer.client(name)
    writer.run("apply", "--auto-approve", code=0)
    if writer.vendor == "provident":
        ids = [word for remote_id, _ in writer.rows() for word in ("--id", remote_id)]
    else:
        ids = ["--select", "name=Client *"]
    shutil.rmtree(writer.home / "clients")
    shutil.rmtree(writer.home / "inventory")
    shutil.rmtree(writer.home / "secrets")
    writer.run("import", writer.vendor, *ids, code=0)
    writer.keep(folder)


def begun(writer: Writer, folder: Path) -> None:
    """The project that `init` starts."""
    writer.run("init", "--provider", writer.vendor, code=0)
    shutil.copytree(writer.home, folder, ignore=shutil.ignore_patterns(".gitignore"))


def posts(call: Call, *names: str) -> bool:
    """Whether a request creates one of these clients."""
    return call.method == "POST" and any(f'"Client {name}"'.encode() in call.body for name in names)


def respelt(call: Call, reply: Reply) -> Reply | None:
    """An answer in which the server spells the name of one client its own way."""
    if not posts(call, "respelt"):
        return None
    return Reply(
        status=reply.status,
        content=reply.content.replace(b"Client respelt", b"CLIENT RESPELT"),
        media_type=reply.media_type,
    )


def write_record(writer: Writer, folder: Path) -> None:
    """Keep the record as `expected.json`: the one file of old versions, or those of each client."""
    inventory = writer.home / "inventory"
    file = inventory / f"{writer.vendor}.json"
    if file.exists():
        shutil.copy(file, folder / "expected.json")
    else:
        documents = [json.loads(path.read_bytes()) for path in inventory.glob(f"{writer.vendor}/*")]
        write_json(folder / "expected.json", sorted(documents, key=lambda one: one.get("key", "")))


def journal(writer: Writer, inventory: dict[str, Any] | None) -> set[str]:
    """The kinds of events that the journal holds by now."""
    if inventory is None:
        path = writer.home / "inventory" / f"{writer.vendor}.journal"
        content = path.read_bytes() if path.exists() else b""
    else:
        found = s3.objects(inventory)
        content = b"".join(found[name] for name in sorted(found) if ".journal/" in name)
    lines = [json.loads(line) for line in content.splitlines()]
    return {line[2]["event"] for line in lines if "event" in line[2]}


def write_objects(folder: Path, inventory: dict[str, Any]) -> None:
    host = socket.gethostname().encode()
    for name, content in s3.objects(inventory).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        # A lock names the machine that held it.
        (folder / name).write_bytes(content.replace(host, b"a-runner"))


def main() -> None:
    """Write all of it, for each vendor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vendor", choices=VENDORS, action="append")
    stated = parser.parse_args()
    checkout = stated.checkout.resolve()
    for vendor in stated.vendor or VENDORS:
        for write in (settled, killed, planned, imported, begun):
            with writer(checkout, vendor) as made:
                write(made, stated.folder / vendor / write.__name__)
        with s3.serving() as address, writer(checkout, vendor) as made:
            settings = s3.settings(address)
            killed(made, stated.folder / vendor / "objects", settings)


if __name__ == "__main__":
    main()
