import pytest

from reconciler.manifests.patterns import (
    as_pattern,
    could_list_below,
    expand,
    lists,
    matches,
    misplaced_exclusions,
    reaches,
    unusable_reason,
)


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        ("a.yaml", ["a.yaml"]),
        ("*.{yaml,yml}", ["*.yaml", "*.yml"]),
        ("{a,b}/*.{x,y}", ["a/*.x", "a/*.y", "b/*.x", "b/*.y"]),
        ("{a,b{c,d}}", ["a", "bc", "bd"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("{a/b,c}/x", ["a/b/x", "c/x"]),
        ("a{,.b}.yaml", ["a.yaml", "a.b.yaml"]),
        ("{a,a}", ["a"]),
        ("[{]a,b[}]", ["[{]a,b[}]"]),
        ("{[,],[}]}", ["[,]", "[}]"]),
        ("**/{x,[!y]}", ["**/x", "**/[!y]"]),
    ],
)
def test_braces_list_alternatives(pattern, expanded):
    assert list(expand(pattern)) == expanded


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a{b", "`{` has no `}`"),
        ("a}b", "`}` has no `{`"),
        ("{a,b", "`{` has no `}`"),
        ("a,b}", "`}` has no `{`"),
        ("{a}", "with commas between them"),
        ("{}", "with commas between them"),
        ("{{a,b}}", "with commas between them"),
        ("{1..9}", "no range"),
        ("{a..z..2}", "no range"),
        ("{a,b}" * 7, "no more than 64"),
        ("{" * 3000, "`{` has no `}`"),
        ("!", "no pattern follows"),
        ("! ", "no pattern follows"),
        ("!!a", "one `!`"),
        ("!/etc/**", "relative to the project file"),
        ("!a**", "whole folders"),
        ("{a,/b}", "relative to the project file"),
        ("{a,**b}/c", "whole folders"),
        ("{a,}", "ends with a file name"),
        ("!a{b", "`{` has no `}`"),
        ("!a\\b", "separated by a slash"),
        ("!a//b", "ends with a file name"),
    ],
)
def test_a_pattern_that_means_nothing_says_why(pattern, reason):
    assert reason in (unusable_reason(pattern) or "")


@pytest.mark.parametrize(
    "pattern",
    ["!a.yaml", "!a/", "!a/**", "!**/drafts", "*.{yaml,yml}", "./!a.yaml", "[!]a", "[{]a.yaml", "!{a,b}/"],
)  # fmt: skip
def test_exclusions_and_braces_are_fine(pattern):
    assert unusable_reason(pattern) is None


@pytest.mark.parametrize(
    ("patterns", "path", "listed"),
    [
        (["c/**/*.yaml", "!c/drafts/**"], "c/drafts/a.yaml", False),
        (["c/**/*.yaml", "!c/drafts"], "c/drafts/deep/a.yaml", False),
        (["c/**/*.yaml", "!c/drafts/"], "c/drafts/a.yaml", False),
        (["c/**/*.yaml", "!**/drafts"], "c/x/drafts/a.yaml", False),
        (["c/**/*.yaml", "!c/drafts/**"], "c/a.yaml", True),
        (["c/**/*.yaml", "!c/drafts"], "c/drafts2/a.yaml", True),
        (["c/**/*.yaml", "!drafts"], "c/drafts/a.yaml", True),
        (["c/**/*.yaml", "!c/drafts/**", "c/drafts/a.yaml"], "c/drafts/a.yaml", True),
        (["c/**/*.yaml", "c/drafts/a.yaml", "!c/drafts/**"], "c/drafts/a.yaml", False),
        (["c/*.{yaml,yml}", "!c/{x,y}.*"], "c/y.yml", False),
        (["c/*.{yaml,yml}", "!c/{x,y}.*"], "c/z.yml", True),
        (["c/*.yaml", "!c/[ab].yaml"], "c/a.yaml", False),
        (["./!a.yaml"], "!a.yaml", True),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns, path, listed):
    assert lists(patterns, path) is listed


@pytest.mark.parametrize(
    ("patterns", "misplaced"),
    [
        (["a"], []),
        (["a", "!b"], []),
        (["!b", "a"], [0]),
        (["!a", "!b"], [0, 1]),
        (["a", "!b", "c", "!d"], []),
    ],
)
def test_an_exclusion_stands_after_what_it_takes_from(patterns, misplaced):
    assert list(misplaced_exclusions(patterns)) == misplaced


@pytest.mark.parametrize(
    ("pattern", "folder", "reached"),
    [
        ("a/**/*.yaml", "a", True),
        ("a/**/*.yaml", "a/b/c", True),
        ("a/**/*.yaml", "b", False),
        ("a/*.yaml", "a", True),
        ("a/*.yaml", "a/b", False),
        ("a/*/*.yaml", "a/b", True),
        ("**/x.yaml", "a/b", True),
        ("{a,b}/*.yaml", "b", True),
        ("a/b/**", "a", True),
        ("./a/*.yaml", "a", True),
        ("a/b.yaml", "a/b.yaml", False),
        ("x.yaml", ".", True),
    ],
)
def test_which_folders_a_pattern_reaches(pattern, folder, reached):
    assert reaches(pattern, folder) is reached


@pytest.mark.parametrize(
    ("patterns", "folder", "could"),
    [
        (["a/**", "!a/b/**"], "a/b", False),
        (["a/**", "!a/b"], "a/b/c", False),
        (["a/**", "!a/b/**", "o/*.yaml"], "a/b", False),
        (["a/**", "!a/b/**", "a/b/*.yaml"], "a/b", True),
        (["a/**", "!a/b/x.yaml"], "a/b", True),
        (["a/**"], "a/b", True),
        (["o/**"], "a/b", False),
        (["*.yaml"], ".", True),
    ],
)
def test_which_folders_could_hold_a_file_that_is_listed(patterns, folder, could):
    assert could_list_below(patterns, folder) is could


@pytest.mark.parametrize("path", ["a.yaml", "a*b", "a?b", "a[b]c", "a{b}c", "a[!b]", "{a,b}"])
def test_a_path_can_be_written_as_a_pattern(path):
    pattern = as_pattern(path)

    assert unusable_reason(pattern) is None
    assert matches(pattern, path)
    assert not matches(pattern, path.replace("b", "x") + "y")
