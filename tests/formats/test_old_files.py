"""Files that an earlier version wrote are read by this one, with the meaning that they had, and written alike."""

from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner
from support import s3
from support.records import recorded
from support.store_places import FilePlace, ObjectPlace

# Everything of the tool that these files are read through. Where a module is renamed, this follows.
from reconciler.app.saved_plan import read_saved as open_plan
from reconciler.cli.output import version
from reconciler.cli.root import root
from reconciler.inventory.codec import decode, encode
from reconciler.inventory.spool import read_secrets
from reconciler.sandbox.server import running
from reconciler.sandbox.state import Row, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from reconciler.core.model import Intent, InventoryEntry
    from reconciler.sandbox.handle import Sandbox

    Invoke = Callable[..., Result]

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[1] / "schemas"
VERSIONS = sorted(path.name for path in HERE.glob("v*"))
VENDORS = ("provident", "sailpoint", "boruta")
FOLDERS = [HERE / name / vendor for name in VERSIONS for vendor in VENDORS]
INVENTED = {"CHOSEN": "invented-by-a-user", "KEY": "invented-key-of-fingerprints"}


def name(path: Path) -> str:
    """What a test calls a file or a folder."""
    return path.relative_to(HERE).as_posix()


def files(pattern: str) -> list[Path]:
    return sorted(path for folder in FOLDERS for path in folder.glob(pattern))


RECORDS = sorted(
    {*files("*/inventory/*.json"), *files("*/expected.json"), *files("objects/*.json")}
)
JOURNALS = files("killed/inventory/*.journal")
OBJECTS = files("objects")
SPOOLS = files("settled/inventory")
PLANS = files("planned/plan.json")
RECEIPTS = files("*/receipt.json")
PROJECTS = [path.parent for path in files("*/reconciler.yaml")]


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def schema(kind: str) -> Any:
    return load(SCHEMAS / f"{kind}.schema.json")


def vendor_of(path: Path) -> str:
    return path.relative_to(HERE).parts[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def invoke() -> Invoke:
    """Run a command line in this process, without a terminal."""
    return lambda *arguments: CliRunner().invoke(root, list(arguments))


@pytest.fixture
def serve(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], Sandbox]]:
    """Take over an old project, with the servers that it was about as they were then."""
    opened = []

    def start(folder: Path) -> Sandbox:
        # As files of their own: a checkout may be read-only.
        shutil.copytree(folder, home, copy_function=shutil.copyfile)
        monkeypatch.chdir(home)
        state = tmp_path / "state.sqlite"
        rows = Store(str(state))
        for collection, stored in load(folder / "servers.json").items():
            rows.add(collection, [Row(**row) for row in stored])
        rows.close()
        context = running(state_path=str(state), rate_limit=None)
        sandbox = context.__enter__()
        opened.append(context)
        for variable, value in {**INVENTED, **sandbox.env}.items():
            monkeypatch.setenv(variable, value)
        _lead_to(sandbox.port, monkeypatch)
        return sandbox

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def _lead_to(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections to loopback reach `port`: old files name the ports of their own day."""
    connect = socket.create_connection

    def connect_now(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        return connect((address[0], port), *rest, **more)

    monkeypatch.setattr(socket, "create_connection", connect_now)


def test_there_are_files_of_every_kind_with_every_member_that_they_can_have():
    records = [load(path) for path in RECORDS]
    entries = [entry for record in records for entry in record["clients"].values()]
    pending = [one for record in records for one in record.get("pending", {}).values()]
    lines = [json.loads(line) for path in JOURNALS for line in path.read_bytes().splitlines()]
    changes = [change for path in PLANS for change in load(path)["targets"][0]["changes"]]

    assert set().union(*entries) >= {
        *("id", "applied", "fingerprints", "answered", "appliedAt", "digest"),
        *("superseded", "preventDestroy", "quarantinedAt", "secret"),
    }
    assert set().union(*pending) >= {"id", "predecessor", "facts", "digest", "at"}
    assert {entry.get("secret") for entry in entries} >= {"stored", "spooled", "lost"}
    assert any(entry["fingerprints"] for entry in entries)
    assert any(entry["superseded"] for entry in entries)
    assert {line[2].get("event") for line in lines} == {
        *(None, "intend", "settle", "record", "forget", "drop")
    }
    assert {change["action"] for change in changes} == {
        *("noop", "create", "update", "replace", "delete")
    }
    assert SPOOLS
    assert OBJECTS
    assert {load(path)["endedAt"] is None for path in RECEIPTS} == {True, False}


def test_every_secret_in_these_files_was_made_up_for_them():
    texts = [path.read_text() for path in HERE.glob("v*/**/*.json")]
    named = re.compile(r'"(client_?[sS]ecret|secret)": "([^"]+)"')

    found = {value for text in texts for _, value in named.findall(text)}

    places = {"stored", "spooled", "lost"}
    assert found - places
    assert [
        one for one in found - places if not one.startswith(("invented-", "hmac:", "(secret"))
    ] == []


def assert_same_entry(entry: InventoryEntry, stated: dict[str, Any]) -> None:
    assert entry.remote_id == stated["id"]
    assert entry.applied == stated["applied"]
    assert entry.fingerprints == stated["fingerprints"]
    assert entry.answered == stated.get("answered", {})
    assert entry.applied_at == stated["appliedAt"]
    assert entry.digest == stated["digest"]
    assert list(entry.superseded) == stated["superseded"]
    assert entry.prevent_destroy is stated.get("preventDestroy", False)
    assert entry.quarantined_at == stated.get("quarantinedAt", "")
    assert entry.secret == stated.get("secret", "")


def assert_same_intent(intent: Intent, key: str, stated: dict[str, Any]) -> None:
    assert intent.key == key
    assert intent.remote_id == stated.get("id")
    assert intent.predecessor == stated.get("predecessor")
    assert intent.facts == stated["facts"]
    assert intent.digest == stated["digest"]
    assert intent.at == stated["at"]


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_a_record_is_read_field_by_field_as_it_was_meant(path: Path):
    stated = load(path)

    found = decode(path.read_bytes(), target=vendor_of(path), path=str(path))

    jsonschema.validate(stated, schema("inventory"))
    assert found.target == stated["target"]
    assert found.serial == stated["serial"]
    assert found.entries.keys() == stated["clients"].keys()
    for key, entry in found.entries.items():
        assert_same_entry(entry, stated["clients"][key])
    assert found.pending.keys() == stated.get("pending", {}).keys()
    for key, intent in found.pending.items():
        assert_same_intent(intent, key, stated["pending"][key])


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_a_record_is_written_back_byte_for_byte(path: Path):
    content = path.read_bytes()

    found = decode(content, target=vendor_of(path), path=str(path))

    assert encode(found) == content


def kept(folder: Path) -> dict[str, bytes]:
    """What an object store holds below a prefix: all files of a folder but our own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "expected.json"
    }


@pytest.mark.parametrize("path", JOURNALS, ids=name)
def test_a_journal_is_replayed_to_the_record_that_its_own_version_made_of_it(
    path: Path, home: Path
):
    place, target = FilePlace(folder=home), vendor_of(path)
    place.restore({each.name: each.read_bytes() for each in path.parent.glob(f"{target}.*")})
    expected = (path.parents[1] / "expected.json").read_bytes()

    with place.store().open(target, lock=False) as session:
        read = session.inventory
    with place.store().open(target, lock=True):
        pass

    wanted = decode(expected, target=target, path="expected.json")
    assert (read.entries, read.pending) == (wanted.entries, wanted.pending)
    names = {f"{key}.json" for key in wanted.entries.keys() | wanted.pending.keys()}
    assert place.snapshot().keys() == {f"{target}/{name}" for name in {"_target.json", *names}}
    with place.store().open(target, lock=False) as session:
        again = session.inventory
    assert (again.entries, again.pending) == (wanted.entries, wanted.pending)


@pytest.mark.parametrize("folder", OBJECTS, ids=name)
def test_the_pieces_of_a_journal_in_a_bucket_are_replayed_to_that_record_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for variable, value in s3.CREDENTIALS.items():
        monkeypatch.setenv(variable, value)
    target, expected = vendor_of(folder), (folder / "expected.json").read_bytes()
    with s3.serving() as address:
        place = ObjectPlace(**s3.place(address), private=tmp_path)
        place.restore(kept(folder))

        with place.store().open(target, lock=False) as session:
            read = session.inventory
        # The lock of the run that was killed is there as well, and long over.
        place.outlive()
        with place.store().open(target, lock=True):
            pass

        wanted = decode(expected, target=target, path="expected.json")
        assert (read.entries, read.pending) == (wanted.entries, wanted.pending)
        assert place.snapshot() == {f"{target}.json": expected}


@pytest.mark.parametrize("folder", SPOOLS, ids=name)
def test_a_secret_that_waits_in_a_spool_file_is_found(folder: Path, home: Path):
    shutil.copytree(folder, home, copy_function=shutil.copyfile)
    stated = [load(path) for path in sorted(folder.glob(".spool/*.json"))]
    assert stated

    waiting = read_secrets(home, vendor_of(folder))

    assert [(one.key, one.client_id, one.secret.value) for one in waiting] == [
        (one["key"], one["client_id"], one["client_secret"]) for one in stated
    ]


@pytest.mark.parametrize("path", PLANS, ids=name)
def test_a_saved_plan_is_opened_by_the_version_that_made_it(path: Path):
    stated = load(path)

    found = open_plan(str(path), version=stated["tool"]["version"])

    jsonschema.validate(stated, schema("plan"))
    assert found.document == stated
    assert found.digest == stated["digest"]
    assert (found.selection.targets, found.selection.selectors) == ((), ())


def settled(clients: dict[str, Any], made: set[str]) -> dict[str, Any]:
    """Recorded clients without what differs from run to run and from version to version.

    That are times, ids that a server made, and the digest with what else it is now made of.
    """
    for key, entry in clients.items():
        for name in ("appliedAt", "digest", "origin", "commit"):
            entry.pop(name, None)
        if key in made:
            del entry["id"]
    return clients


def ended(receipt: dict[str, Any]) -> list[list[Any]]:
    """What a receipt says of each change, ids and fingerprints that follow from them aside."""
    members = ("target", "key", "action", "status", "requestsSent", "before")
    return [[change[member] for member in members] for change in receipt["changes"]]


@pytest.mark.parametrize("path", PLANS, ids=name)
def test_a_saved_plan_is_applied_where_its_version_is_ours_and_refused_elsewhere(
    path: Path, serve: Callable[[Path], Sandbox], invoke: Invoke
):
    serve(path.parent)
    vendor, made_by = vendor_of(path), load(path)["tool"]["version"]

    done = invoke("apply", "plan.json", "--receipt", "receipt.json")

    if version() != made_by:
        assert done.exit_code == 4, done.output
        assert f"was made by reconciler {json.dumps(made_by)}" in done.stderr
        return
    assert done.exit_code == 0, done.output
    made = {"new", "renewed"} if vendor != "boruta" else set()
    wanted = load(Path("expected.json"))["clients"]
    assert settled(recorded(Path("inventory") / vendor), made) == settled(wanted, made)
    assert not Path(f"inventory/{vendor}.json").exists()
    assert ended(load(Path("receipt.json"))) == ended(load(path.parent / "receipt.json"))
    assert invoke("plan", "--detailed-exitcode").exit_code == 0


@pytest.mark.parametrize("path", JOURNALS, ids=name)
def test_the_next_apply_goes_on_from_the_journal_of_a_killed_run(
    path: Path, serve: Callable[[Path], Sandbox], invoke: Invoke
):
    vendor = vendor_of(path)
    sandbox = serve(path.parents[1])

    done = invoke("apply", "--auto-approve")
    if vendor == "provident":
        # It has no list in which the client of a create without an answer could be looked for.
        assert "reconciler resolve unanswered" in done.output
        (there,) = [one for one in sandbox.clients(vendor) if one["name"] == "Client unanswered"]
        settle = invoke("resolve", "unanswered", "--id", there["clientId"])
        assert settle.exit_code == 0, settle.output
        done = invoke("apply", "--auto-approve")

    assert done.exit_code == 0, done.output
    assert invoke("plan", "--detailed-exitcode").exit_code == 0
    assert not path.relative_to(path.parents[1]).exists()
    # Provident has no delete: there they are disabled.
    disabled = {"leaves-a", "leaves-b"} if vendor == "provident" else set()
    wanted = disabled | {manifest.stem for manifest in Path("clients").iterdir()}
    names = sorted(client["name"] for client in sandbox.clients(vendor))
    found = [name for name in names if name.startswith("Client ")]  # Boruta has some of its own
    assert found == sorted(f"Client {key}" for key in wanted)


@pytest.mark.parametrize("path", RECEIPTS, ids=name)
def test_a_receipt_fits_the_schema_of_today(path: Path):
    checker = jsonschema.FormatChecker()

    jsonschema.validate(load(path), schema("receipt"), format_checker=checker)


@pytest.mark.parametrize("folder", PROJECTS, ids=name)
def test_a_project_and_its_manifests_are_valid(folder: Path, invoke: Invoke):
    done = invoke("validate", "--project", str(folder))

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("folder", files("imported"), ids=name)
def test_a_manifest_that_an_import_wrote_is_still_what_the_server_has(
    folder: Path, serve: Callable[[Path], Sandbox], invoke: Invoke
):
    serve(folder)

    done = invoke("plan", "--detailed-exitcode")

    assert done.exit_code == 0, done.output
