"""Nothing that is printed commands a CI system, wherever it came from."""

from __future__ import annotations

import json

import pytest

from reconciler.render.json import json_text
from reconciler.render.terminal import PLAIN, disarm, printable

OBEYED = [
    "::set-output name=a::b",
    "  ::add-mask::x",
    "\t::stop-commands::t",
    "\u200b::error::x",
    "a\n::warning::x",
    "##vso[task.setvariable variable=a]b",
    "text ##vso[task.complete]",
    "##[group]x",
    "#\u200b#vso[x]",
    "##teamcity[buildStatus status='FAILURE']",
    "x ##teamcity[message]",
    "section_start:1:x",
    "travis_fold:start:x",
    "--- group",
    "+++ group",
    "~~~ group",
]


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_ci_system_would_obey_is_broken(text):
    shown = printable(text)

    assert shown != text
    assert disarm(shown) == shown
    for marker in ("##vso[", "##[", "##teamcity[", "section_start:", "travis_fold:"):
        assert marker not in shown
    assert not any(line.lstrip(" \t\u200b").startswith("::") for line in shown.split("\n"))


@pytest.mark.parametrize("text", OBEYED)
def test_a_json_document_says_the_same_and_commands_nobody(text):
    shown = json_text({text: [text]})

    assert json.loads(shown) == {text: [text]}
    assert disarm(shown) == shown


@pytest.mark.parametrize(
    "text", ["a::b", "https://[::1]:8080/", "# heading [x]", "--", "C++", "a ## b", "plain\n"]
)
def test_other_text_is_printed_as_it_is(text):
    assert printable(text) == text


def test_escapes_of_a_terminal_are_shown_and_not_obeyed():
    assert "\x1b" not in printable("a\x1b]0;title\x07b\rc")
    assert PLAIN.paint("target", "x") == printable("x")
