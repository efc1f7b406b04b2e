import codecs
import subprocess
import sys
from itertools import pairwise

import pytest

from reconciler.manifests.yaml import reader
from reconciler.manifests.yaml.reader import MAX_BYTES, MAX_DEPTH, read
from reconciler.manifests.yaml.state import MAX_EXPANSION


def value(text):
    reading = read(text.encode(), "a.yaml")
    assert reading.problems == []
    (document,) = reading.documents
    return document


def said(text):
    """What is wrong with a text, as (severity, pointer, line, column, message)."""
    encoded = text if isinstance(text, bytes) else text.encode()
    return [
        (
            problem.severity,
            problem.pointer,
            *((problem.position.line, problem.position.column) if problem.position else ()),
            problem.message,
        )
        for problem in read(encoded, "a.yaml").problems
    ]


def test_mappings_lists_and_scalars_of_every_style_become_plain_values():
    text = "a: [1, {b: c}]\nd:\n- 'e'\n- \"f\"\n- |\n  g\n- >-\n  h\n  i\nj: {}\nk: []\n"

    assert value(text) == {
        "a": [1, {"b": "c"}],
        "d": ["e", "f", "g\n", "h i"],
        "j": {},
        "k": [],
    }


def test_the_documents_of_a_file_keep_their_places_and_an_empty_one_is_none():
    reading = read(b"---\n---\na: 1\n---\n# nothing\n---\nb\n...\n", "a.yaml")

    assert reading.documents == [None, {"a": 1}, None, "b"]
    assert reading.problems == []


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n---\n", "\n\n"])
def test_a_file_without_a_document_is_a_warning(text):
    assert said(text) == [("warning", "", "the file holds no document")]


@pytest.mark.parametrize(
    ("text", "pointer", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "/a", 3, 1),
        ("x: [0, {a: 1, a: 2}]", "/x/1/a", 1, 15),
        ('a: 1\n"a": 2\n', "/a", 2, 1),
        ("x/y: {~: 1}\n", "/x~1y/~0", 1, 7),
    ],
)
def test_a_key_that_is_there_twice_or_no_string_is_an_error_at_the_key(text, pointer, line, column):
    ((severity, *place, _message),) = said(text)

    assert (severity, *place) == ("error", pointer, line, column)


def test_after_a_duplicate_key_pointers_still_lead_to_what_is_read():
    found = said("a: {b: 1}\nc: 1\na: {b: [no]}\n")

    assert [place for _, *place, _ in found] == [["/a", 3, 1], ["/a/b/0", 3, 9]]


@pytest.mark.parametrize("key", ["1", "true", "null", "~", "1.5", ".inf", "0x1F", "012"])
def test_a_plain_key_that_yaml_reads_as_no_string_is_refused(key):
    ((_, _, _, _, message),) = said(f"{key}: a\n")

    assert message == f"a key must be a string, and plain `{key}` is none"


def test_the_same_key_is_a_string_once_it_is_quoted_or_tagged():
    assert value("\"1\": a\n'true': b\n!!str 2: c\nno: d\n? e\n: f\n") == {
        "1": "a",
        "true": "b",
        "2": "c",
        "no": "d",
        "e": "f",
    }


def test_a_merge_key_is_refused_and_a_quoted_one_is_a_key():
    ((_, pointer, *_, message),) = said("a: &a {b: 1}\nc: {<<: *a}\n")

    assert (pointer, message) == ("/c/<<", "merge keys (`<<`) are not part of YAML 1.2")
    assert value('"<<": 1') == {"<<": 1}


@pytest.mark.parametrize(
    "text", ["? [a]\n: b\n", "{{a: b}: c}", "? {a: b}\n: c\n", "a: &a 1\n*a : z"]
)
def test_a_list_a_mapping_or_a_number_as_a_key_is_refused(text):
    assert "a key must be a string" in said(text)[-1][-1]


def test_core_tags_say_what_a_scalar_is():
    text = 'a: !!str 12\nb: !!int "12"\nc: !!float 1\nd: !!bool "true"\ne: !!null ""\nf: ! 12\n'

    assert value(text) == {"a": "12", "b": 12, "c": 1.0, "d": True, "e": None, "f": "12"}
    assert value("a: !!map {}\nb: !!seq []\nc: ! {}\n") == {"a": {}, "b": [], "c": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !secret x", "unknown tag `!secret`"),
        ("a: !!binary aGk=", "unknown tag `!!binary`"),
        ("a: !!timestamp 2026-01-01", "unknown tag `!!timestamp`"),
        ("a: !!python/object:os.system {}", "unknown tag `!!python/object:os.system`"),
        ("a: !!map []", "unknown tag `!!map`"),
        ("!key a: 1", "unknown tag `!key`"),
        ("a: !!int x", "`x` does not fit its tag"),
        ("a: !!bool 1", "`1` does not fit its tag"),
        ("a: !!int true", "`true` does not fit its tag"),
    ],
)
def test_other_tags_and_values_that_do_not_fit_theirs_are_refused(text, message):
    ((severity, pointer, *_, found),) = said(text)

    assert (severity, pointer, found) == ("error", "/a", message)


def test_an_alias_stands_for_its_anchor_of_the_same_document():
    text = "a: &x [1, &y two]\nb: *x\n&k c: *y\nd: *k\ne: [*x]\nf: &z 3\ng: *z\n"

    assert value(text) == {
        "a": [1, "two"],
        "b": [1, "two"],
        "c": "two",
        "d": "c",
        "e": [[1, "two"]],
        "f": 3,
        "g": 3,
    }
    assert value("a: &q 'b'\nc: *q\n") == {"a": "b", "c": "b"}
    assert value("&k a: 1\nb: {*k : 2}\n") == {"a": 1, "b": {"a": 2}}


def test_an_anchor_that_is_defined_again_means_the_later_value():
    assert value("a: &x [1]\nb: *x\nc: &x 2\nd: *x\n") == {"a": [1], "b": [1], "c": 2, "d": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: *x\n", "no anchor `&x` stands before this alias"),
        ("b: &x 1\n---\na: *x\n", "no anchor `&x` stands before this alias"),
        ("a: &x [*x]\n", "`*x` stands inside of what it stands for"),
        ("*x : 1\n", "no anchor `&x` stands before this alias"),
    ],
)
def test_an_alias_that_can_stand_for_nothing_is_refused(text, message):
    assert [found for *_, found in said(text)] == [message]


def test_aliases_that_grow_into_too_much_are_refused_before_they_do():
    names = "abcdefghij"
    levels = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise(names)]
    bomb = f"a: &a [{', '.join(['x'] * 9)}]\n" + "".join(levels)

    ((*_, message),) = said(bomb)

    assert message == f"the aliases stand for more than {MAX_EXPANSION} values"


def test_aliases_that_repeat_a_large_value_are_refused_before_it_is_counted_out():
    items = ", ".join(["[a, b]"] * 40_000)

    ((*_, message),) = said(f"a: &a [{items}]\nb: *a\n")

    assert message == f"the aliases stand for more than {MAX_EXPANSION} values"


def test_aliases_nest_no_deeper_than_values_may():
    chain = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 80))

    ((*_, message),) = said(f"a0: &a0 x\n{chain}")

    assert message == f"nested more than {MAX_DEPTH} levels deep"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]"), ("[\n", "]")],
)
def test_values_nest_to_a_limit_and_no_further(opening, closing):
    per = len([bracket for bracket in opening if bracket in "[{-"])
    deepest = MAX_DEPTH // per

    over = f"{opening * (deepest + 1)}x{closing * (deepest + 1)}"

    assert [message for *_, message in said(over)] == [f"nested more than {MAX_DEPTH} levels deep"]
    if closing:
        assert said(f"{opening * deepest}x{closing * deepest}") == []


@pytest.mark.parametrize(
    "hostile",
    ["b'[' * n", "b'{' * n", "b'- ' * n", "b'? ' * n", "b'[{' * n", "b'{a: ' * n", "b'[' * n + b']' * n",
     "b'&a ' * n", "b'! ' * n", "b'\"' * n", "b'*' * n", "b'[a: ' * n", "b'\\n ' * n + b'['"],
)  # fmt: skip
def test_no_nesting_kills_the_process(hostile):
    program = (
        "from reconciler.manifests.yaml.positions import locate\n"
        "from reconciler.manifests.yaml.reader import read\n"
        f"n = 100_000; text = {hostile}\n"
        "found = locate(read(text, 'a').problems, lambda _: text, lambda _: False)\n"
        "print(len(found))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_plain_boolean_of_yaml_1_1_is_a_string_and_a_warning():
    reading = read(b"a: no\nb: [On, 'off', \"y\"]\nyes: x\n", "a.yaml")

    assert reading.documents == [{"a": "no", "b": ["On", "off", "y"], "yes": "x"}]
    assert [(p.severity, p.pointer, p.hint) for p in reading.problems] == [
        ("warning", "/a", 'quote it: "no"'),
        ("warning", "/b/0", 'quote it: "On"'),
    ]


def test_the_warning_comes_again_for_every_file():
    assert said("a: no\n") == said("a: no\n") != []


@pytest.mark.parametrize(
    "text", [".inf", "-.INF", ".nan", "1e999", "99999999999999999999", "9" * 5000]
)
def test_a_number_that_json_cannot_hold_is_refused(text):
    ((severity, pointer, *_),) = said(f"a: {text}\n")

    assert (severity, pointer) == ("error", "/a")


def test_a_file_that_breaks_off_gives_the_documents_before_and_the_place():
    reading = read(b"a: 1\n---\nb: [\n", "a.yaml")

    assert reading.documents == [{"a": 1}]
    (problem,) = reading.problems
    assert (problem.source.document, problem.position.line) == (1, 2 + 1)


@pytest.mark.parametrize(
    "encoded",
    [
        codecs.BOM_UTF8 + "a: é\n".encode(),
        codecs.BOM_UTF16_LE + "a: é\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a: é\n".encode("utf-16-be"),
    ],
)
def test_a_byte_order_mark_says_how_to_read_the_rest(encoded):
    assert read(encoded, "a.yaml").documents == [{"a": "é"}]


def test_a_file_beyond_the_limit_is_not_read_at_all():
    ((_, _, message),) = said(b" " * (MAX_BYTES + 1))

    assert message == "the file is larger than 64 MiB"


def test_what_is_remembered_of_other_files_is_bounded():
    read("\n".join(f"{n}k: {n}\nkey{n}: t{n}" for n in range(6000)).encode(), "a.yaml")

    assert len(reader._known_keys) <= reader._MAX_KNOWN  # noqa: SLF001 - the bound is the promise
    assert len(reader._known_scalars) <= reader._MAX_KNOWN  # noqa: SLF001
    assert value("new key: t9999") == {"new key": "t9999"}


def test_a_document_that_is_a_bare_value_has_the_empty_pointer():
    assert [found[:4] for found in said("no\n")] == [("warning", "", 1, 1)]
