"""What `validate` may load: its start-up is told by names, since a clock tells another time on each machine.

A module that has to come onto a list costs every run of every pre-commit hook: 0.2 ms for a small
one, 0.7 ms for a class made by `dataclasses`, 1 ms and more for `pathlib`, `difflib` or `traceback`.
`make bench` measures what it all comes to.
"""

import os
import subprocess
import sys

import pytest

BASE = "import click, jsonschema_rs, yaml"
VALIDATE = "sys.argv = ['reconciler', 'validate']; from reconciler.cli import main; main()"

# Of Python's own, beyond what click, yaml and jsonschema-rs load themselves.
STANDARD = {"__future__", "gc"}
OURS = {
    "app",
    "app.validate",
    "cli",
    "cli.commands",
    "cli.commands.validate",
    "cli.exit_codes",
    "cli.options",
    "cli.output",
    "cli.project_file",
    "cli.root",
    "cli.run_state",
    "cli.streams",
    "core",
    "core.dataclass",
    "core.decode",
    "core.errors",
    "core.model",
    "core.pointer",
    "core.problems",
    "core.problems.many",
    "core.project",
    "core.scalars",
    "git",
    "manifests",
    "manifests.catalog",
    "manifests.clients",
    "manifests.files",
    "manifests.folders",
    "manifests.globs",
    "manifests.loader",
    "manifests.patterns",
    "manifests.project",
    "manifests.unread",
    "manifests.yaml",
    "manifests.yaml.reader",
    "manifests.yaml.state",
    "project_folder",
    "provider",
    "provider.patterns",
    "render",
    "render.terminal",
    "sinks",
    "validation",
    "validation.folders",
    "validation.logins",
    "validation.rules",
    "validation.validator",
}


def loaded(code, folder):
    """The modules in a process of their own after `code`, which coverage must not add its own to."""
    tell = "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\ntry:\n {code}\nfinally:\n {tell}"],
        cwd=folder,
        env={name: os.environ[name] for name in os.environ if not name.startswith("COV")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """What `validate` of a valid project with one client loads, beyond the three libraries."""
    folder = tmp_path_factory.mktemp("budget") / "repo"
    init = [sys.executable, "-m", "reconciler", "init", str(folder)]
    subprocess.run(init, capture_output=True, check=True)
    return loaded(VALIDATE, folder) - loaded(BASE, folder)


def test_validate_loads_the_modules_of_ours_that_a_valid_project_needs_and_no_other(modules):
    ours = {name.partition(".")[2] for name in modules if name.startswith("reconciler.")}

    assert ours == OURS


def test_validate_loads_next_to_nothing_of_pythons_own(modules):
    others = {name.partition(".")[0] for name in modules} - {"reconciler"}

    assert others <= STANDARD
