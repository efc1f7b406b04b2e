"""Files by a stranger: what `validate` does for one is bounded by its size, and so is what it says."""

import pytest

from reconciler.core.problems.many import MOST_SHOWN, count_of
from reconciler.manifests import load
from reconciler.manifests.yaml import positions
from reconciler.validation import folders

HEAD = "apiVersion: reconciler/v1\nkind: ProvidentClient\nmetadata: {name: web, target: shop}\n"
GOOD = "name: Web, redirectUris: [], allowedScopes: []"


def hostile(count):
    """Texts with about `count` problems, by what is wrong with them."""
    return {
        "names": f"{HEAD}spec: {{{GOOD}, {', '.join(f'f{n}: 1' for n in range(count))}}}\n",
        "items": f"{HEAD}spec: {{name: Web, redirectUris: [], allowedScopes: [{'1, ' * count}]}}\n",
        "addresses": f"{HEAD}spec:\n  name: Web\n  allowedScopes: []\n  redirectUris:\n"
        + "".join(f"    - 'http://a{n} b'\n" for n in range(count)),
        "documents": "---\n".join(f"{HEAD}spec: {{name: 5}}\n" for _ in range(count)),
        "duplicates": f"{HEAD}spec: {{{GOOD}, {'name: Web, ' * count}}}\n",
        "merge keys": f"{HEAD}spec: {{{GOOD}, {', '.join('<<: {}' for _ in range(count))}}}\n",
        "long key": f"{HEAD}spec: {{{GOOD}, ? {'k' * 20_000} : [{'!x a, ' * count}]}}\n",
        "merges": HEAD + "<<<<<<< a\n=======\n>>>>>>> b\n" * count,
    }


@pytest.mark.parametrize("kind", sorted(hostile(1)))
def test_the_first_hundred_problems_are_shown_and_all_are_counted(write, kind):
    shown = {}
    for count in (400, 800):
        write("clients/shop/web.yaml", hostile(count)[kind])

        found = load("reconciler.yaml").problems
        problems = [each for each in found if each.source.path == "clients/shop/web.yaml"]

        assert len(problems) <= MOST_SHOWN + 2
        assert count_of(problems, "error") >= count
        shown[count] = [each for each in problems if each.stands_for == 1]

    assert len(shown[400]) == len(shown[800]) == MOST_SHOWN


def test_of_many_targets_that_share_a_folder_it_is_compared_once_with_each(write, monkeypatch):
    compared = []
    is_within = folders.is_within
    monkeypatch.setattr(
        folders, "is_within", lambda *paths: (compared.append(1), is_within(*paths))[1]
    )
    target = "{provider: x, baseUrl: 'https://a.example.com', auth: {token: {env: A}}, manifests: [a.yaml]}"
    targets = "".join(f"  t{n}: {target}\n" for n in range(200))
    write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\ntargets:\n{targets}")

    problems = load("reconciler.yaml").problems

    assert count_of(problems, "error") >= 200
    assert len(compared) < 200 * 20


@pytest.mark.parametrize("count", [2, 50])
def test_a_file_of_many_documents_is_parsed_for_its_places_no_more_often_than_one_of_few(
    write, monkeypatch, count
):
    parsed = []
    documents = positions._documents  # noqa: SLF001 - what is counted
    monkeypatch.setattr(
        positions, "_documents", lambda text: (parsed.append(text), documents(text))[1]
    )
    write("clients/shop/web.yaml", hostile(count)["documents"])

    load("reconciler.yaml")

    assert len([text for text in parsed if text.startswith(HEAD.encode())]) == 2
