"""Fuzzes what reads files and answers of strangers, each target for a while: `make fuzz`.

A reader may refuse its input in one of the ways that it documents, and raises nothing else. What it
takes, it takes again. The inputs are real ones, cut, doubled, spliced and filled with hostile words.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from reconciler.core.errors import InputError, InventoryError, RemoteError, StalePlan
from reconciler.core.model import EMPTY
from reconciler.core.project import Reference, StaticToken, Target
from reconciler.http.live import client_in_answer
from reconciler.http.responses import Call, Reply, SendState, read_answer
from reconciler.inventory import codec, strict_json
from reconciler.manifests import catalog
from reconciler.manifests.yaml import reader
from reconciler.manifests.yaml.positions import locate
from reconciler.plan.planfile import digest, open_saved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
BATCH = 200
KEPT = Path(tempfile.gettempdir(), "reconciler-fuzz-input")
WORDS = [
    *(
        b"null",
        b"true",
        b"-0",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"!!binary",
        b"!!python/object",
        b"<<: *a",
    ),
    *(
        b"&a",
        b"*a",
        b"---\n",
        b"...\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\\ud800",
        b"\\u0000",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b"'", b"? ", b": ", b"- ", b"|\n", b">-\n", b"%YAML 9.9\n"),
    *(b"[" * 3000, b"{a: " * 3000, b"a" * 70_000, b"\n" * 3000, b"\t", b"\r", b"#", b"{env: X}"),
    *(
        b'"$ref": "#/$defs/x"',
        b'"pattern": "(a+)+$"',
        b"../../etc/passwd",
        b"http://h/",
        b"\x1b[2J",
    ),
    *("\u202e\u2028\u00e9\ufeff".encode(), b"<<<<<<< ours\n", b"=======\n", b">>>>>>> theirs\n"),
]


@st.composite
def mangled(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """One of `seeds`, changed in a few places."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 2, 5, 30, 300])))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            piece = draw(st.sampled_from(WORDS))
        elif kind == 1:
            piece = draw(st.binary(max_size=8))
        elif kind == 2:
            piece = text[start:end] * 2
        elif kind == 3:
            other = draw(st.sampled_from(seeds))
            place = draw(st.integers(0, len(other)))
            piece = other[place : place + 60]
        else:
            piece = b""
        text = text[:start] + piece + text[end:]
    return text


def read_yaml(text: bytes) -> str:
    """A manifest or a project file."""
    found = reader.read(text, "fuzz.yaml")
    again = reader.read(text, "fuzz.yaml")
    assert repr(found) == repr(again)
    for problem in locate(found.problems, lambda _: text, lambda _: False):
        assert problem.message
    return "refused" if found.problems else "taken"


def read_record(text: bytes) -> str:
    """A record, of a client and of a whole target."""
    for decode in (codec.decode_client, codec.decode):
        try:
            decode(text, target="shop", path="shop/web.json")
        except InventoryError:
            continue
        return "taken"
    return "refused"


def read_plan(text: bytes) -> str:
    """A saved plan; one whose digest is made to fit is read further."""
    try:
        document: Any = strict_json.parse(text)
        if isinstance(document, dict):
            content = {name: value for name, value in document.items() if name != "digest"}
            document = {**content, "digest": digest(content)}
        fits = catalog.validator("plan").accepts
        open_saved(document, name="fuzz.json", version="0.1.0", fits=fits)
    except (strict_json.NotStrict, StalePlan):
        return "refused"
    return "taken"


_SHOP = Target(
    name="shop",
    provider="acme",
    base_url="https://id.example.com",
    auth=StaticToken(token=Reference(kind="env", name="TOKEN")),
    manifests=(),
)
_CALL = Call(
    target="shop",
    method="POST",
    path="/clients",
    subject="web",
    query=EMPTY,
    content=b"{}",
    content_type="application/json",
    expect=frozenset({200, 201}),
    secrets=("the-secret-of-the-client",),
)


def read_reply(text: bytes) -> str:
    """An answer of each vendor, as a success and as an error; its secrets stay out of the message."""
    told, taken = list[str](), 0
    for name in ("boruta", "provident", "sailpoint"):
        provider = catalog.entry(name, ".").provider(_SHOP)
        for status in (201, 400):
            reply = Reply(
                state=SendState.ANSWERED,
                status=status,
                headers={"content-type": "application/json"},
                content=text + b'"the-secret-of-the-client"' * (status == 400),
            )
            try:
                answer = read_answer(
                    provider, _CALL, reply, maybe_done=False, secrets=_CALL.secrets
                )
                client_in_answer(provider, provider.create, answer, ())
                taken += 1
            except RemoteError as error:
                told.append(str(error))
    for message in told:
        assert "the-secret-of-the-client" not in message
        assert message.isprintable()
    return "taken" if taken else "refused"


def read_descriptor(text: bytes) -> str:
    """The folder of a provider, its descriptor or its client schema mangled."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "acme")
        home.mkdir()
        for path in (ROOT / "schemas/sailpoint").iterdir():
            if path.is_file():
                (home / path.name).write_bytes(path.read_bytes())
        name = "client.schema.json" if text.lstrip()[:1] == b"{" else "provider.yaml"
        (home / name).write_bytes(text)
        try:
            catalog.entry("./acme", folder).provider(_SHOP)
        except InputError:
            return "refused"
    return "taken"


def _files(*patterns: str) -> list[bytes]:
    found = [path for each in patterns for path in sorted(ROOT.glob(each)) if path.is_file()]
    return [path.read_bytes() for path in found if path.stat().st_size < 60_000]


def _records() -> list[bytes]:
    """Records as they are written today, each whole, and of each client, as edited on purpose too."""
    found = []
    for vendor in ("boruta", "provident", "sailpoint"):
        for content in _files(f"tests/formats/**/inventory/{vendor}.json"):
            known = codec.decode(content, target=vendor, path="record.json")
            record = replace(known, target="shop")
            found.append(codec.encode(record))
            found += [
                codec.encode_client("shop", key, entry=entry, intent=None)
                for key, entry in record.entries.items()
            ]
    return [*found, *(re.sub(rb'"digest": "[^"]*"', b'"digest": ""', each) for each in found)]


TARGETS: dict[str, tuple[Callable[[bytes], str], list[bytes]]] = {
    "reader": (read_yaml, _files("examples/**/*.yaml", "tests/schemas/manifests/**/*.yaml")),
    "record": (read_record, _records()),
    "plan": (read_plan, _files("tests/formats/**/plan*.json")),
    "answers": (
        read_reply,
        [
            b'{"data": {"id": "1", "name": "Web", "secret": "hunter2", "redirect_uris": ["a"]}}',
            b'{"id": "1", "clientId": "1", "clientSecret": "x", "name": "Web", "scope": ["a"]}',
            b'{"detailCode": "400.1", "trackingId": "t", "messages": [{"locale": "en", "text": "no"}]}',
            b'{"errors": {"redirect_uris": ["is invalid"]}, "message": "no", "code": 1}',
        ],
    ),
    "descriptor": (
        read_descriptor,
        _files("schemas/*/provider.yaml", "schemas/sailpoint/client.schema.json"),
    ),
}


def fuzz(name: str, seconds: float) -> Counter[str]:
    """Run one target for so long. What came of its inputs; an input that breaks it is raised."""
    act, seeds = TARGETS[name]
    assert seeds, f"no seed for {name}"
    told: Counter[str] = Counter(act(each) for each in seeds)
    until, batch = time.monotonic() + seconds, 0
    while time.monotonic() < until:

        @seed(time.time_ns())
        @settings(
            max_examples=BATCH,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(mangled(seeds))
        def one(text: bytes) -> None:
            # Kept until the next one: of a crash that no handler sees, it is all that is left.
            KEPT.write_bytes(text)
            told[act(text)] += 1

        one()
        batch += 1
    return told


def main() -> int:
    """Fuzz the targets that are named, all of them else."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    options.add_argument("--seconds", type=float, default=60.0, help="for each target")
    asked = options.parse_args()
    for name in asked.targets or TARGETS:
        try:
            told = fuzz(name, asked.seconds)
        except BaseException:
            print(f"{name} is broken by the input in {KEPT}", file=sys.stderr)  # noqa: T201
            raise
        print(json.dumps({"target": name, "inputs": told.total(), **told}), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
