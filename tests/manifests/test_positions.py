import pytest

from reconciler.core.model import Position, Problem, Source
from reconciler.manifests.yaml.positions import locate

TEXT = """\
# a comment
kind: A
spec:
  name: Web
  uris: &uris
  - https://a.example.com
  - [x, {y: z}]
  empty:
  "a/b~c": {d: [1, 2]}
  copy: *uris
---
kind: B
"""


def found(pointer, *, text=TEXT, document=0, at_key=False, is_secret=lambda _: False):
    source = Source(path="a.yaml", document=document)
    problem = Problem(source=source, pointer=pointer, message="m", at_key=at_key)
    (located,) = locate([problem], lambda _: text.encode(), is_secret)
    return located.position


def place(pointer, **more):
    position = found(pointer, **more)
    return (position.line, position.column)


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("", 2, 1),
        ("/kind", 2, 7),
        ("/spec/name", 4, 9),
        ("/spec/uris/0", 6, 5),
        ("/spec/uris/1/1/y", 7, 13),
        ("/spec/empty", 8, 9),
        ("/spec/a~1b~0c/d/1", 9, 20),
    ],
)
def test_a_pointer_leads_to_the_value(pointer, line, column):
    assert place(pointer) == (line, column)


def test_a_block_that_starts_below_its_key_is_shown_by_the_key():
    assert place("/spec") == (3, 1)


def test_at_key_means_the_name_of_the_member():
    assert place("/spec/name", at_key=True) == (4, 3)
    assert place("/spec/uris/0", at_key=True) == (6, 5)


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("/metadata/name", 2, 1),
        ("/spec/scope", 3, 1),
        ("/spec/name/first", 4, 3),
        ("/spec/uris/1/1/none", 7, 9),
        ("/spec/uris/9", 5, 3),
    ],
)
def test_what_is_missing_is_placed_at_the_nearest_thing_that_holds_it(pointer, line, column):
    assert place(pointer) == (line, column)


def test_an_alias_is_followed_to_where_its_value_is_written():
    assert place("/spec/copy") == (10, 9)
    assert place("/spec/copy/0") == (6, 5)


def test_aliases_and_anchors_on_keys_are_followed_too():
    assert place("/b/k/0", text="&a k: 1\nb: {*a : [x]}\n") == (2, 11)


def test_a_document_is_found_by_its_index_and_a_missing_one_has_no_place():
    assert place("/kind", document=1) == (12, 7)
    assert found("", document=2) is None
    assert found("", text="") is None


def test_of_broken_text_the_part_before_the_break_has_places():
    assert place("/a", text="a: 1\nb: [\n") == (1, 4)
    assert place("/a", text="a: 1\n? [b]\n: c\n") == (1, 4)


def test_columns_are_counted_in_characters_and_the_line_comes_along():
    assert found("/ä", text="ä: ü\n") == Position(line=1, column=4, text="ä: ü")
    assert found("/b", text="\ufeffb: ü\r\n") == Position(line=1, column=4, text="b: ü")


def test_problems_are_sorted_by_file_line_and_column():
    texts = {"a": b"x: 1\ny: 2\n", "b": b"x: 1\n"}
    problems = [
        Problem(source=Source(path=path), pointer=pointer, message="m")
        for path, pointer in [("b", "/x"), ("a", "/y"), ("a", "/x"), ("c", "")]
    ]

    located = locate(problems, lambda path: texts.get(path, b""), lambda _: False)

    assert [(p.source.path, p.pointer) for p in located] == [
        ("a", "/x"), ("a", "/y"), ("b", "/x"), ("c", "")
    ]  # fmt: skip


def secret(tokens):
    return tokens[:1] == ("secret",)


@pytest.mark.parametrize(
    ("text", "pointer", "shown"),
    [
        ("{a: 1, secret: hunter2}", "/a", "{a: 1, secret: *******}"),
        ("{a: 1, secret: {evn: hunter2}}", "/a", "{a: 1, secret: {evn: *******}}"),
        ("secret: 'hunter2' # c\n", "/secret", "secret: ********* # c"),
        ("x: &s hunter2\nsecret: *s\n", "/x", "x: ** *******"),
        ("secret: [hunter2, hunter2]", "", "secret: [*******, *******]"),
    ],
)
def test_no_line_shows_what_would_be_a_secret(text, pointer, shown):
    position = found(pointer, text=text, is_secret=secret)

    assert position.text == shown


def test_a_secret_over_many_lines_is_masked_on_each():
    text = 'secret: "hunter2\n  hunter3"\na: 1\n'

    assert found("/secret", text=text, is_secret=secret).text == "secret: ********"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clientSecret: hunter2\nb: [\n", ("clientSecret: *******", "b: [")),
        ("a: {token: hunter2, b: [\n", ("a: {token: ******** ** *",)),
        ("password: |\n  hunter2\nb: [\n", ("password: *", "  *******", "b: [")),
        ("secret: {env: NAME}\ntokens: 3\nb: [\n", ("secret: {env: NAME}", "tokens: 3", "b: [")),
    ],
)
def test_of_broken_text_what_looks_secret_is_masked_by_its_key(text, shown):
    for line, expected in enumerate(shown, 1):
        problem = Problem(
            source=Source(path="a"),
            pointer="",
            message="m",
            position=Position(line=line, column=1, text="unmasked"),
        )

        (located,) = locate([problem], lambda _: text.encode(), lambda _: False)

        assert located.position.text == expected


def test_aliases_that_stand_for_much_do_not_make_the_masking_long():
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))

    position = found("/a59/1", text=f"a0: &a0 x\n{levels}", is_secret=secret)

    assert position.line == 60
