"""The schemas of the files that users and the tool write."""

import copy
import json

import pytest
import yaml
from support.vendors import SCHEMAS

from reconciler.validation.validator import Validator

PROJECT = {
    "apiVersion": "reconciler/v1",
    "kind": "Project",
    "targets": {
        "shop-prod": {
            "provider": "provident",
            "baseUrl": "https://api.provident.ae/v2",
            "auth": {"clientId": {"env": "SHOP_ID"}, "clientSecret": {"env": "SHOP_SECRET"}},
            "manifests": ["clients/shop/**/*.yaml"],
            "policy": {"adopt": "unowned", "prune": True, "maxDeletes": 3, "maxChangePercent": 30},
            "secrets": {"sink": "file", "directory": ".reconciler/secrets"},
            "rateLimit": {"requests": 100, "per": "10s", "share": 0.5},
            "timeouts": {"connect": "500ms", "read": "1m"},
            "guard": "reread",
            "endpoints": {"list": {"path": "", "item": "/items"}, "delete": {}},
        },
        "login": {
            "provider": "./providers/mine",
            "baseUrl": "http://127.0.0.1:8080/api",
            "auth": {"token": {"file": "token.txt"}},
            "manifests": ["clients/login/*.yaml"],
            "rateLimit": {"share": 1},
        },
    },
    "inventory": {"store": "file", "directory": ".reconciler/inventory"},
    "fingerprintKey": {"env": "FINGERPRINT_KEY"},
}
CHANGE = {
    "key": "web",
    "action": "update",
    "reason": "2 fields differ",
    "id": "c-1",
    "source": {"path": "clients/web.yaml", "document": 0},
    "fields": [
        {
            "field": "clientSecret",
            "pointer": "/clientSecret",
            "before": {"$secret": "hmac:1f3a9c04d2e1"},
            "origin": None,
            "added": [],
            "removed": [],
            "nested": [{"pointer": "/0", "after": None}],
        }
    ],
    "requests": [
        {
            "operation": "update",
            "method": "PUT",
            "path": "/oauth2/clients/c-1",
            "contentType": "application/json",
            "body": {"name": "web"},
        }
    ],
    "refusal": {"rule": "replace-not-allowed", "message": "..."},
    "warnings": ["..."],
}
DIGEST = "sha256:" + "0" * 64
SAVED = {"live": {"name": "web"}, "digest": DIGEST}
TOOL = {"name": "reconciler", "version": "0.1.0"}
COUNTS = ("create", "update", "replace", "delete", "adopt", "move", "noop", "refused", "errors")
DOCUMENTS = {
    "project": PROJECT,
    "plan": {
        "formatVersion": 1,
        "tool": TOOL,
        "summary": dict.fromkeys(COUNTS, 0),
        "selection": {"targets": ["shop"], "select": ["team=web"]},
        "digest": DIGEST,
        "targets": [
            {
                "target": "shop",
                "provider": "provident",
                "baseUrl": "https://api.provident.ae/v2",
                "changes": [
                    CHANGE | SAVED,
                    {**CHANGE, "refusal": None, "source": None, "id": None},
                ],
                "warnings": [],
                "refusals": [{"rule": "too-many-deletes", "message": "..."}],
                "errors": ["..."],
            }
        ],
    },
    "receipt": {
        "formatVersion": 1,
        "tool": TOOL,
        "plan": {"digest": DIGEST, "file": "plan.json"},
        "commit": "0" * 40,
        "actor": "kim",
        "startedAt": "2026-01-02T03:04:05Z",
        "endedAt": None,
        "exitCode": 5,
        "changes": [
            {
                "target": "shop",
                "key": "web",
                "action": "update",
                "status": "failed",
                "id": "c-1",
                "message": "shop/web: PUT was answered with 422",
                "requestsSent": 1,
                "requestIds": ["7f3a"],
                "before": "hmac:1f3a9c04d2e1",
                "after": None,
            }
        ],
    },
    "report": {
        "formatVersion": 1,
        "tool": TOOL,
        "summary": dict.fromkeys(("done", "failed", "skipped", "unknown"), 0),
        "deliveries": [
            {
                "target": "shop",
                "key": "web",
                "id": "c-1",
                "status": "done",
                "file": ".reconciler/inventory/.spool/shop@web@c-1.json",
                "secretLocation": ".reconciler/secrets/shop/web.json",
                "message": "",
            }
        ],
        "outcomes": [
            {
                "target": "shop",
                "key": "web",
                "action": "create",
                "status": "done",
                "id": None,
                "message": "",
                "serverChanged": CHANGE["fields"],
                "secretLocation": "",
                "requestsSent": 2,
            }
        ],
    },
    "inventory": {
        "apiVersion": "reconciler/v1",
        "kind": "Inventory",
        "target": "shop",
        "clients": {
            "web": {
                "id": "c-1",
                "applied": {"name": "web"},
                "fingerprints": {"secret": "hmac:1f3a9c04d2e1"},
                "appliedAt": "2026-01-02T03:04:05Z",
                "digest": "sha256:00",
                "superseded": ["c-0"],
            }
        },
    },
}


def validator(name):
    return Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_with_every_member_is_valid(name):
    assert validator(name).problems(DOCUMENTS[name]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_member_that_nobody_knows_is_refused(name):
    assert not validator(name).accepts({**DOCUMENTS[name], "more": 1})


def of_target(**changes):
    project = copy.deepcopy(PROJECT)
    project["targets"]["shop-prod"] |= changes
    return [
        (problem.pointer.removeprefix("/targets/shop-prod"), problem.message)
        for problem in validator("project").problems(project)
    ]


@pytest.mark.parametrize(
    "address",
    [
        *("HTTPS://api.example.com", "https://API.example.com:443/v2", "Http://LocalHost:1/a"),
        *("HTTP://127.0.0.1:1", "http://[::1]:1/a"),
    ],
)
def test_an_address_is_taken_however_its_scheme_and_host_are_spelled(address):
    """RFC 3986, section 6.2.2.1."""
    assert of_target(baseUrl=address) == []


SECRET = "a reference belongs here, never the value itself"
HTTPS = "an https address is wanted, without query and user; http is for loopback hosts only"
ADDRESS = (
    "an https address is wanted, without query and user; http is for loopback hosts only, "
    "unless the target says `allowHttp: true`"
)


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"baseUrl": "http://api.example.com"}, "/baseUrl", ADDRESS),
        ({"baseUrl": "https://user:pass@api.example.com"}, "/baseUrl", ADDRESS),
        ({"baseUrl": "http://127.0.0.1.example.com"}, "/baseUrl", ADDRESS),
        ({"baseUrl": "http://[fd00::1]:4000"}, "/baseUrl", ADDRESS),
        ({"baseUrl": "http://boruta:4000", "allowHttp": False}, "/baseUrl", ADDRESS),
        ({"baseUrl": "ftp://boruta:4000", "allowHttp": True}, "/baseUrl", ADDRESS),
        ({"baseUrl": "http://u:p@boruta:4000", "allowHttp": True}, "/baseUrl", ADDRESS),
        ({"auth": {"token": "plain"}}, "/auth/token", SECRET),
        ({"auth": {"clientId": "a", "clientSecret": "b"}}, "/auth/clientSecret", SECRET),
        ({"auth": {"clientId": "a"}}, "/auth", "`clientSecret` is missing"),
        (
            {"auth": {"token": {"env": "T"}, "scope": "s"}},
            "/auth/scope",
            "`token` stands alone: client credentials are the other way to log in",
        ),
        (
            {"policy": {"adopt": "byName"}},
            "/policy/adopt",
            'the text "byName" is not one of never, unowned',
        ),
        (
            {"policy": {"onRemoval": "disable"}},
            "/policy",
            "`onRemoval: disable` takes away clients without a manifest, and that takes `prune: true`",
        ),
        ({"rateLimit": {"requests": 1}}, "/rateLimit", "`requests` needs `per` beside it"),
        (
            {"timeouts": {"read": "0s"}},
            "/timeouts/read",
            "a duration is a whole number and a unit: 500ms, 10s, 1m",
        ),
        ({"manifests": []}, "/manifests", "must not be empty"),
        (
            {"endpoints": {"list": {"pagination": {"style": "none", "firstPage": 1}}}},
            "/endpoints/list/pagination/firstPage",
            "paging by `none` does not take this member",
        ),
        (
            {"endpoints": {"update": {"always": ["name"], "style": "put-full"}}},
            "/endpoints/update/style",
            "`always` belongs to style put-partial",
        ),
    ],
)
def test_a_target_is_refused_for_what_would_not_be_safe(changes, pointer, message):
    assert of_target(**changes) == [(pointer, message)]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080",
        "http://[::1]:1/api",
        "https://login.example.com/api",
        "https://[2001:db8::1]",
    ],
)
def test_an_address_that_is_safe_is_taken(address):
    assert of_target(baseUrl=address) == []


def test_a_targets_name_has_to_do_as_a_file_name():
    project = {**PROJECT, "targets": {"../etc": PROJECT["targets"]["login"]}}

    (problem,) = validator("project").problems(project)

    assert (problem.pointer, problem.at_key) == ("/targets/..~1etc", True)
    assert problem.message.startswith("a target's name is 1 to 63 small letters")


DESCRIPTOR = yaml.safe_load((SCHEMAS / "sailpoint" / "provider.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("members", "pointer", "message"),
    [
        ({"example": {"baseUrl": "http://api.example.com"}}, "/example/baseUrl", HTTPS),
        ({"example": {"tokenUrl": "api.example.com"}}, "/example/tokenUrl", HTTPS),
        (
            {"example": {"default": "yes"}},
            "/example/default",
            'expected true or false, found the text "yes"',
        ),
        (
            {"requestIdHeader": "X-Request-Id"},
            "/requestIdHeader",
            "a header's name is small letters, digits and -",
        ),
    ],
)
def test_a_descriptor_is_refused_for_what_could_not_be_used(members, pointer, message):
    (problem,) = validator("provider").problems({**DESCRIPTOR, **members})

    assert (problem.pointer, problem.message) == (pointer, message)
