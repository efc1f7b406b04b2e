import pytest
from yaml.error import YAMLError

from reconciler.manifests.yaml.reader import read
from reconciler.manifests.yaml.syntax import explain


def complaint(text):
    encoded = text if isinstance(text, bytes) else text.encode()
    (problem,) = read(encoded, "a.yaml").problems
    return (problem.position.line, problem.position.column, problem.message, problem.hint)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n\tb: 1", 2, 1, "a tab cannot indent"),
        ("a: b\n\tc", 2, 1, "a tab cannot indent"),
        ("a: |\n\tx", 2, 1, "a tab cannot indent"),
        ("a: [1, 2\nb: 3", 1, 4, "this bracket is never closed"),
        ("a: [1, 2", 1, 4, "this bracket is never closed"),
        ("a: {b: [1], c: 1\n\n", 1, 4, "this bracket is never closed"),
        ("key: [\n", 1, 6, "this bracket is never closed"),
        ("a: [1, 2}", 1, 9, "expected `,` or `]`"),
        ("a: [1, }]", 1, 8, "expected a value"),
        ("a: {b: c d: e}", 1, 11, "expected `,` or `}`"),
        ("a: [\n- b", 1, 4, "this bracket is never closed"),
        ('a: "b\nc: d\n', 1, 4, "this quote is never closed"),
        ("a: 'b", 1, 4, "this quote is never closed"),
        ("a: @b", 1, 4, "a plain value cannot start with `@`"),
        ("a: `b`", 1, 4, "a plain value cannot start with a backtick"),
        ("a: %b", 1, 4, "a plain value cannot start with `%`"),
        ("a: b: c", 1, 5, "a `:` cannot stand here"),
        ("a: 1\n  b: 2", 2, 4, "a `:` cannot stand here"),
        ("a: 1\nb\nc: 2", 3, 1, "this key has no `:` after it"),
        ("a: 1\n- b", 2, 1, "the indentation does not fit the lines above"),
        ("- a\nb: 1", 2, 1, "the indentation does not fit the list above"),
        ("a: - b", 1, 4, "a `-` cannot stand here"),
        ('a: "\\d"', 1, 5, "unknown escape in a double-quoted string"),
        ("a: *", 1, 5, "`*` starts an alias and `&` an anchor, and no name follows"),
        ("a: !b!c d", 1, 4, "unknown tag"),
        ("%YAML 2.0\n---\na", 1, 1, "only YAML 1.1 and 1.2 can be read"),
        ("%NO\n---\na", 1, 4, "this is not YAML: found unknown directive name"),
        ("}", 1, 1, "a value cannot start like this"),
        (b"a: \xff", 1, 4, "this is not valid UTF-8"),
        (b"a: b\n\xc3\xa9: \xe9\n", 2, 4, "this is not valid UTF-8"),
        (b"\xff\xfea\x00:\x00 \x00\x00\xd8", 1, 4, "this is not valid UTF-16-LE"),
        (b"\xfe\xff\x00a\x00:\x00 \xd8\x00", 1, 4, "this is not valid UTF-16-BE"),
        (b"a: \x00", 1, 4, "a control character"),
        ('a: "x\x07"', 1, 6, "a control character"),
        ("é: [ü\n", 1, 4, "this bracket is never closed"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_placed_and_put_in_plain_words(text, line, column, message):
    assert complaint(text)[:3] == (line, column, message)


def test_an_open_bracket_says_where_reading_stopped():
    assert complaint("a: [1, 2\nb: 3")[3] == "reading stopped at line 2, column 2"


@pytest.mark.parametrize("text", ["a: 1\u2028b: [", "a: 1\x85b: [", "a: 1\r\nb: [\r"])
def test_a_place_is_counted_as_the_parser_counts_lines(text):
    line, column, message, _ = complaint(text)

    assert (line, column, message) == (2, 4, "this bracket is never closed")


def test_an_error_without_a_place_is_quoted_at_the_start():
    found = explain(YAMLError("no more memory"), b"a: 1")

    assert (found.position.line, found.message) == (1, "this cannot be read: no more memory")
