"""What the writer spells, every reader reads as the same: ours, and one of YAML 1.1."""

import json
import math

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.manifests.writer import to_yaml
from reconciler.manifests.yaml.reader import read

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LINES = st.lists(st.text(st.characters(codec="ascii"), max_size=6), max_size=4).map("\n".join)
WORDS = st.sampled_from(
    [
        *(
            "no",
            "Yes",
            "ON",
            "y",
            "null",
            "~",
            "",
            "true",
            "False",
            "NULL",
            ".inf",
            ".nan",
            "-.INF",
        ),
        *(
            "012",
            "0o14",
            "0x1F",
            "0b1",
            "12:30",
            "190:20:30",
            "1_000",
            "1e3",
            "1.",
            ".5",
            "+1",
            "-",
        ),
        *(
            "2026-11-23",
            "2026-11-23T03:53:26Z",
            "=",
            "<<",
            "---",
            "...",
            "- a",
            "? a",
            "a: b",
            "a:",
        ),
        *("a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a", "[a", "{a", "a]", "a,b", "a, b", "'a'"),
        *(
            '"',
            "\\",
            "a\n",
            "\na",
            " a",
            "a ",
            "a\tb",
            "|",
            ">",
            "a\nb\n",
            "a\nb\n\n",
            "a\n b",
            ":",
        ),
        *(
            "https://a.example.com/cb?x=1&y=2",
            "\ufeffa",
            "\u2028",
            "\x85",
            "\x7f",
            "\0",
            "\U0001f600",
        ),
    ]
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT, LINES, WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(TEXT, WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.one_of(TEXT, WORDS), VALUES, min_size=1, max_size=4)


@given(DOCUMENTS)
def test_what_was_written_is_read_back_by_our_reader_with_its_order(document):
    reading = read(to_yaml(document).encode(), "x.yaml")

    assert reading.problems == []
    assert json.dumps(reading.documents) == json.dumps([document])


@given(DOCUMENTS)
@example({"a": 1e20, "b": 5e-324, "c": -0.0, "d": 1e16})
def test_a_tool_of_yaml_1_1_reads_the_same(document):
    found = yaml.safe_load(to_yaml(document))

    assert found == document
    assert _types(found) == _types(document)


def _types(value):
    if isinstance(value, dict):
        return {name: _types(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_types(member) for member in value]
    return type(value), math.copysign(1, value) if isinstance(value, float) else 0


@given(st.dictionaries(st.just("a"), st.one_of(TEXT, LINES, WORDS), min_size=1))
def test_no_line_holds_what_a_terminal_or_a_reviewer_would_not_see(document):
    text = to_yaml(document)

    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("word", ["no", "012", "12:30", "1e3", "0o14", "2026-11-23", "null", ""])
def test_a_text_that_looks_like_something_else_is_quoted(word):
    assert to_yaml({"a": word}) == f'a: "{word}"\n'
