from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler.app.validate import validate
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.root import COMMANDS, root
from reconciler.plan.guards.rules import Rule

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "examples" / "README.md",
        ROOT / "benchmarks" / "RESULTS.md",
    ]
)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^|[`$&] ?)reconciler ([a-z]+)\b([^`\n#|>]*)", re.MULTILINE)
FILE = re.compile(r"<!-- file: (\S+) -->\n`\S+`\n\n```\w+\n(.*?)```", re.DOTALL)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page as GitHub makes them of its headings."""
    headings = re.findall(
        r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_inside_the_docs_leads_somewhere(page: Path) -> None:
    prose = CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))

    broken = [link for link in LINK.findall(prose) if not _leads_somewhere(page, link)]

    assert broken == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith("https://"):
        return True
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_in_the_docs_exists_with_its_options(page: Path) -> None:
    commands = COMMAND.findall(page.read_text(encoding="utf-8"))

    unknown = [
        f"{name} {option}"
        for name, options in commands
        for option in ("", *re.findall(r"--[a-z-]+", options))
        if not _known(name, option)
    ]

    assert unknown == []


def _known(name: str, option: str) -> bool:
    if name not in COMMANDS:
        return False
    command = root.get_command(click.Context(root), name)
    assert command is not None
    commands = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    flags = {flag for each in commands for parameter in each.params for flag in parameter.opts}
    return not option or option in flags | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_make_target_in_the_docs_exists(page: Path) -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )

    named = set(
        re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert named <= targets


RULE = re.compile(r"^\| `([a-z][a-z-]+)` \| (.+?) \| ([a-z, ]+) \|$", re.MULTILINE)


def test_every_guard_in_the_code_is_explained() -> None:
    explained = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")

    rows = {rule: sentence for rule, sentence, _ in RULE.findall(explained)}

    assert rows == {rule.value: rule.refuses for rule in Rule}
    assert "replace-not-allowed" in rows


def test_every_refusal_is_by_a_rule_of_the_enum() -> None:
    sources = (ROOT / "reconciler").rglob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)

    assert re.findall(r'rule="[^"]*"', code) == []
    assert {rule for rule in Rule if f"Rule.{rule.name}" not in code} == set()


def test_the_readme_lists_every_exit_code() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]

    assert listed == sorted(ExitCode)


def test_the_vendor_of_the_tutorial_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    for path, text in FILE.findall(page):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    found = validate("reconciler.yaml")

    assert found.problems == ()
    assert found.clients == 1


def test_a_project_can_be_started_with_the_vendor_of_the_tutorial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    for path, text in FILE.findall(page):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(root, ["init", "new", "--provider", "./providers/example"])

    found = validate("new/reconciler.yaml")
    text = (tmp_path / "new" / "reconciler.yaml").read_text(encoding="utf-8")
    assert done.exit_code == 0
    assert (found.problems, found.clients) == ((), 1)
    assert "baseUrl: https://TENANT.example.com/api\n" in text
    assert "https://shop.example.com/callback" in (
        (tmp_path / "new" / "clients" / "storefront-web.yaml").read_text(encoding="utf-8")
    )


def test_every_module_that_the_architecture_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    before, _, history = page.partition("## Where things were before")
    rows = [line.split("|")[2] for line in history.splitlines() if line.count("|") == 3]

    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", "\n".join([before, *rows])))
    missing = [
        path
        for path in named
        if not (ROOT / "reconciler" / path).exists()
        and not list((ROOT / "reconciler").rglob(path.rpartition("/")[2]))
        and not (ROOT / path).exists()
    ]

    assert len(named) > 60
    assert missing == []


def test_no_folder_holds_more_than_a_reader_can_keep_in_mind() -> None:
    package = ROOT / "reconciler"
    modules = {folder: len(list(folder.glob("*.py"))) for folder in [package, *package.rglob("*/")]}

    assert {str(folder): count for folder, count in modules.items() if count > 16} == {}
    assert {path.name for path in package.glob("*.py")} == {
        "__init__.py",
        "__main__.py",
        "atomic_files.py",
        "git.py",
        "private_files.py",
        "project_folder.py",
    }
