"""Manifests that no run reads: beside the patterns, behind links, in closed folders, left out by git."""

import os
import subprocess
from pathlib import Path

import pytest
from support.unprivileged import shared_folder, unprivileged

from reconciler.manifests import load
from reconciler.manifests.checkout import may_lack_files

GIT = (
    "git",
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@example.com",
    "-c",
    "protocol.file.allow=always",
)


def git(*arguments, at="."):
    subprocess.run((*GIT, *arguments), cwd=at, check=True, capture_output=True)


def told(loaded):
    return [
        (problem.severity, problem.source.path, problem.message)
        for problem in loaded.problems
        if "no file matches" not in problem.message
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("beta.yml", "beta.YAML", "beta.Yml", "beta.json", "beta.yaml.txt", ".beta.yaml"),
        *("deep/beta.yml", "deep/.kept/beta.yaml", "beta.yaml ", "beta.JSON"),
    ],
)
def test_a_manifest_beside_the_patterns_is_told(write, shop, name):
    write("clients/shop/alpha.yaml", shop("alpha"))
    write(f"clients/shop/{name}", shop("beta"))

    loaded = load("reconciler.yaml")

    assert [manifest.name for manifest in loaded.manifests] == ["alpha"]
    assert loaded.unread == {"shop": (f"clients/shop/{name}",)}
    ((severity, path, message),) = told(loaded)
    assert (severity, path) == ("warning", f"clients/shop/{name}")
    assert "none of the target's patterns lists the file" in message


def test_a_manifest_that_lies_deeper_than_the_patterns_reach_is_told(write, shop):
    isc = shop("b").replace("target: shop", "target: isc")
    write("clients/shop/a.yaml", shop("a"))
    write("clients/isc/team/b.yaml", isc)

    assert load("reconciler.yaml").unread == {"isc": ("clients/isc/team/b.yaml",)}


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: nginx}}\n",
        "- a\n- b\n",
        "a text\n",
        "",
        "{broken: [\n",
        "metadata: {name: a, target: another}\n",
        "metadata: [shop]\n",
        "metadata: {name: a, targets: shop}\n",
        "target: shop\n",
        b"\xff\xfe\xff",
    ],
)
def test_a_file_beside_them_that_is_no_manifest_of_the_target_is_not_told(write, shop, text):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/docker-compose.yml", text)

    loaded = load("reconciler.yaml")

    assert (told(loaded), loaded.unread) == ([], {})


def test_a_manifest_of_another_target_is_not_told(write, shop):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/b.yml", shop("b").replace("target: shop", "target: isc"))

    assert load("reconciler.yaml").unread == {}


@pytest.mark.parametrize(
    "name", ["beta.yaml~", "beta.yaml.bak", ".#beta.yaml", "._beta.yaml", ".beta.yaml.swp", "#beta.yaml#", "beta.yaml.orig"]
)  # fmt: skip
def test_what_an_editor_leaves_behind_is_not_told(write, shop, name):
    write("clients/shop/a.yaml", shop("a"))
    write(f"clients/shop/{name}", shop("beta"))

    assert load("reconciler.yaml").unread == {}


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< ours\n%s=======\n>>>>>>> theirs\n",
        "%s  more: [\n",
        "%s---\n\tx: 1\n",
    ],
)
def test_a_broken_file_that_looks_like_a_manifest_of_the_target_is_told(write, shop, text):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/b.yml", text % shop("b"))

    assert load("reconciler.yaml").unread == {"shop": ("clients/shop/b.yml",)}


def test_a_second_document_and_a_list_of_targets_count(write, shop):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/b.yml", "a: 1\n---\n" + shop("b"))
    write("clients/shop/c.yml", shop("c").replace("target: shop", "targets: [dev, shop]"))

    loaded = load("reconciler.yaml")

    assert loaded.unread == {"shop": ("clients/shop/b.yml", "clients/shop/c.yml")}
    assert [
        problem.source.document for problem in loaded.problems if "patterns" in problem.message
    ] == [1, 0]


def stating(write, *patterns):
    """Let the target `shop` have these patterns."""
    path = write("any.txt", "").parent / "reconciler.yaml"
    text = path.read_text()
    write("reconciler.yaml", text.replace("[clients/shop/**/*.yaml]", str(list(patterns))))


def names(loaded):
    return [manifest.name for manifest in loaded.manifests]


def test_what_is_left_out_on_purpose_is_neither_read_nor_told(write, shop):
    stating(write, "clients/shop/**/*.{yaml,yml}", "!clients/shop/drafts/**", "!**/*.json")
    write("clients/shop/a.yml", shop("a"))
    write("clients/shop/drafts/b.yaml", shop("b"))
    write("clients/shop/c.json", shop("c"))

    loaded = load("reconciler.yaml")

    assert (names(loaded), loaded.unread) == (["a"], {})


def test_the_hint_of_an_unread_manifest_is_true(write, shop):
    stating(write, "clients/**/*.yaml")
    write("clients/a.yaml", shop("a"))
    write("clients/b [1]{x}.yml", shop("b"))
    hint = next(p.hint for p in load("reconciler.yaml").problems)
    exclusion = hint.partition('"')[2].partition('"')[0]

    write(
        "reconciler.yaml", Path("reconciler.yaml").read_text().replace("']", f"', '{exclusion}']")
    )

    loaded = load("reconciler.yaml")
    assert (names(loaded), loaded.unread) == (["a"], {})


def test_in_the_projects_own_folder_only_where_patterns_lead_is_looked(write, shop):
    stating(write, "*.yaml", "!reconciler.yaml")
    write("a.yaml", shop("a"))
    write("b.yml", shop("b"))
    write("other/deep/c.yml", shop("c"))

    assert load("reconciler.yaml").unread == {"shop": ("b.yml",)}


def test_with_named_files_nothing_else_is_looked_for(write, shop):
    write("clients/shop/a.yaml", shop("a"))
    write("clients/shop/b.yml", shop("b"))

    assert load("reconciler.yaml", files=["clients/shop/a.yaml"]).unread == {}


def test_a_name_of_another_ending_for_a_file_that_is_read_is_not_told(write, shop, tmp_path):
    write("clients/shop/a.yaml", shop("a"))
    (tmp_path / "clients/shop/a.yml").symlink_to("a.yaml")

    loaded = load("reconciler.yaml")

    assert (names(loaded), told(loaded), loaded.unread) == (["a"], [], {})


def test_links_to_folders_are_followed_and_no_file_is_read_twice(write, shop, tmp_path):
    write("clients/shop/a.yaml", shop("a"))
    write("common/b.yaml", shop("b"))
    write("common/deep/c.yaml", shop("c"))
    (tmp_path / "clients/shop/common").symlink_to("../../common")
    (tmp_path / "clients/shop/again").symlink_to("../../common/deep")
    (tmp_path / "clients/shop/loop").symlink_to(".")
    (tmp_path / "common/up").symlink_to("../clients/shop")
    (tmp_path / "clients/shop/alias.yaml").symlink_to("a.yaml")

    loaded = load("reconciler.yaml")

    assert (names(loaded), told(loaded), loaded.unread) == (["a", "c", "b"], [], {})


def test_a_file_that_two_targets_reach_by_two_names_is_one_manifest(write, shop, tmp_path):
    write("clients/shop/a.yaml", shop("a"))
    (tmp_path / "clients/isc").mkdir()
    (tmp_path / "clients/isc/b.yaml").symlink_to("../shop/a.yaml")

    loaded = load("reconciler.yaml")

    assert (names(loaded), told(loaded)) == (["a"], [])


def test_a_link_out_of_the_projects_folder_is_an_error_that_names_it(write, shop, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep/x.yaml").write_text(shop("x"))
    write("clients/shop/a.yaml", shop("a"))
    write("common/b.yaml", shop("b"))
    (tmp_path / "clients/shop/out").symlink_to(outside)
    (tmp_path / "clients/shop/common").symlink_to("../../common")
    (tmp_path / "common/further").symlink_to(outside)

    loaded = load("reconciler.yaml")

    assert [message.partition(",")[0] for severity, _, message in told(loaded)] == [
        "clients/shop/common/further is a link that leads out of the project's folder",
        "clients/shop/out is a link that leads out of the project's folder",
    ]
    assert {severity for severity, _, _ in told(loaded)} == {"error"}


@pytest.mark.parametrize("target", ["nowhere", "gone"])
def test_a_link_that_leads_nowhere_is_an_error_that_names_it(write, shop, tmp_path, target):
    write("clients/shop/a.yaml", shop("a"))
    (tmp_path / "clients/shop/gone").symlink_to(target)

    ((severity, path, message),) = told(load("reconciler.yaml"))

    assert (severity, path) == ("error", "reconciler.yaml")
    assert message.startswith("clients/shop/gone is a link that leads nowhere")


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o200])
def test_a_folder_that_cannot_be_listed_is_an_error_unless_it_is_left_out(mode, monkeypatch, shop):
    with shared_folder() as root:
        monkeypatch.chdir(root)
        closed = root / "clients/shop/closed"
        closed.mkdir(parents=True)
        (root / "clients/shop/a.yaml").write_text(shop("a"))
        (closed / "b.yaml").write_text(shop("b"))
        project = PROJECT % "clients/shop/**/*.yaml"
        (root / "reconciler.yaml").write_text(project)
        closed.chmod(mode)
        with unprivileged():
            refused = told(load("reconciler.yaml"))
        (root / "reconciler.yaml").write_text(project.replace("yaml]", "yaml, '!**/closed']"))
        with unprivileged():
            left_out = told(load("reconciler.yaml"))
        closed.chmod(0o755)

    assert refused == [
        (
            "error",
            "reconciler.yaml",
            "clients/shop/closed cannot be read (Permission denied), so that no manifest in it is read",
        )
    ]
    assert left_out == []


def test_a_file_beside_them_that_cannot_be_read_is_an_error(monkeypatch, shop):
    with shared_folder() as root:
        monkeypatch.chdir(root)
        (root / "clients").mkdir()
        (root / "clients/a.yaml").write_text(shop("a"))
        (root / "clients/b.yml").write_text(shop("b"))
        (root / "clients/b.yml").chmod(0)
        (root / "reconciler.yaml").write_text(PROJECT % "clients/*.yaml")
        with unprivileged():
            ((severity, path, message),) = told(load("reconciler.yaml"))

    assert (severity, path) == ("error", "clients/b.yml")
    assert message.endswith("and it may be a manifest of target `shop`")


PROJECT = """\
apiVersion: reconciler/v1
kind: Project
targets:
  shop:
    provider: provident
    baseUrl: https://api.shop.example.com/v2
    auth: {token: {env: T}}
    manifests: [%s]
"""


@pytest.fixture
def repo(write, shop, tmp_path):
    """A project in git, with three manifests in two folders."""
    write("reconciler.yaml", PROJECT % '"clients/**/*.yaml", "!clients/old/**"')
    for name in ("one/a", "one/b", "two/c"):
        write(f"clients/{name}.yaml", shop(name[-1]))
    write("clients/old/d.yaml", shop("d"))
    write("docs/page.md", "")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    return tmp_path


def left_out(loaded):
    return [message for _, path, message in told(loaded) if path == "reconciler.yaml"]


def test_a_whole_checkout_is_not_asked(repo, monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert not may_lack_files(str(repo))
    assert (told(load("reconciler.yaml")), load("reconciler.yaml").unread) == ([], {})


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("how", [("--cone",), ("--no-cone",), ("--cone", "--sparse-index")])
def test_what_a_sparse_checkout_leaves_out_is_told(how):
    patterns = ("/*", "!/clients/one") if "--no-cone" in how else ("clients/two",)
    git("sparse-checkout", "set", *how, *patterns)

    loaded = load("reconciler.yaml")

    assert names(loaded) == ["c"]
    assert loaded.unread == {"shop": ("clients/one/a.yaml", "clients/one/b.yaml")}
    assert left_out(loaded) == [
        "this checkout leaves out 2 of the target's manifests: clients/one/a.yaml, clients/one/b.yaml"
    ]
    git("sparse-checkout", "disable")
    assert load("reconciler.yaml").unread == {}


def test_so_is_a_single_file_whatever_the_index_is_kept_in(repo):
    git("update-index", "--skip-worktree", "clients/one/a.yaml")
    assert load("reconciler.yaml").unread == {}  # it is still there, and read

    (repo / "clients/one/a.yaml").unlink()
    assert load("reconciler.yaml").unread == {"shop": ("clients/one/a.yaml",)}

    git("update-index", "--split-index")
    assert load("reconciler.yaml").unread == {"shop": ("clients/one/a.yaml",)}


def test_a_file_that_was_only_deleted_is_a_removal(repo):
    git("update-index", "--index-version", "4")
    (repo / "clients/one/a.yaml").unlink()

    assert may_lack_files(str(repo))
    assert load("reconciler.yaml").unread == {}


def test_a_worktree_of_its_own_and_a_folder_below_are_asked_for_what_they_lack(repo, monkeypatch):
    git("worktree", "add", "-q", "beside", "-b", "beside")
    git("sparse-checkout", "set", "--cone", "clients/two", at="beside")
    monkeypatch.chdir(repo / "beside/clients")
    # What git sets for a hook means another folder.
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")

    assert load("../reconciler.yaml").unread == {
        "shop": ("clients/one/a.yaml", "clients/one/b.yaml")
    }


def test_a_submodule_that_is_not_checked_out_is_told(repo, shop):
    other = repo / "other"
    other.mkdir()
    git("init", "-q", at=other)
    (other / "x.yaml").write_text(shop("x"))
    git("add", ".", at=other)
    git("commit", "-qm", "x", at=other)
    for place in ("clients/team", "clients/old/team", "docs/team"):
        git("submodule", "add", "-q", str(other), place)
    assert load("reconciler.yaml").unread == {}

    git("submodule", "deinit", "-f", "--all")

    loaded = load("reconciler.yaml")
    assert loaded.unread == {"shop": ("clients/team",)}
    assert left_out(loaded) == [
        "the submodule clients/team is not checked out, so that no manifest in it is read"
    ]
    (repo / "clients/team").rmdir()
    assert load("reconciler.yaml").unread == {"shop": ("clients/team",)}


def test_where_git_does_not_answer_that_is_told_and_nothing_is_proven(repo, monkeypatch, tmp_path):
    git("sparse-checkout", "set", "--cone", "clients/two")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    loaded = load("reconciler.yaml")
    assert loaded.unread == {"shop": ("what the checkout leaves out",)}
    assert "git cannot be run: No such file or directory" in left_out(loaded)[0]

    monkeypatch.setenv("PATH", path)
    (repo / ".git/HEAD").write_text("broken")
    assert "git says: fatal: " in left_out(load("reconciler.yaml"))[0]
