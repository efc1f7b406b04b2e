import pytest

from reconciler.core.project import (
    ClientCredentials,
    Policy,
    Project,
    RateLimit,
    Reference,
    SinkSettings,
    StaticToken,
    Target,
    parse,
    reference,
    seconds,
)


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 0.5), ("10s", 10.0), ("1m", 60.0), ("2h", 7200.0)]
)
def test_a_duration_is_a_number_of_seconds(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["10", "", "1w", "ten"])
def test_another_form_is_no_duration(text):
    with pytest.raises(ValueError, match=text or "$"):
        seconds(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"env": "NAME"}, Reference(kind="env", name="NAME")),
        ({"file": "a/b"}, Reference(kind="file", name="a/b")),
        ({"env": "NAME", "file": "a"}, None),
        ({"env": 1}, None),
        ({"vault": "a"}, None),
        ({}, None),
        ("env", None),
        (None, None),
    ],
)
def test_a_reference_has_one_of_two_forms(value, expected):
    assert reference(value) == expected


def test_a_short_project_has_defaults_that_are_safe():
    document = {
        "targets": {
            "shop": {
                "provider": "provident",
                "baseUrl": "https://api.example.com/v2/",
                "auth": {"token": {"env": "TOKEN"}},
                "manifests": ["clients/*.yaml"],
            }
        }
    }

    project = parse(document, path="repo/reconciler.yaml", root="repo")

    assert project == Project(
        path="repo/reconciler.yaml",
        root="repo",
        targets={
            "shop": Target(
                name="shop",
                provider="provident",
                base_url="https://api.example.com/v2",
                auth=StaticToken(token=Reference(kind="env", name="TOKEN")),
                manifests=("clients/*.yaml",),
                policy=Policy(max_deletes=None, max_change_percent=None),
                sink=SinkSettings(kind="file", options={}),
                rate_limit=None,
                share=0.5,
                ca_bundle=None,
                connect_timeout=5.0,
                read_timeout=30.0,
                collection=None,
                endpoints={},
            )
        },
        inventory_directory=".reconciler/inventory",
    )


def test_everything_that_a_project_states_is_kept():
    stated = {
        "provider": "./mine",
        "baseUrl": "https://api.example.com",
        "auth": {
            "clientId": {"env": "ID"},
            "clientSecret": {"file": "secret"},
            "tokenUrl": "https://login.example.com/token",
            "scope": "clients:manage:all",
        },
        "manifests": ["b/*.yaml", "a.yaml"],
        "policy": {"maxDeletes": 3, "maxChangePercent": 30},
        "secrets": {"sink": "file", "directory": "private"},
        "rateLimit": {"requests": 100, "per": "10s", "share": 1},
        "caBundle": "ca.pem",
        "timeouts": {"connect": "500ms", "read": "1m"},
        "collection": "/v3/oauth-clients",
        "endpoints": {"list": {"path": ""}},
    }

    project = parse(
        {"targets": {"z": stated, "a": stated}, "inventory": {"directory": "kept"}},
        path="reconciler.yaml",
        root=".",
    )

    assert list(project.targets) == ["a", "z"]
    assert project.inventory_directory == "kept"
    target = project.targets["z"]
    assert target.auth == ClientCredentials(
        client_id=Reference(kind="env", name="ID"),
        client_secret=Reference(kind="file", name="secret"),
        token_url="https://login.example.com/token",
        scope="clients:manage:all",
    )
    assert (target.manifests, target.provider) == (("b/*.yaml", "a.yaml"), "./mine")
    assert target.policy == Policy(max_deletes=3, max_change_percent=30)
    assert target.sink == SinkSettings(kind="file", options={"directory": "private"})
    assert (target.rate_limit, target.share) == (RateLimit(requests=100, seconds=10.0), 1.0)
    assert (target.ca_bundle, target.connect_timeout, target.read_timeout) == ("ca.pem", 0.5, 60.0)
    assert (target.collection, target.endpoints) == ("/v3/oauth-clients", {"list": {"path": ""}})


POLICIES = [
    ({}, Policy()),
    ({"prune": True}, Policy(prune=True, max_deletes=3, max_change_percent=30)),
    (
        {"prune": True, "maxDeletes": 0, "maxChangePercent": 100},
        Policy(prune=True, max_deletes=0, max_change_percent=100),
    ),
    (
        {
            "adopt": "unowned",
            "prune": True,
            "keepUsedDays": 0,
            "quarantineDays": 7,
            "onRemoval": "disable",
        },
        Policy(
            adopt="unowned",
            prune=True,
            max_deletes=3,
            max_change_percent=30,
            keep_used_days=0,
            quarantine_days=7,
            on_removal="disable",
        ),
    ),
]


@pytest.mark.parametrize(("stated", "expected"), POLICIES)
def test_a_target_that_prunes_has_limits_whether_it_states_them_or_not(stated, expected):
    target = {
        "provider": "boruta",
        "baseUrl": "https://id.example.com",
        "auth": {"token": {"env": "TOKEN"}},
        "manifests": ["*.yaml"],
        "policy": stated,
    }

    project = parse({"targets": {"shop": target}}, path="reconciler.yaml", root=".")

    assert project.targets["shop"].policy == expected


def test_a_share_can_be_stated_without_another_limit():
    stated = {
        "provider": "sailpoint",
        "baseUrl": "https://api.example.com",
        "auth": {"clientId": "reconciler", "clientSecret": {"env": "SECRET"}},
        "manifests": ["a.yaml"],
        "rateLimit": {"share": 0.1},
    }

    target = parse({"targets": {"a": stated}}, path="reconciler.yaml", root=".").targets["a"]

    assert (target.rate_limit, target.share) == (None, 0.1)
    assert target.auth.client_id == "reconciler"


def test_a_literal_secret_never_becomes_a_value_of_the_project():
    stated = {
        "provider": "provident",
        "baseUrl": "https://api.example.com",
        "auth": {"token": "hunter2"},
        "manifests": ["a.yaml"],
    }

    with pytest.raises(TypeError) as caught:
        parse({"targets": {"a": stated}}, path="reconciler.yaml", root=".")

    assert "hunter2" not in str(caught.value)
