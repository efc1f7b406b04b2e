"""What is true of a member inside a field: order, keys, names in answers, meanings, what cannot or must not be compared."""

from __future__ import annotations

import copy
import json
import re

import pytest
import yaml
from support.shapes import PROPERTIES, WEB, Said, Shape, living


def text(**words):
    return {"type": "string", "description": "A text.", **words}


SETTINGS = {
    "type": "object",
    "description": "The settings.",
    "properties": {
        "origins": {
            "type": "array",
            "description": "Where scripts may call from.",
            "items": text(),
            "x-reconciler": {"set": True},
        },
        "note": {
            "type": ["string", "null"],
            "description": "A note.",
            "x-reconciler": {"equal": [[None, ""]]},
        },
        "seen": {
            "type": "integer",
            "description": "When it was last looked at.",
            "x-reconciler": {"volatile": True},
        },
        "realm": text(**{"x-reconciler": {"immutable": True}}),
        "login": text(**{"x-reconciler": {"readAs": "/pages/login_url"}}),
        "key": {
            "type": "string",
            "description": "A key of its own.",
            "x-reconciler": {"secret": True},
        },
        "mappers": {
            "type": "array",
            "description": "What goes into tokens.",
            "x-reconciler": {"set": True, "compareBy": ["id", "name"]},
            "items": {
                "type": "object",
                "properties": {
                    "id": text(readOnly=True),
                    "name": text(),
                    "kind": text(**{"x-reconciler": {"immutable": True}}),
                    "claims": {
                        "type": "array",
                        "description": "The claims.",
                        "items": text(),
                        "x-reconciler": {"set": True},
                    },
                },
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
DEEP = {**PROPERTIES, "settings": SETTINGS}
STATED = {
    "origins": ["https://b.example.com", "https://a.example.com"],
    "note": None,
    "realm": "main",
    "login": "https://a.example.com/login",
    "mappers": [
        {"name": "mail", "kind": "user", "claims": ["mail", "address"]},
        {"name": "groups", "kind": "list", "claims": ["groups"]},
    ],
}
OWN = {**WEB, "settings": STATED}
STYLES = {
    "put-full": {},
    "put-partial": {"method": "PATCH", "style": "put-partial"},
    "merge-patch": {"method": "PATCH", "style": "merge-patch", "merges": "top"},
}


class Deep(Shape):
    """Sorts, numbers and respells what is inside the settings, and counts who looks."""

    looked = 0

    def shown(self, remote_id):
        client = copy.deepcopy(super().shown(remote_id))
        settings = client.get("settings")
        if settings is not None:
            Deep.looked += 1
            settings |= {"seen": Deep.looked, "theirs": {"kept": True}}
            settings["origins"] = sorted(settings.get("origins", []))
            settings["note"] = settings.get("note") or ""
            login = settings.pop("login", None)
            if login is not None:
                settings["pages"] = {"login_url": login}
            mappers = sorted(settings.get("mappers", []), key=lambda one: one["name"], reverse=True)
            for number, mapper in enumerate(mappers):
                mapper["id"] = mapper.get("id") or f"m{number}-{mapper['name']}"
            settings["mappers"] = mappers
        return client

    def update(self, asked, remote_id):
        live = self.clients[remote_id]
        if asked.method == "PATCH":
            kept = {name: live[name] for name in ("id", "secret", "confidential")}
            self.clients[remote_id] = {**live, **asked.body, **kept}
        else:
            super().update(asked, remote_id)
        return Said(status=200, body=self.shown(remote_id))


def patched(spec, **members):
    return {**spec, "settings": {**spec["settings"], **members}}


def sent(shape):
    return [one.body for one in shape.requests if one.method in ("PUT", "PATCH")]


@pytest.mark.parametrize("style", STYLES)
def test_what_means_the_same_inside_a_field_is_no_difference(tmp_path, style):
    shape = Deep()
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": STYLES[style]}) as life:
        life.state("web", OWN)
        life.apply()
        assert life.is_settled()
        assert life.is_settled()
        assert sent(shape) == []


@pytest.mark.parametrize("style", STYLES)
def test_a_change_is_told_by_its_path_inside_the_field_and_loses_nothing(tmp_path, style):
    shape = Deep()
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": STYLES[style]}) as life:
        life.state("web", OWN)
        life.apply()
        mappers = copy.deepcopy(STATED["mappers"])
        mappers[0]["claims"] = ["mail", "phone"]
        life.state(
            "web",
            patched(OWN, mappers=mappers, origins=[*STATED["origins"], "https://c.example.com"]),
        )
        done = life.run("plan")
        assert '+ /origins: "https://c.example.com"' in done.output
        assert '+ /mappers/mail/claims: "phone"' in done.output
        assert '- /mappers/mail/claims: "address"' in done.output
        assert "/mappers/groups" not in done.output
        life.apply()
        assert life.is_settled()
        (client,) = shape.clients.values()
        assert client["settings"]["theirs"] == {"kept": True}
        assert [one["name"] for one in client["settings"]["mappers"]] == ["groups", "mail"]
        client["settings"]["mappers"][0]["claims"] = []
        client["settings"]["login"] = "https://evil.example.com"
        drift = life.run("plan")
        assert '+ /mappers/groups/claims: "groups"' in drift.output
        assert "/login" in drift.output
        life.apply()
        assert life.is_settled()


def test_what_no_update_can_change_inside_a_field_takes_a_new_client(tmp_path):
    shape = Deep()
    with living(tmp_path, shape, properties=DEEP) as life:
        life.state("web", OWN)
        life.apply()
        mappers = [{**STATED["mappers"][0], "kind": "other"}, STATED["mappers"][1]]
        for changed in ({"realm": "other"}, {"mappers": mappers}):
            life.state("web", patched(OWN, **changed))
            done = life.run("apply", "--auto-approve")
            assert done.exit_code == 3, done.output
            assert "settings" in done.output
            assert sent(shape) == []
        life.state("web", patched(OWN, realm="other"), lifecycle={"allowReplace": True})
        life.apply()
        assert life.is_settled()
        (client,) = shape.clients.values()
        assert client["settings"]["realm"] == "other"
        # A mapper of another kind under a new name is another mapper.
        life.state("web", patched(OWN, realm="other", mappers=[{"name": "new", "kind": "x"}]))
        life.apply()


def test_an_import_states_all_but_what_no_file_may_hold(tmp_path):
    shape = Deep()
    with living(tmp_path, shape, properties=DEEP) as life:
        shape.add(
            {**copy.deepcopy(OWN), "settings": {**copy.deepcopy(STATED), "key": "s3cret-key-1"}}
        )
        done = life.run("import", "mine", "--all")
        assert done.exit_code == 0, done.output
        written = yaml.safe_load((tmp_path / "clients/web.yaml").read_text())["spec"]["settings"]
        assert written.pop("note", "") == ""
        assert written == {
            "origins": sorted(STATED["origins"]),
            "login": STATED["login"],
            "realm": "main",
            "mappers": [
                {"name": "mail", "kind": "user", "claims": ["address", "mail"]},
                {"name": "groups", "kind": "list", "claims": ["groups"]},
            ],
        }
        assert "settings/key" in done.output
        assert life.is_settled()
        assert "s3cret-key-1" not in life.printed


def test_what_a_manifest_may_not_state_is_left_out_alone(tmp_path):
    shape = Deep()
    strict = copy.deepcopy(DEEP)
    strict["settings"]["properties"]["realm"]["enum"] = ["main"]
    with living(tmp_path, shape, properties=strict) as life:
        shape.add(patched(copy.deepcopy(OWN), realm="odd"))
        done = life.run("import", "mine", "--all")
        written = yaml.safe_load((tmp_path / "clients/web.yaml").read_text())["spec"]["settings"]
        assert "realm" not in written
        assert written["login"] == STATED["login"]
        assert "settings/realm" in done.output


@pytest.mark.parametrize("word", ["set", "equal", "volatile", "compareBy", "readAs"])
def test_left_out_any_of_the_words_is_a_difference_for_ever(tmp_path, word):
    without = copy.deepcopy(DEEP)
    parts = without["settings"]["properties"]
    for part in (*parts.values(), *parts["mappers"]["items"]["properties"].values()):
        part.get("x-reconciler", {}).pop(word, None)
    stated = patched(OWN, seen=1) if word == "volatile" else OWN
    with living(tmp_path, Deep(), properties=without) as life:
        life.state("web", stated)
        life.run("apply", "--auto-approve")
        first = life.is_settled()
        life.run("apply", "--auto-approve")
        # A spelling that a server keeps to is learned, so order alone is asked for once.
        assert not first or not life.is_settled() or word in ("set", "equal")


@pytest.mark.parametrize(
    ("member", "words", "problem"),
    [
        ("note", {"imutable": True}, "unknown word `imutable`: did you mean `immutable`?"),
        ("note", {"set": "yes"}, "`set` is true or false"),
        ("mappers", {"compareBy": 3}, "`compareBy` is a list of names"),
        ("note", {"equal": [None]}, "`equal` is a list of groups"),
        ("note", {"readAs": 1}, "`readAs` is a name"),
        ("note", {"clear": {"drop": True}}, "`clear` is"),
    ],
)
@pytest.mark.parametrize("file", ["client", "create", "update"])
def test_a_word_that_does_not_exist_or_fit_is_refused_at_its_place(
    tmp_path, file, member, words, problem
):
    with living(tmp_path, Shape(), properties=DEEP) as life:
        path = tmp_path / f"provider/{file}.schema.json"
        schema = yaml.safe_load(path.read_text())
        schema["properties"]["settings"]["properties"][member]["x-reconciler"] = words
        path.write_text(json.dumps(schema, indent=1))
        done = life.run("validate", "--strict")
        assert done.exit_code != 0
        line = next(one for one in done.output.splitlines() if problem in one)
        where = re.match(rf"\S*provider/{file}\.schema\.json:(\d+):\d+: error", line)
        assert next(iter(words)) in path.read_text().splitlines()[int(where[1]) - 1]


def test_a_secret_in_a_list_that_is_compared_by_value_is_refused(tmp_path):
    properties = copy.deepcopy(DEEP)
    mappers = properties["settings"]["properties"]["mappers"]
    mappers["items"]["properties"]["token"] = text(**{"x-reconciler": {"secret": True}})
    with living(tmp_path, Shape(), properties=properties) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        assert "a secret inside the members of `settings` is not supported" in done.output
