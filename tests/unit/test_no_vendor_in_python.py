"""A vendor is a folder of data: no Python file that speaks to one knows its name, its hosts or its headers."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from support.vendors import SCHEMAS

PACKAGE = Path(__file__).parents[2] / "reconciler"
DESCRIPTORS = [
    yaml.safe_load(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*/provider.yaml"))
]
# These may name vendors, each for its reason.
EXCEPTIONS = {
    "sandbox": "plays the vendors, and is written from their pages and not from the descriptors",
    "cli/demo/story.py": "tells what befalls the clients of the examples on each vendor's server",
}
# Hosts that anybody's pages and examples are on: of these the whole name counts, or none of it.
SHARED = ("example.com", "github.io")


def domains(descriptor: dict) -> set[str]:
    """The domains of a vendor's pages and of its example addresses."""
    example = descriptor.get("example", {})
    addresses = [descriptor["docs"], example.get("baseUrl", ""), example.get("tokenUrl", "")]
    hosts = {(urlsplit(address).hostname or "") for address in addresses}
    own = {".".join(host.split(".")[-2:]) for host in hosts if not host.endswith(SHARED)}
    return own | {host for host in hosts if host.endswith("github.io")}


def words() -> set[str]:
    """What only somebody who knows a vendor writes; a new folder of schemas/ adds its own."""
    found = {path.parent.name for path in SCHEMAS.glob("*/provider.yaml")}
    for descriptor in DESCRIPTORS:
        header = descriptor.get("requestIdHeader", "")
        found |= {
            descriptor["name"],
            descriptor["clientKind"].lower(),
            header,
            *domains(descriptor),
        }
    return {*found, "identitynow", "slpt"} - {""}


WORDS = re.compile("|".join(map(re.escape, sorted(words()))), re.IGNORECASE)


def is_exception(path: Path) -> bool:
    place = path.relative_to(PACKAGE)
    return any(place.is_relative_to(exception) for exception in EXCEPTIONS)


def test_no_python_file_knows_a_vendor():
    files = [path for path in PACKAGE.rglob("*.py") if not is_exception(path)]

    known = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if WORDS.search(line)
    ]

    assert known == []
    assert len(files) > 100


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_an_exception_is_one_only_for_as_long_as_it_is_needed(exception):
    place = PACKAGE / exception
    files = [place] if place.is_file() else [*place.rglob("*.py")]

    assert any(WORDS.search(path.read_text("utf-8")) for path in files)


@pytest.mark.parametrize(
    "word",
    ["boruta", "provident", "sailpoint", "identitynow.com", "provident.ae", "malach-it.github.io"],
)
def test_the_words_are_those_of_the_folders(word):
    assert word in words()
    assert "example.com" not in words()
