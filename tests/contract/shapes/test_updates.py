"""Servers that want a change otherwise: as a merge patch (RFC 7396), merged at some depth, with the id, without strangers."""

from __future__ import annotations

import copy
import re

import pytest
from support.shapes import PROPERTIES, WEB, Said, Shape, living

TOKENS = {
    "type": "object",
    "description": "How long tokens live, by kind.",
    "properties": {
        "access": {"type": ["integer", "null"], "description": "In seconds."},
        "refresh": {
            "type": "object",
            "description": "Of refresh tokens.",
            "properties": {
                "idle": {"type": ["integer", "null"], "description": "In seconds."},
                "total": {"type": "integer", "description": "In seconds."},
            },
        },
    },
}
DEEP = {**PROPERTIES, "tokens": TOKENS}
OWN = {**WEB, "tokens": {"access": 60, "refresh": {"idle": 5, "total": 10}}}
MERGE = {"method": "PATCH", "style": "merge-patch"}


def merge(target, patch):
    """`target` as RFC 7396 section 2 makes it."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


class Merging(Shape):
    """RFC 7396, by its own content type."""

    content_type = "application/merge-patch+json"

    def update(self, asked, remote_id):
        if asked.headers["content-type"] != self.content_type:
            return Said(status=415, body={"error": "unsupported"})
        if {"id", "secret", "confidential"} & asked.body.keys():
            return Said(status=422, body={"error": "that cannot be changed"})
        self.clients[remote_id] = self.changed(self.clients[remote_id], asked.body)
        return Said(status=200, body=self.shown(remote_id))

    def changed(self, client, body):
        return merge(client, body)


class Shallow(Merging):
    """Merges the fields of a client, and takes an object as the whole of it."""

    content_type = "application/json"

    def changed(self, client, body):
        return {**client, **copy.deepcopy(body)}


class Strict(Shape):
    """A PUT is the whole client with its id, and nothing that a client does not have; a GET shows more."""

    def update(self, asked, remote_id):
        if asked.body.get("id") != self.clients[remote_id]["id"]:
            return Said(status=400, body={"error": "the id is not that of the path"})
        if "links" in asked.body:
            return Said(status=422, body={"error": "links is no member of a client"})
        return super().update(asked, remote_id)

    def shown(self, remote_id):
        return {**super().shown(remote_id), "links": {"self": f"/clients/{remote_id}"}}


def bodies(shape):
    """The bodies of the changes that were sent, in their order."""
    return [one.body for one in shape.requests if one.method in ("PUT", "PATCH")]


def made(life, shape):
    """A client that git describes, with what somebody else set at every depth beside it."""
    life.state("web", OWN)
    life.apply()
    (client,) = shape.clients.values()
    client["tokens"]["device"] = 7
    client["tokens"]["refresh"]["reuse"] = 3
    client["note"] = "theirs"
    return client


@pytest.mark.parametrize("content_type", ["application/merge-patch+json", "application/json"])
def test_a_merge_patch_has_what_differs_at_any_depth_and_nothing_else(tmp_path, content_type):
    class Server(Merging):
        pass

    Server.content_type = content_type
    shape = Server()
    update = {**MERGE, "contentType": content_type}
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": update}) as life:
        made(life, shape)
        life.state("web", {**OWN, "tokens": {"access": 60, "refresh": {"idle": 6, "total": 10}}})
        life.apply()
        assert bodies(shape) == [{"tokens": {"refresh": {"idle": 6}}}]
        (client,) = shape.clients.values()
        assert client["tokens"] == {
            "access": 60,
            "device": 7,
            "refresh": {"idle": 6, "total": 10, "reuse": 3},
        }
        assert client["note"] == "theirs"
        assert life.is_settled()
        client["tokens"]["refresh"]["total"] = 99
        client["redirect_uris"] = []
        life.apply()
        assert bodies(shape)[1:] == [
            {"redirect_uris": WEB["redirect_uris"], "tokens": {"refresh": {"total": 10}}}
        ]


def test_null_takes_a_member_away_and_a_plan_asks_for_it_once(tmp_path):
    shape = Merging()
    update = {**MERGE, "contentType": "application/merge-patch+json"}
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": update}) as life:
        made(life, shape)
        life.state("web", {**OWN, "tokens": {"access": None, "refresh": {"idle": None}}})
        life.apply()
        assert bodies(shape) == [{"tokens": {"access": None, "refresh": {"idle": None}}}]
        (client,) = shape.clients.values()
        assert client["tokens"] == {"device": 7, "refresh": {"total": 10, "reuse": 3}}
        assert life.is_settled()


@pytest.mark.parametrize("style", ["merge-patch", "put-partial"])
def test_where_only_fields_are_merged_an_object_goes_with_all_that_is_live_in_it(tmp_path, style):
    shape = Shallow()
    update = {"method": "PATCH", "style": style, "merges": "top"}
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": update}) as life:
        client = made(life, shape)
        del client["tokens"]["device"], client["tokens"]["refresh"]["reuse"]
        client["tokens"]["refresh"]["reuse"] = 3
        life.state("web", {**OWN, "tokens": {"access": 61}})
        life.apply()
        assert bodies(shape) == [
            {"tokens": {"access": 61, "refresh": {"idle": 5, "total": 10, "reuse": 3}}}
        ]
        assert life.is_settled()


def test_left_out_the_rest_of_an_object_would_be_lost_and_the_run_says_so(tmp_path):
    shape = Shallow()
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": MERGE}) as life:
        made(life, shape)
        life.state("web", {**OWN, "tokens": {"access": 61}})
        done = life.run("apply", "--auto-approve")
        assert "the server shows no tokens/device, tokens/refresh" in done.output


def test_a_part_that_is_merged_at_every_depth_has_only_what_differs(tmp_path):
    class Server(Merging):
        content_type = "application/json"

    shape = Server()
    update = {"method": "PATCH", "style": "put-partial", "merges": "deep"}
    with living(tmp_path, shape, properties=DEEP, endpoints={"update": update}) as life:
        made(life, shape)
        life.state("web", {**OWN, "tokens": {"access": 61}})
        life.apply()
        assert bodies(shape) == [{"tokens": {"access": 61}}]


STRICT = {"carriesId": True, "unknown": "drop"}


def test_a_put_carries_the_id_and_leaves_out_what_no_schema_describes(tmp_path):
    shape = Strict()
    with living(tmp_path, shape, endpoints={"update": STRICT}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 90})
        life.apply()
        assert bodies(shape) == [{**WEB, "ttl": 90, "id": "c1"}]
        assert life.is_settled()


@pytest.mark.parametrize(
    ("word", "says"), [("carriesId", "the id is not that"), ("unknown", "links is no member")]
)
def test_left_out_either_word_has_every_put_refused(tmp_path, word, says):
    shape = Strict()
    words = {name: value for name, value in STRICT.items() if name != word}
    with living(tmp_path, shape, endpoints={"update": words}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 90})
        done = life.run("apply", "--auto-approve")
        assert done.exit_code != 0
        assert says in done.output


def test_a_number_that_is_an_id_is_carried_as_a_number(tmp_path):
    class Counting(Strict):
        def new_id(self, _body):
            return self.made

    shape = Counting()
    properties = {**PROPERTIES, "id": {**PROPERTIES["id"], "type": "integer"}}
    with living(tmp_path, shape, properties=properties, endpoints={"update": STRICT}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 90})
        life.apply()
        assert bodies(shape)[0]["id"] == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"merges": "deep"}, "`merges` belongs to the styles merge-patch and put-partial"),
        ({**MERGE, "unknown": "drop"}, "`unknown` belongs to style put-full"),
        ({"style": "json-patch", "carriesId": True}, "`carriesId` does not go with style json-pa"),
        ({**MERGE, "always": ["name"]}, "`always` belongs to style put-partial"),
        ({**MERGE, "merges": "all"}, "all"),
    ],
)
def test_what_does_not_go_with_a_style_is_refused_at_its_place(tmp_path, words, problem):
    with living(tmp_path, Shape(), endpoints={"update": words}) as life:
        done = life.run("validate")
        assert done.exit_code != 0
        line = next(one for one in done.output.splitlines() if problem in one)
        assert re.match(r"\S*provider/provider\.yaml:\d+:\d+: error", line)


def test_a_target_may_say_otherwise_how_it_takes_changes(tmp_path):
    shape = Merging()
    shape.content_type = "application/json"
    laid = {"endpoints": {"update": {"method": "PATCH", "style": "merge-patch"}}}
    words = {"unknown": "drop"}
    with living(tmp_path, shape, target=laid, endpoints={"update": words}) as life:
        life.state("web", WEB)
        life.apply()
        life.state("web", {**WEB, "ttl": 90})
        life.apply()
        assert bodies(shape) == [{"ttl": 90}]
