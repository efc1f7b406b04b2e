"""Nothing is read through a link or a `..` that leads out of the project, unless the project file names that place."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.errors import InputError
from reconciler.core.project import ClientCredentials, Reference
from reconciler.manifests import catalog
from reconciler.manifests import project as project_file
from reconciler.manifests.clients import load
from reconciler.manifests.references import credentials, resolve
from reconciler.render.problems import to_json, to_text

CANARY = "canary-of-a-runner"
# What lies on a machine beside a checkout, with a word in it that no output may hold.
FOREIGN = {
    "a password file": f"root:x:0:0:{CANARY}:/root:/bin/bash\n",
    "an environment": f"HOME=/root\0TOKEN={CANARY}\0",
    "broken YAML": f"KEY: x\nTOKEN: {CANARY}: y\n",
    "an INI file": f"[http]\n\textraheader = AUTHORIZATION: basic {CANARY}\n",
    "a mapping": f"{CANARY}: {{{CANARY}: [{CANARY}]}}\n",
    "duplicate keys": f"{CANARY}: 1\n{CANARY}: 2\n",
    "a list": f"- {CANARY}\n",
    "a tag": f"!{CANARY} x\n",
    "an unknown alias": f"*{CANARY}\n",
    "a path of the tool's": f"PWD=/work/reconciler/reconciler\nKIND: {CANARY}: reconciler/v1\n",
    "a checkout's log-in": f"[remote]\n\turl = https://x:{CANARY}@host/reconciler/clients\n",
    "a client of another tool": f"apiVersion: v1\nkind: KeycloakClient\nspec: {{secret: {CANARY}, x: [}}\n",
    "a log-in of a cluster": f"apiVersion: v1\nkind: Config\nusers: [{{token: {CANARY}}}]\nspec: {CANARY}\n",
    "several documents": f"a: 1\n---\n{CANARY}\n",
    "UTF-16": f"{CANARY}: x\n".encode("utf-16"),
    "Latin-1": f"{CANARY}: ".encode() + b"\xe9\n",
    "JSON": f'{{"client_id": "1", "client_secret": "{CANARY}"}}\n',
}


def told(path="reconciler.yaml", files=()):
    """All that `validate` prints of a project, in both formats."""
    problems = load(path, files=files).problems
    return f"{to_text(problems)}{to_json(problems)}"


@pytest.fixture
def outside(tmp_path, write):
    """Write a file beside the project's folder."""
    assert write

    def _write(content, name="outside/there.yaml"):
        data = content if isinstance(content, bytes) else content.encode()
        path = tmp_path.parent / f"{tmp_path.name}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return _write


def link(path, to):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).symlink_to(to)


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_no_word_of_a_file_that_is_no_manifest_is_told(write, content):
    write("clients/shop/notes.yaml", content)

    assert CANARY not in told()
    assert "clients/shop/notes.yaml: error: this is not a manifest" in told()


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_nothing_of_a_file_that_the_user_names_is_told_either(outside, content):
    path = outside(content)

    assert CANARY not in told(files=[str(path)])


# Where a link may stand, and where it may lead: to the file itself, its folder, or one further up.
LINKS = {
    "a file": ("clients/shop/a.yaml", ""),
    "a file deep down": ("clients/shop/team/web/a.yaml", ""),
    "a folder": ("clients/shop/team", "."),
    "a folder above": ("clients/shop/team", ".."),
    "a file of a pattern of one level": ("clients/isc/a.yaml", ""),
    "the folder of a pattern": ("clients/isc", "."),
    "a file that no pattern lists": ("clients/shop/a.yml", ""),
    "a hidden file": ("clients/shop/.a.yaml", ""),
}


@pytest.mark.parametrize(("name", "up"), LINKS.values(), ids=LINKS)
def test_nothing_is_read_through_a_link_that_leads_out(outside, shop, name, up):
    foreign = outside(shop("foreign").replace("Web", CANARY) + f"  {CANARY}: x\n")
    link(name, foreign.parent / up if up else foreign)

    loaded = load("reconciler.yaml")

    assert loaded.manifests == ()
    assert CANARY not in told()
    found = [
        each for each in loaded.problems if "leads out of the project's folder" in each.message
    ]
    assert [each.severity for each in found] == ["error"]
    assert found[0].hint.startswith(("leave it out on purpose", "mend that, or leave it out"))


@pytest.mark.parametrize(
    "pattern",
    ["linked/there.yaml", "linked/*.yaml", "linked/**/*.yaml", "linked/deep/../there.yaml", "[l]inked/there.yaml",
     "{x,linked}/there.yaml", "*/there.yaml", "./linked/there.yaml", "x/../linked/there.yaml", ".linked/*.yaml",
     ".linked/there.yaml", ".linked/**/*"],
)  # fmt: skip
def test_no_pattern_goes_through_a_link_that_leads_out(write, outside, shop, tmp_path, pattern):
    foreign = outside(shop("foreign").replace("Web", CANARY))
    link(".linked" if ".linked" in pattern else "linked", foreign.parent)
    manifests(write, tmp_path, f'"{pattern}"')

    assert load("reconciler.yaml").manifests == ()
    assert "is a link that leads out of the project's folder" in told()
    assert CANARY not in told()


@pytest.mark.parametrize("name", ["linked/there.yaml", "clients/shop/a.yaml"])
def test_no_file_that_the_user_names_is_read_through_a_link_that_leads_out(outside, shop, name):
    foreign = outside(shop("foreign").replace("Web", CANARY))
    link("linked", foreign.parent)
    link("clients/shop/a.yaml", foreign)

    assert load("reconciler.yaml", files=[name]).manifests == ()
    assert f"{name}: error: this file is a link that leads out" in told(files=[name])
    assert CANARY not in told(files=[name])


def test_a_link_to_a_link_is_followed_to_its_end(outside):
    link("shared/here.yaml", outside(FOREIGN["a mapping"]))
    link("clients/shop/a.yaml", Path("shared/here.yaml").absolute())

    assert "clients/shop/a.yaml: error: this file is a link that leads out" in told()


@pytest.mark.parametrize(
    "place",
    [".git/config", ".git/modules/x/config", ".reconciler/secrets/shop/web.json",
     ".reconciler/inventory/.spool/shop@web@1.json"],
)  # fmt: skip
def test_nothing_is_read_through_a_link_to_what_is_private(write, shop, place):
    write(place, shop("private").replace("Web", CANARY))
    link("clients/shop/a.yaml", Path(place).absolute())

    assert load("reconciler.yaml").manifests == ()
    assert "clients/shop/a.yaml: error: this file lies in" in told()
    assert CANARY not in told()


def test_a_link_within_the_project_is_a_manifest(write, shop):
    write("shared/web.yaml", shop("web"))
    link("clients/shop/web.yaml", "../../shared/web.yaml")

    loaded = load("reconciler.yaml")

    assert [each.name for each in loaded.manifests] == ["web"]
    assert {each.severity for each in loaded.problems} == {"warning"}


def test_a_project_in_a_folder_that_a_link_leads_to_is_a_project(write, shop, tmp_path):
    write("real/reconciler.yaml", (tmp_path / "reconciler.yaml").read_bytes())
    write("real/clients/shop/web.yaml", shop("web"))
    write("real/clients/isc/.keep", "")
    link(tmp_path / "linked", "real")

    loaded = load("linked/reconciler.yaml")

    assert [each.name for each in loaded.manifests] == ["web"]


def manifests(write, tmp_path, *patterns):
    text = (tmp_path / "reconciler.yaml").read_text()
    write("reconciler.yaml", text.replace("clients/shop/**/*.yaml", ", ".join(patterns)))


def test_a_pattern_of_the_project_file_names_a_folder_outside(write, outside, shop, tmp_path):
    folder = outside(shop("web")).parent
    link(folder / "escape.yaml", "/etc/hostname")
    manifests(write, tmp_path, f'"../{folder.name}/**/*.yaml"')

    loaded = load("reconciler.yaml")

    assert [each.name for each in loaded.manifests] == ["web"]
    assert "escape.yaml: error: this file is a link that leads out" in told()


@pytest.mark.parametrize(
    "pattern",
    ["../**/*.yaml", "../*.yaml", "../../**/*", "a/../../*.yaml", "../../../../../../../**/*", "../a.yaml",
     "../x/../*.yaml", "{../*,b}.yaml"],
)  # fmt: skip
def test_a_pattern_names_no_folder_that_the_project_lies_in(write, tmp_path, pattern):
    manifests(write, tmp_path, f'"{pattern}"')

    assert "a pattern that leads out of the project's folder names a folder there" in told()


@pytest.mark.parametrize("pattern", [".git/config", ".git/**/*", "x/.git/*", ".GIT/*"])
def test_a_pattern_lists_nothing_of_git(write, tmp_path, pattern):
    write(".git/config", CANARY)
    manifests(write, tmp_path, f'"{pattern}"')

    assert "a folder of git's own holds no manifests" in told()
    assert CANARY not in told()


def test_the_project_file_is_no_link_out_of_its_folder(outside, tmp_path):
    (tmp_path / "reconciler.yaml").unlink()
    link("reconciler.yaml", outside(FOREIGN["a password file"]))

    with pytest.raises(InputError) as caught:
        load("reconciler.yaml")

    (problem,) = caught.value.problems
    assert problem.message.startswith("this is a link that leads out of its folder")
    assert problem.position is None


def test_the_project_file_is_no_link_to_another_kind_of_file(write, tmp_path):
    (tmp_path / "reconciler.yaml").unlink()
    write(".git/config", FOREIGN["an INI file"])
    link("reconciler.yaml", ".git/config")

    with pytest.raises(InputError) as caught:
        load("reconciler.yaml")

    assert CANARY not in to_text(caught.value.problems)


@pytest.mark.parametrize("name", ["provider.yaml", "client.schema.json", "create.schema.json", ""])
def test_a_provider_folder_reads_nothing_through_a_link_that_leads_out(write, outside, name):
    write("vendors/acme/.keep", "")
    foreign = outside(FOREIGN["a mapping"])
    stated = "./vendors/acme" if name else "./vendors/linked"
    link(f"vendors/acme/{name}" if name else "vendors/linked", foreign if name else foreign.parent)

    with pytest.raises(InputError) as caught:
        catalog.entry(stated, ".")

    assert "is a link that leads out of" in to_text(caught.value.problems)
    assert CANARY not in to_text(caught.value.problems)


@pytest.fixture
def referring(write, shop):
    """What a reference in a manifest of the target `shop` is resolved to, and the problems."""
    write("clients/shop/web.yaml", shop("web"))

    def _resolve(path):
        loaded = load("reconciler.yaml")
        (stated,) = loaded.manifests
        stated = replace(stated, spec={**stated.spec, "name": {"file": str(path)}})
        (resolved,), problems = resolve([stated], loaded.providers, loaded.project, {})
        return resolved.spec["name"], problems

    return _resolve


def test_a_reference_leads_to_no_file_outside(outside, referring):
    foreign = outside(CANARY)
    link("inside.txt", foreign)
    link("folder", foreign.parent)
    relative = os.path.relpath(foreign, "clients/shop")

    for path in (
        foreign,
        relative,
        "../../inside.txt",
        "../../folder/there.yaml",
        "/proc/self/environ",
        "../../" * 12 + "etc/hostname",
    ):
        value, (problem,) = referring(path)
        assert value == {"file": str(path)}
        assert "of the project's folder, so it is not read" in problem.message
        assert CANARY not in problem.message


@pytest.mark.parametrize(
    "place", [".git/config", ".reconciler/secrets/other/web.json", ".reconciler/inventory/.spool/x.json"]
)  # fmt: skip
def test_a_reference_leads_to_nothing_private(write, referring, place):
    write(place, CANARY)

    _, (problem,) = referring(f"../../{place}")

    assert f"{place} lies in" in problem.message


def test_a_reference_leads_to_a_file_of_the_project(write, referring, tmp_path):
    write("kept/name.txt", "Web\n")
    link("linked.txt", "kept/name.txt")

    for path in ("../../kept/name.txt", "../../linked.txt", tmp_path / "kept/name.txt"):
        assert referring(path)[1] == []


def test_the_project_file_refers_to_any_file_that_it_names_but_through_no_link(outside):
    foreign = outside("a-secret\n")
    link("inside.txt", foreign)
    project = project_file.load("reconciler.yaml")

    def found(path):
        auth = ClientCredentials(
            client_id="id", client_secret=Reference(kind="file", name=str(path))
        )
        return credentials(project, replace(project.targets["shop"], auth=auth), {})[1]

    assert found(foreign) == found(os.path.relpath(foreign)) == []
    (problem,) = found("inside.txt")
    assert "inside.txt is a link that leads out of the project's folder" in problem.message


def test_a_link_that_nobody_may_read_leads_nowhere(monkeypatch, write, shop):
    write("clients/shop/web.yaml", shop("web"))
    link("clients/shop/a.yaml", "web.yaml")

    def refuse(*_arguments, **_options):
        raise PermissionError

    monkeypatch.setattr(os, "readlink", refuse)

    assert "clients/shop/a.yaml: error: this file is a link that leads out" in told()
