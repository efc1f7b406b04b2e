"""Of a file with many problems the first hundred are shown, and the rest is counted."""

import pytest

from reconciler.core.model import Position, Problem, Source
from reconciler.core.problems.many import MOST_SHOWN, bounded, count_of, counted
from reconciler.manifests.yaml import reader
from reconciler.manifests.yaml.lines import Lines
from reconciler.render.problems import to_json, to_text
from reconciler.validation import explain, wording
from reconciler.validation.validator import Validator


def problem(number, path="a.yaml", severity="error"):
    return Problem(source=Source(path=path), pointer=f"/{number}", message="m", severity=severity)


def test_up_to_a_hundred_problems_of_each_file_are_as_they_were():
    problems = [problem(n, path) for path in ("a.yaml", "b.yaml") for n in range(MOST_SHOWN)]

    assert bounded(problems) == problems


def test_what_follows_the_first_hundred_of_a_file_is_one_problem_that_counts_it():
    problems = [*(problem(n) for n in range(250)), problem(0, "b.yaml")]

    *shown, rest, other = bounded(problems)

    assert shown == problems[:100]
    assert rest.message == "150 more errors in this file: only the first 100 are shown"
    assert other == problems[-1]
    assert count_of([*shown, rest, other], "error") == 251


def test_errors_are_shown_before_warnings_and_both_are_counted():
    problems = [*(problem(n, severity="warning") for n in range(200)), problem(0), problem(1)]

    *shown, rest = bounded(problems)

    assert [each.severity for each in shown] == ["warning"] * 98 + ["error"] * 2
    assert (rest.severity, rest.stands_for) == ("warning", 102)
    assert count_of([*shown, rest], "warning") == 200


def test_what_is_only_counted_already_is_added():
    source = Source(path="a.yaml")
    few = [problem(0), *counted(source, "error", 7), *counted(source, "error", 4)]

    first, rest = bounded(few)

    assert (first, rest.stands_for) == (few[0], 11)
    assert counted(source, "error", 0) == []
    assert counted(source, "warning", 1)[0].message.startswith("1 more warning in")


MANY = 3000
LIST = {"properties": {"a": {"type": "array", "items": {"enum": ["one", "two"]}}}}
NAMED = {"properties": {"name": {}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (LIST, {"a": [f"on{n}" for n in range(MANY)]}),
        (NAMED, {f"nam{n}": 1 for n in range(MANY)}),
        ({"additionalProperties": {"type": "string"}}, {f"a{n}": n for n in range(MANY)}),
        ({"items": {"required": ["b"]}}, [{}] * MANY),
        ({"items": {"pattern": "^b$"}}, ["a"] * MANY),
        ({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, [5] * MANY),
    ],
)
def test_all_errors_of_a_document_are_counted_and_words_are_found_for_a_few(
    schema, value, monkeypatch
):
    calls = []

    def counting(function):
        def call(*args, **more):
            calls.append(1)
            return function(*args, **more)

        return call

    for module, name in (
        (explain, "_findings"),
        (explain, "closest_name"),
        (wording, "closest_name"),
    ):
        monkeypatch.setattr(module, name, counting(getattr(module, name)))

    problems = Validator(schema).problems(value)

    assert len(problems) == MOST_SHOWN + 1
    assert count_of(problems, "error") == MANY
    assert len(calls) <= 6 * MOST_SHOWN


def test_the_first_by_place_are_shown():
    problems = Validator(LIST).problems({"a": ["no"] * MANY})

    assert [each.pointer for each in problems[:-1]] == [f"/a/{n}" for n in range(MOST_SHOWN)]


@pytest.mark.parametrize(
    ("text", "errors", "warnings"),
    [
        ("{" + "a: 1, " * (MANY + 1) + "}", MANY, 0),
        ("[" + "*a, " * MANY + "]", MANY, 0),
        ("[" + "!x a, " * MANY + "]", MANY, 0),
        ("[" + "yes, " * MANY + "]", 0, MANY),
        ("[" + "yes, " * MANY + "!x a]", 1, MANY),
        ("[" + ", ".join(f"{{{n}: a}}" for n in range(MANY)) + "]", MANY, 0),
        ("[" + "!x a, " * MANY + "\n: [}", MANY + 1, 0),
        ("[" + "{*a : 1}, " * MANY + "]", 1, 0),
    ],
)
def test_the_reader_keeps_a_hundred_problems_of_each_severity_and_counts_the_rest(
    text, errors, warnings
):
    problems = reader.read(text.encode(), "a.yaml").problems

    assert len(problems) <= 2 * MOST_SHOWN + 3
    assert (count_of(problems, "error"), count_of(problems, "warning")) == (errors, warnings)


def test_a_message_quotes_the_start_of_a_long_key_that_aliases_repeat():
    text = f"{{b: &a {'k' * 90_000}, *a : 1, " + "*a : 1, " * 50 + "}"

    problems = reader.read(text.encode(), "a.yaml").problems

    assert len(problems) == 50
    assert all(len(each.message) < 1100 for each in problems)


@pytest.mark.parametrize(
    "place", ["[&a TEXT, ALIASES]", "[&a [TEXT], ALIASES]", "[&a {b: TEXT}, ALIASES]"]
)
def test_a_long_text_counts_as_many_values_where_aliases_stand_for_it(place):
    def found(length, aliases):
        text = place.replace("TEXT", "k" * length).replace("ALIASES", "*a, " * aliases)
        return [each.message for each in reader.read(text.encode(), "a.yaml").problems]

    assert found(2000, 500) == []
    assert found(1_000_000, 100) == ["the aliases stand for more than 100000 values"]


def test_many_secrets_in_one_line_are_masked_in_one_step():
    lines = Lines(b"[abc, d e, fgh]\nij")

    lines.mask([((0, 6), (0, 9)), ((0, 1), (0, 4)), ((0, 2), (0, 3)), ((0, 11), (1, 1))])

    assert lines.position(0, 0).text == "[***, * *, ****"
    assert lines.position(1, 0).text == "*j"


@pytest.mark.parametrize("column", [1, 40_000, 79_000])
def test_no_more_of_a_long_line_is_written_than_stands_around_the_place(column):
    position = Position(line=1, column=column, text="ab" * 40_000)
    long = Problem(
        source=Source(path="a.yaml"),
        pointer="/" + "p" * 5000,
        message="m" * 5000,
        hint="h" * 5000,
        position=position,
    )

    assert len(to_text([long])) < 4500
    (written,) = to_json([long])
    assert all(len(str(value)) < 1010 for value in written.values())
    assert position.text[column - 1 : column + 50] in written["text"]
