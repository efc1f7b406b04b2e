import os

import pytest

from reconciler.manifests.folders import FileTree
from reconciler.manifests.patterns import is_literal, matches, unusable_reason

FILES = (
    "top.yaml",
    "clients/a.yaml",
    "clients/b.yml",
    "clients/.hidden.yaml",
    "clients/shop/c.yaml",
    "clients/shop/deep/er/d.yaml",
    "clients/.git/e.yaml",
    "clients/[x]/f.yaml",
    ".github/g.yaml",
)


@pytest.fixture
def root(tmp_path):
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("top.yaml", ["top.yaml"]),
        ("gone.yaml", []),
        ("gone/*.yaml", []),
        ("clients/*.yaml", ["clients/a.yaml"]),
        ("./clients/*.y*ml", ["clients/a.yaml", "clients/b.yml"]),
        ("clients/?.y[am]*l", ["clients/a.yaml", "clients/b.yml"]),
        ("clients/[!b].*", ["clients/a.yaml"]),
        ("clients/*/*.yaml", ["clients/[x]/f.yaml", "clients/shop/c.yaml"]),
        ("clients/[[]x]/*", ["clients/[x]/f.yaml"]),
        ("clients/shop/**", ["clients/shop/c.yaml", "clients/shop/deep/er/d.yaml"]),
        ("**/d.yaml", ["clients/shop/deep/er/d.yaml"]),
        ("**/deep/**/*.yaml", ["clients/shop/deep/er/d.yaml"]),
        (
            "**/*.yaml",
            ["clients/[x]/f.yaml", "clients/a.yaml", "clients/shop/c.yaml",
             "clients/shop/deep/er/d.yaml", "top.yaml"],
        ),
        (".github/*.yaml", [".github/g.yaml"]),
        ("clients/.hidden.yaml", ["clients/.hidden.yaml"]),
        ("clients/[.yaml", []),
        ("clients/[z-a].yaml", []),
    ],
)  # fmt: skip
def test_a_pattern_means_these_files(root, pattern, expected):
    found = FileTree(str(root)).matching_files(pattern)

    assert found == expected
    assert all(matches(pattern, path) for path in found)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("clients/*.yaml", "clients/shop/c.yaml"),
        ("clients/*.yaml", "clients/.hidden.yaml"),
        ("clients/**/*.yaml", "clients/.git/e.yaml"),
        ("clients/[!b]x", "clients//x"),
        ("*.yaml", "a.yaml.bak"),
        ("a.yaml", "aXyaml"),
    ],
)
def test_a_pattern_does_not_mean_these_paths(pattern, path):
    assert not matches(pattern, path)


def test_folders_above_the_project_can_be_meant(root):
    assert FileTree(str(root / "clients" / "shop")).matching_files("../*.yaml") == ["../a.yaml"]


def test_links_lead_to_files_but_never_in_circles(root):
    (root / "clients" / "loop").symlink_to(root / "clients")
    (root / "clients" / "link.yaml").symlink_to(root / "top.yaml")

    assert FileTree(str(root)).matching_files("**/a.yaml") == ["clients/a.yaml"]
    assert "clients/link.yaml" in FileTree(str(root)).matching_files("**/*.yaml")
    assert FileTree(str(root)).matching_files("clients/*/a.yaml") == ["clients/loop/a.yaml"]


def test_a_folder_is_listed_once_for_all_patterns(root):
    tree = FileTree(str(root))
    before = tree.matching_files("**/*.yaml")

    (root / "clients" / "late.yaml").touch()

    assert tree.matching_files("**/*.yaml") == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with pipes")
def test_a_folder_of_ten_levels_and_odd_names_is_no_trouble(root):
    os.mkfifo(root / "clients" / "pipe.yaml")
    (root / "clients" / "new\nline.yaml").touch()

    assert {"clients/pipe.yaml", "clients/new\nline.yaml"} <= {
        *FileTree(str(root)).matching_files("**/*.yaml")
    }


@pytest.mark.parametrize(
    "pattern",
    ["/etc/*.yaml", "~/a.yaml", "C:/a.yaml", "a\\b.yaml", "a\0b", "a**/b.yaml", "**.yaml", "clients/", "a//b"],
)  # fmt: skip
def test_a_pattern_that_cannot_be_meant_is_refused(pattern):
    assert unusable_reason(pattern)


@pytest.mark.parametrize("pattern", ["a.yaml", "**/*.yaml", "../a/[ab]?.yaml", "**"])
def test_other_patterns_are_fine(pattern):
    assert unusable_reason(pattern) is None


def test_a_pattern_without_magic_is_a_name():
    assert is_literal("a/b.yaml")
    assert not is_literal("a/*.yaml")
