import json

import pytest

from reconciler.core.model import Position, Problem, Source
from reconciler.render.problems import to_json, to_text


def problem(text=None, column=1, *, line=12, hint="", path="a.yaml", message="wrong", **more):
    position = None if text is None else Position(line=line, column=column, text=text)
    source = Source(path=path)
    return Problem(
        source=source, pointer="/a", message=message, hint=hint, position=position, **more
    )


def test_a_problem_is_shown_with_its_line_a_caret_and_what_would_be_right():
    found = problem(
        "    redirectUri: [https://a.example.com]",
        5,
        path="clients/shop/web.yaml",
        message="unknown field `redirectUri`",
        hint="did you mean `redirectUris`?",
    )

    assert to_text([found]) == (
        "clients/shop/web.yaml:12:5: error: unknown field `redirectUri` [/a]\n"
        "   12 |     redirectUri: [https://a.example.com]\n"
        "      |     ^^^^^^^^^^^ did you mean `redirectUris`?\n"
    )


def test_a_warning_says_that_it_is_one_and_problems_follow_each_other():
    shown = to_text([problem("a: no", 4, severity="warning"), problem("b: c", 1)])

    assert [line.split(" ")[1] for line in shown.splitlines() if line.startswith("a.yaml")] == [
        "warning:",
        "error:",
    ]


def test_a_problem_of_a_whole_file_has_no_line():
    assert to_text([problem(message="there is no such file")]) == (
        "a.yaml: error: there is no such file\n"
    )
    assert to_text([problem(hint="look")]) == "a.yaml: error: wrong; look\n"


def caret(text, column):
    _, line, pointer = to_text([problem(text, column)]).splitlines()
    return line[8:], pointer[8:]


@pytest.mark.parametrize(
    ("text", "column", "pointer"),
    [
        ("a: bcd # e", 4, "   ^^^"),
        ("a: [b, c]", 5, "    ^"),
        ("a: [b, c]", 8, "       ^"),
        ("a:", 3, "  ^"),
        ("", 1, "^"),
        ("a: [", 4, "   ^"),
        ("日本: x", 5, "      ^"),
        ("e\u0301: x", 5, "   ^"),
    ],
)
def test_the_caret_stands_under_the_place_and_underlines_a_word(text, column, pointer):
    assert caret(text, column) == (text, pointer)


def test_a_tab_is_shown_as_four_spaces_and_the_caret_follows():
    assert caret("\ta:\tb", 5) == ("    a:    b", "          ^")


@pytest.mark.parametrize(
    ("character", "shown"),
    [("\x1b", "\\x1b"), ("\x00", "\\x00"), ("\u202e", "\\u202e"), ("\u2028", "\\u2028"), ("\x9b", "\\x9b"), ("\ud800", "\\ud800")],
)  # fmt: skip
def test_what_a_terminal_would_obey_is_escaped_everywhere(character, shown):
    found = problem(
        f"a{character}: b",
        4,
        path=f"p{character}",
        message=f"m{character}",
        hint=f"h{character}",
    )

    text = to_text([found])

    assert character not in text
    assert text.count(shown) == 4


def test_a_line_break_in_a_message_or_a_path_starts_no_line():
    assert (
        len(to_text([problem("a", path="b\nc", message="d\r\ne", hint="f\ng")]).splitlines()) == 3
    )


def test_a_long_line_is_clipped_around_the_caret():
    text = "x" * 200 + " here " + "y" * 200

    line, pointer = caret(text, 202)

    assert line.startswith("…x")
    assert line.endswith("y…")
    assert len(line) == 100
    assert line[pointer.index("^") : pointer.rindex("^") + 1] == "here"


def test_a_long_line_with_the_place_at_its_start_loses_its_end_only():
    line, pointer = caret("a: " + "b" * 300, 1)

    assert (line, pointer) == ("a: " + "b" * 96 + "…", "^")


def test_wide_characters_count_twice_when_a_line_is_clipped():
    line, pointer = caret("語" * 100 + "x" + "語" * 100, 101)

    assert sum(2 if character == "語" else 1 for character in line) <= 100
    assert pointer.index("^") == 1 + 2 * line[: line.index("x")].count("語")


def test_machines_get_objects_in_the_same_order():
    located = problem("a: b", 4, line=3, hint="h", severity="warning")

    objects = to_json([located, problem()])

    assert json.loads(json.dumps(objects)) == [
        {
            "file": "a.yaml",
            "document": 0,
            "pointer": "/a",
            "line": 3,
            "column": 4,
            "severity": "warning",
            "message": "wrong",
            "hint": "h",
            "text": "a: b",
        },
        {
            "file": "a.yaml",
            "document": 0,
            "pointer": "/a",
            "line": None,
            "column": None,
            "severity": "error",
            "message": "wrong",
            "hint": "",
            "text": None,
        },
    ]


def test_a_message_that_quotes_too_much_is_clipped():
    (line,) = to_text([problem(message="語" * 5000)]).splitlines()

    assert line.endswith("語…")
    assert len(line) < 1000
