"""A merge that git left unfinished is named as that, wherever its marks stand."""

from pathlib import Path

import pytest
from support.vendors import SCHEMAS

from reconciler.core.errors import InputError
from reconciler.manifests import load
from reconciler.manifests.yaml.reader import read
from reconciler.validation.merges import unmerged_lines

HEAD = (
    "apiVersion: reconciler/v1\nkind: ProvidentClient\nmetadata: {name: web, target: shop}\nspec:\n"
)


def said(problems):
    return [(p.position.line, p.position.column, p.severity, p.message[:22]) for p in problems]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> topic\n", [1]),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> topic\nc: 3\n", [2]),
        ("a: 1\r\n<<<<<<< HEAD\r\nb: 1\r\n=======\r\nb: 2\r\n>>>>>>> topic\r\n", [2]),
        ("a:\n<<<<<<< HEAD\n  b: 1\n||||||| base\n  b: 0\n=======\n  b: 2\n>>>>>>> x\n", [2]),
        ("a: [\n<<<<<<< HEAD\nb,\n=======\nc,\n>>>>>>> topic\n]\n", [2]),
        ("\ufeff<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> topic\n", [1]),
        ("<<<<<<< A\na: 1\n=======\n>>>>>>> B\n---\n<<<<<<< A\n=======\nb: 1\n>>>>>>> B", [1, 6]),
        ("a: 1\n<<<<<<<\nb: 1\n=======\nb: 2\n>>>>>>>\n", [2]),
        ("a: 1\n=======\na: 2\n>>>>>>> topic\n", [2]),
        ("a: 1\n>>>>>>> topic\n", [2]),
        ("a: 1\n||||||| base\n", [2]),
        ("a: 1\n<<<<<<<<<<< HEAD\n===========\n>>>>>>>>>>> x\n", [2]),
        ("a: |\n  text\n<<<<<<< HEAD\n  more\n=======\n  less\n>>>>>>> x\n", [3]),
    ],
)
def test_each_place_of_an_unfinished_merge_is_named_and_nothing_else(text, lines):
    reading = read(text.encode(), "a.yaml")

    assert reading.documents == []
    assert said(reading.problems) == [
        (line, 1, "error", "a merge is unfinished:") for line in lines
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  <<<<<<< HEAD\n  x\n  =======\n  y\n  >>>>>>> topic\n",
        "a: '<<<<<<< HEAD'\n",
        "# <<<<<<< HEAD\na: 1\n",
        "a: =======\n",
        "a: ======= x\n",
        "<<<<<<<x: 1\n",
        "<<<<<< HEAD: 1\n",
        "======: 1\n",
    ],
)
def test_what_only_looks_like_it_is_content(text):
    reading = read(text.encode(), "a.yaml")

    assert reading.problems == []
    assert len(reading.documents) == 1


def test_a_manifest_with_marks_is_one_problem_a_place(write):
    write(
        "clients/shop/web.yaml",
        HEAD + "<<<<<<< HEAD\n  name: A\n=======\n  name: B\n>>>>>>> topic\n",
    )

    loaded = load("reconciler.yaml", files=["clients/shop/web.yaml"])

    assert said(loaded.problems) == [(5, 1, "error", "a merge is unfinished:")]
    assert loaded.problems[0].position.text == "<<<<<<< HEAD"


def test_the_project_file_is_named_too(write):
    write("reconciler.yaml", "kind: Project\n<<<<<<< HEAD\ntargets: {}\n=======\n>>>>>>> x\n")

    with pytest.raises(InputError) as caught:
        load("reconciler.yaml")

    assert said(caught.value.problems) == [(2, 1, "error", "a merge is unfinished:")]


def test_lines_are_counted_from_one_and_a_whole_file_has_none():
    assert unmerged_lines(b"\n\n<<<<<<< a\n") == [3]
    assert unmerged_lines(b'{"a": "<<<<<<< a"}') == []


def test_a_schema_of_the_users_own_is_named_too(write):
    for name in ("provider.yaml", "client.schema.json", "create.schema.json", "update.schema.json"):
        write(f"unmerged/{name}", (SCHEMAS / "provident" / name).read_bytes())
    write("unmerged/create.schema.json", "{\n<<<<<<< HEAD\n=======\n>>>>>>> x\n}\n")
    project = Path("reconciler.yaml").read_text("utf-8")
    write("reconciler.yaml", project.replace("provider: provident", "provider: ./unmerged"))

    problems = [
        problem for problem in load("reconciler.yaml").problems if "merge" in problem.message
    ]

    assert [(problem.source.path, problem.message) for problem in problems] == [
        ("unmerged/create.schema.json", "a merge is unfinished at line 2")
    ]
