"""The commands that messages print work as printed."""

from __future__ import annotations

import json
import shlex

import pytest

from reconciler.core.commands import path_argument, with_options


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("`reconciler plan` shows it", "`reconciler plan --project /r` shows it"),
        ("`reconciler apply p.json`", "`reconciler apply p.json --project /r`"),
        ("`reconciler rotate web`.", "`reconciler rotate web --target shop --project /r`."),
        (
            "`reconciler resolve web --id ID`",
            "`reconciler resolve web --id ID --target shop --project /r`",
        ),
        (
            "`reconciler rotate web --target other`",
            "`reconciler rotate web --target other --project /r`",
        ),
        ("`reconciler plan --project /o`", "`reconciler plan --project /o`"),
        ("`reconciler init` writes one", "`reconciler init` writes one"),
        ("`reconciler providers`", "`reconciler providers`"),
        ("reconciler plan", "reconciler plan"),
        ("`Reconciler plan`", "`Reconciler plan`"),
        (
            "`reconciler plan`, then `reconciler apply`",
            "`reconciler plan --project /r`, then `reconciler apply --project /r`",
        ),
    ],
)
def test_a_command_gets_the_options_by_which_the_run_found_its_project(text: str, wanted: str):
    assert with_options(text, project="/r", target="shop") == wanted


@pytest.mark.parametrize("path", ["/a b", "it's", 'say "so"', "$HOME", "a\\b", "ü"])
def test_an_option_is_quoted_for_a_shell_and_in_json_for_json_too(path: str):
    told = with_options("`reconciler plan`", project=path)
    inside = with_options(json.dumps("`reconciler plan`"), project=path, as_json=True)

    assert json.loads(inside) == told
    assert shlex.split(told.strip("`")) == ["reconciler", "plan", "--project", path]


@pytest.mark.parametrize(
    ("path", "wanted"), [("p.json", "p.json"), ("my plan.json", "'my plan.json'"), ("-p", "./-p")]
)
def test_a_path_is_an_argument_and_no_option(path: str, wanted: str):
    assert path_argument(path) == wanted
