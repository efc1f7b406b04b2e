"""A secret is written where git does not take it: git is asked, and a `.gitignore` is not believed."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler import atomic_files, private_files

CONTENT = b"hunter2-hunter2"
GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@x.example")


def git(*arguments, at):
    done = subprocess.run([*GIT, *arguments], cwd=at, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A checkout, without what the machine's user has git ignore."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    top = tmp_path / "repo"
    top.mkdir()
    git("init", "-q", at=top)
    return top


@pytest.fixture
def secrets(repo):
    folder = repo / "deep/secrets"
    (folder / "shop").mkdir(parents=True)
    return folder


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def store(folder, name="shop/web.json"):
    private_files.write(folder, folder / name, CONTENT)


def taken(repo):
    """What `git add` takes of all that holds the secret."""
    git("add", "-A", at=repo)
    files = git("ls-files", at=repo)
    return [
        name for name in files if (repo / name).is_file() and CONTENT in (repo / name).read_bytes()
    ]


HERE = "deep/secrets"
WEB = f"{HERE}/shop/web.json"
# The files that stand there, by their path in the checkout; of a link, `-> ` and where it leads.
SAFE = {
    "no .gitignore": {},
    "the tool's own": {f"{HERE}/.gitignore": "*\n"},
    "a comment, and itself": {f"{HERE}/.gitignore": "# mine\n*\n!.gitignore\n"},
    "one above": {".gitignore": "deep/secrets/\n"},
    "one above, against one here": {".gitignore": "secrets/\n", f"{HERE}/.gitignore": "!*\n"},
    "the checkout's own list": {".git/info/exclude": "*.json\n", f"{HERE}/.gitignore": ""},
    "one of a target, that cannot take back": {
        f"{HERE}/.gitignore": "*\n", f"{HERE}/shop/.gitignore": "!*\n"
    },
    "a file of another kind that is tracked": {f"{HERE}/README.md": "tracked"},
}  # fmt: skip
TAKEN = {
    "an empty .gitignore": {f"{HERE}/.gitignore": ""},
    "all taken back": {f"{HERE}/.gitignore": "!*\n"},
    "all taken back after all": {f"{HERE}/.gitignore": "*\n!*\n!**/*\n!*/\n"},
    "another ending": {f"{HERE}/.gitignore": "*.age\n"},
    "a comment alone": {f"{HERE}/.gitignore": "# *\n"},
    "a blank before it": {f"{HERE}/.gitignore": " *"},
    "a link to one that says it": {"all": "*\n", f"{HERE}/.gitignore": "-> ../../all"},
    "a link to none": {f"{HERE}/.gitignore": "-> none"},
    "a folder of that name": {f"{HERE}/.gitignore/x": ""},
    "this file alone": {f"{HERE}/.gitignore": "*\n!/shop\n!/shop/web.json\n"},
    "the file is tracked": {WEB: "tracked"},
}  # fmt: skip


def arrange(repo, files):
    for name, content in files.items():
        if content.startswith("-> "):
            (repo / name).symlink_to(content.removeprefix("-> "))
        else:
            put(repo / name, content)
        if content == "tracked":
            git("add", "-f", name, at=repo)


@pytest.mark.parametrize("files", SAFE.values(), ids=SAFE)
def test_a_secret_that_git_ignores_is_written(repo, secrets, files):
    arrange(repo, files)

    private_files.probe(secrets)
    store(secrets)

    assert (secrets / "shop/web.json").read_bytes() == CONTENT
    assert taken(repo) == []


@pytest.mark.parametrize("files", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_secret_that_git_would_take_is_refused_before_and_when_it_is_written(
    repo, secrets, files, is_gone
):
    arrange(repo, files)
    if is_gone:
        # Git takes again what it had, though the file is not here.
        (repo / WEB).unlink(missing_ok=True)

    for act in (private_files.probe, store):
        with pytest.raises(PermissionError):
            act(secrets)

    assert taken(repo) == []


def test_rules_for_some_names_are_refused_before_there_is_a_secret(secrets):
    put(secrets / ".gitignore", "*\n!shop/\n!shop/payments*\n")

    with pytest.raises(PermissionError, match="lets git take some files"):
        private_files.probe(secrets)


def test_the_file_of_another_client_that_git_has_is_told_before_there_is_a_secret(repo, secrets):
    put(secrets / "shop/old.json", "x")
    git("add", "-f", "deep/secrets/shop/old.json", at=repo)

    with pytest.raises(
        PermissionError, match=r"git has deep/secrets/shop/old\.json in it: take it out"
    ):
        private_files.probe(secrets)


def test_what_names_mean_something_to_git_is_asked_as_it_is(repo):
    folder = repo / "a [b]*"
    (folder / "shop").mkdir(parents=True)
    put(folder / ".gitignore", "")

    with pytest.raises(PermissionError):
        store(folder, "shop/:(top)é \n.json")


def test_without_a_checkout_nobody_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "shop").mkdir()
    put(tmp_path / ".gitignore", "")

    private_files.probe(tmp_path)
    store(tmp_path)

    assert (tmp_path / "shop/web.json").read_bytes() == CONTENT


def test_what_is_in_a_folder_of_gits_own_is_taken_by_nobody(repo):
    folder = repo / ".git/secrets"
    put(folder / ".gitignore", "")
    (folder / "shop").mkdir()

    private_files.probe(folder)
    store(folder)

    assert taken(repo) == []


def test_a_folder_that_is_not_there_yet_is_proven_and_not_made(repo):
    private_files.probe(repo / "not/there/yet")

    assert not (repo / "not").exists()


@pytest.mark.parametrize("how", ["no git", "a checkout that git refuses"])
def test_where_git_does_not_answer_only_our_own_word_is_believed(repo, secrets, monkeypatch, how):
    if how == "no git":
        monkeypatch.setenv("PATH", "")
    else:
        (repo / ".git/HEAD").write_text("broken")

    private_files.probe(secrets)
    store(secrets)
    (secrets / ".gitignore").write_text("*\n# and more\n")

    for act in (private_files.probe, store):
        with pytest.raises(PermissionError, match="git would perhaps take"):
            act(secrets)
    (secrets / ".gitignore").unlink()
    (secrets / ".gitignore").symlink_to("none")
    with pytest.raises(PermissionError, match="git would perhaps take"):
        store(secrets)


def test_a_checkout_inside_of_another_is_the_one_that_counts(repo, secrets):
    put(repo / ".gitignore", "deep/\n")
    git("init", "-q", at=secrets)
    put(secrets / ".gitignore", "")

    with pytest.raises(PermissionError):
        store(secrets)


def test_a_link_on_the_way_is_followed_before_git_is_asked(secrets, tmp_path):
    put(secrets / ".gitignore", "")
    (tmp_path / "linked").symlink_to(secrets)

    with pytest.raises(PermissionError):
        store(tmp_path / "linked")


def test_threads_that_write_their_first_secret_at_once_all_may(tmp_path):
    """The `.gitignore` is whole from the start: one that is empty for a moment lets git take a file."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    folder = tmp_path / "secrets"
    folder.mkdir()
    ready, seen = threading.Barrier(8), []

    def write(number):
        ready.wait()
        atomic_files.keep_out_of_git(folder)
        seen.append((folder / ".gitignore").read_bytes())
        private_files.write(folder, folder / f"{number}.json", b"{}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert set(seen) == {b"*\n"}
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        *(f"{number}.json" for number in range(8)),
    ]
