"""Writes what follows from the schemas: those that editors use, the shared parts, and the reference pages.

python docs/generate.py            write docs/reference/*.md
python docs/generate.py --schemas  write schemas/*/manifest.schema.json and project.schema.json
python docs/generate.py --check    write nothing; fail where a file is not what would be written
"""  # noqa: INP001 - a script, run by its path

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from reference_pages import client_page, file_page

from reconciler.provider.manifest_schema import derive

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"
PAGES = ROOT / "docs" / "reference"
_WIDTH = 100
_READABLE = 70  # longer than this, an object inside an object wants lines of its own


def pretty(value: object, depth: int = 0, before: int = 0) -> str:
    """JSON with what is short and flat on one line; `before` characters stand before it there."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value:
        return flat
    if 2 * depth + before + len(flat) < _WIDTH and (len(flat) <= _READABLE or not _nested(value)):
        return flat
    margin = "  " * (depth + 1)
    if isinstance(value, dict):
        rows = [
            f"{json.dumps(key)}: {pretty(item, depth + 1, len(key) + 4)}"
            for key, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        rows = [pretty(item, depth + 1) for item in value]
        opening, closing = "[", "]"
    body = ",\n".join(margin + row for row in rows)
    return f"{opening}\n{body}\n{'  ' * depth}{closing}"


def _nested(value: dict[str, Any] | list[Any]) -> bool:
    return isinstance(value, dict) and any(isinstance(item, dict) for item in value.values())


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _providers() -> list[tuple[Path, dict[str, Any]]]:
    found = sorted(SCHEMAS.glob("*/provider.yaml"))
    return [(path.parent, yaml.safe_load(path.read_text("utf-8"))) for path in found]


def manifest_schemas() -> dict[Path, str]:
    """Each provider's manifest schema, as it follows from its client schema."""
    return {
        folder / "manifest.schema.json": pretty(
            derive(_read(folder / "client.schema.json"), descriptor["clientKind"])
        )
        + "\n"
        for folder, descriptor in _providers()
    }


def project_schema() -> dict[Path, str]:
    """The project file's schema, in which a target's endpoints have the members of a descriptor's."""
    path = SCHEMAS / "project.schema.json"
    project, provider = _read(path), _read(SCHEMAS / "provider.schema.json")
    overlay = project["$defs"]["target"]["properties"]["endpoints"]
    overlay["properties"] = {
        # A target states what differs: what it leaves out is the descriptor's.
        name: {word: value for word, value in endpoint.items() if word != "required"}
        for name, endpoint in provider["properties"]["endpoints"]["properties"].items()
    }
    project["$defs"] |= {name: provider["$defs"][name] for name in sorted(provider["$defs"])}
    return {path: pretty(project) + "\n"}


def pages() -> dict[Path, str]:
    """The reference pages: one a file format, one a client kind, and the list of them."""
    formats = {
        "project-file": "project",
        "inventory-file": "inventory",
        "plan-json": "plan",
        "report-json": "report",
        "receipt-json": "receipt",
        "provider-descriptor": "provider",
        "client-schema": "client",
    }
    written = {
        name: file_page(_read(SCHEMAS / f"{schema}.schema.json"))
        for name, schema in formats.items()
    }
    for folder, descriptor in _providers():
        client = _read(folder / "client.schema.json")
        kind = descriptor["clientKind"]
        written[f"{descriptor['name']}-client"] = client_page(
            derive(client, kind), client, descriptor
        )
    written["README"] = _index(written)
    return {PAGES / f"{name}.md": text for name, text in written.items()}


def _index(written: dict[str, str]) -> str:
    titles = {name: text.partition("\n")[0].removeprefix("# ") for name, text in written.items()}
    rows = [f"- [{titles[name]}]({name}.md)" for name in sorted(titles)]
    opening = (
        "# Reference\n\nEvery page here is written by `make docs` from a schema in `schemas/`."
    )
    return "\n".join([opening, "", *rows]) + "\n"


def _stale(wanted: dict[Path, str]) -> list[Path]:
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Do what the command line says; 1 where `--check` finds a file that is not up to date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--schemas", action="store_true", help="write the manifest schemas")
    group.add_argument("--check", action="store_true", help="write nothing, compare everything")
    chosen = parser.parse_args()
    if chosen.check:
        stale = _stale({**manifest_schemas(), **project_schema(), **pages()})
        sys.stderr.writelines(f"{path.relative_to(ROOT)} is not up to date\n" for path in stale)
        return 1 if stale else 0
    wanted = {**manifest_schemas(), **project_schema()} if chosen.schemas else pages()
    PAGES.mkdir(exist_ok=True)
    for path in _stale(wanted):
        path.write_text(wanted[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
