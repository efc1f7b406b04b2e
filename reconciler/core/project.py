"""The project file as values: which targets there are and how each is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.model import Json, JsonObject

# What the object stores call a setting that is no secret.
_STORE_OPTIONS: Final = {"region": "region", "endpoint": "endpoint", "account": "account_name"}
# The longest unit first: "500ms" ends in "s" too.
_UNITS: Final = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))

# The limits of a target that prunes and states none.
_WHEN_PRUNING: Final = {"maxDeletes": 3, "maxChangePercent": 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a value is that must not be in git: an environment variable or a file."""

    kind: Literal["env", "file"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """RFC 6749 section 4.4; `token_url` is None where the provider's own token path serves."""

    client_id: str | Reference
    client_secret: Reference
    token_url: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticToken:
    """A bearer token that somebody else renews."""

    token: Reference


Auth: TypeAlias = ClientCredentials | StaticToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a run may do to clients that exist.

    `adopt`: whether a manifest may take over a foreign client of its name. `prune`: whether a
    client of ours without a manifest is deleted, within `max_deletes` and `max_change_percent` (of
    those that are ours), not while it was used within `keep_used_days`, and after
    `quarantine_days` of being disabled. `on_removal`: "disable" turns it off in place of deleting
    it; "keep" leaves it alone where nothing can be deleted. `override` is `--max-deletes`: for one
    run it stands in for both limits.
    """

    adopt: Literal["never", "unowned"] = "never"
    prune: bool = False
    max_deletes: int | None = None
    max_change_percent: float | None = None
    keep_used_days: int = 30
    quarantine_days: int = 0
    on_removal: Literal["keep", "disable"] = "keep"
    override: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """Where client secrets go; `options` are the sink's own, as the project file states them."""

    kind: str = "file"
    options: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`requests` per `seconds`."""

    requests: int
    seconds: float


# What a write does to make sure that its client is as it was when the write was planned.
ConflictCheck: TypeAlias = Literal["test", "reread", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One server: `provider` is a name, or with a slash a folder relative to the project's.

    `rate_limit` is what the user states, None where the provider's documented one holds; the run
    keeps to `share` of it. Timeouts are in seconds. `endpoints` and `collection` overlay the
    provider's descriptor. `conflict_check` (`guard` in the file) says how a write makes sure that the client is as it was when
    it was planned; None leaves it to the provider's dialect.
    """

    name: str
    provider: str
    base_url: str
    auth: Auth
    manifests: tuple[str, ...]
    policy: Policy = Policy()
    sink: SinkSettings = field(default_factory=SinkSettings)
    rate_limit: RateLimit | None = None
    share: float = 0.5
    ca_bundle: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    collection: str | None = None
    endpoints: JsonObject = field(default_factory=dict)
    conflict_check: ConflictCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project file: `path` as the user typed it, `root` the folder that its paths start from.

    The inventory is in `inventory_directory`, or in the object store at `inventory_url`, opened
    with `inventory_options`; then the folder holds what must not leave this machine.
    """

    path: str
    root: str
    targets: Mapping[str, Target]
    inventory_directory: str = ".reconciler/inventory"
    inventory_url: str | None = None
    inventory_options: Mapping[str, str] = field(default_factory=dict)
    fingerprint_key: Reference | None = None


def seconds(duration: str) -> float:
    """Give the seconds of a duration such as `500ms`, `10s`, `1m`; ValueError for another form."""
    for unit, factor in _UNITS:
        number = duration.removesuffix(unit)
        if number != duration:
            return float(number) * factor
    raise ValueError(duration)


def reference(value: Json) -> Reference | None:
    """Give the reference that `{env: NAME}` or `{file: path}` is, None for anything else."""
    match value:
        case {"env": str(name), **rest} if not rest:
            return Reference(kind="env", name=name)
        case {"file": str(name), **rest} if not rest:
            return Reference(kind="file", name=name)
    return None


def secret_variables(project: Project) -> frozenset[str]:
    """The environment variables that hold what the tool itself logs in with."""
    logins = [
        target.auth.token if isinstance(target.auth, StaticToken) else target.auth.client_secret
        for target in project.targets.values()
    ]
    found = [*logins, *([project.fingerprint_key] if project.fingerprint_key else [])]
    return frozenset(each.name for each in found if each.kind == "env")


def parse(document: JsonObject, *, path: str, root: str) -> Project:
    """Turn a project document, already held valid by `project.schema.json`, into a Project."""
    targets = cast("Mapping[str, JsonObject]", document["targets"])
    inventory = cast("Mapping[str, Any]", document.get("inventory", {}))
    return Project(
        path=path,
        root=root,
        targets={name: _target(name, targets[name]) for name in sorted(targets)},
        inventory_directory=inventory.get("directory", ".reconciler/inventory"),
        inventory_url=inventory.get("url"),
        inventory_options={
            name: inventory[stated]
            for stated, name in _STORE_OPTIONS.items()
            if stated in inventory
        },
        fingerprint_key=reference(document.get("fingerprintKey")),
    )


def _target(name: str, stated: JsonObject) -> Target:
    rate = cast("JsonObject", stated.get("rateLimit", {}))
    timeouts = cast("Mapping[str, str]", stated.get("timeouts", {}))
    return Target(
        name=name,
        provider=cast("str", stated["provider"]),
        base_url=cast("str", stated["baseUrl"]).rstrip("/"),
        auth=_auth(cast("JsonObject", stated["auth"])),
        manifests=tuple(cast("list[str]", stated["manifests"])),
        policy=_policy(cast("JsonObject", stated.get("policy", {}))),
        sink=_sink(cast("JsonObject", stated.get("secrets", {}))),
        rate_limit=_rate_limit(rate),
        share=float(cast("float", rate.get("share", 0.5))),
        ca_bundle=cast("str | None", stated.get("caBundle")),
        connect_timeout=seconds(timeouts.get("connect", "5s")),
        read_timeout=seconds(timeouts.get("read", "30s")),
        collection=cast("str | None", stated.get("collection")),
        endpoints=cast("JsonObject", stated.get("endpoints", {})),
        conflict_check=cast("ConflictCheck | None", stated.get("guard")),
    )


def _auth(stated: JsonObject) -> Auth:
    if "token" in stated:
        return StaticToken(token=_secret(stated["token"]))
    return ClientCredentials(
        client_id=reference(stated["clientId"]) or cast("str", stated["clientId"]),
        client_secret=_secret(stated["clientSecret"]),
        token_url=cast("str | None", stated.get("tokenUrl")),
        scope=cast("str | None", stated.get("scope")),
    )


def _secret(value: Json) -> Reference:
    found = reference(value)
    if found is None:
        raise TypeError("a secret must be a reference: the schema lets nothing else through")
    return found


def _policy(stated: JsonObject) -> Policy:
    prune = cast("bool", stated.get("prune", False))
    usual = _WHEN_PRUNING if prune else {}
    return Policy(
        adopt=cast('Literal["never", "unowned"]', stated.get("adopt", "never")),
        prune=prune,
        max_deletes=cast("int | None", stated.get("maxDeletes", usual.get("maxDeletes"))),
        max_change_percent=cast(
            "float | None", stated.get("maxChangePercent", usual.get("maxChangePercent"))
        ),
        keep_used_days=cast("int", stated.get("keepUsedDays", 30)),
        quarantine_days=cast("int", stated.get("quarantineDays", 0)),
        on_removal=cast('Literal["keep", "disable"]', stated.get("onRemoval", "keep")),
    )


def _sink(stated: JsonObject) -> SinkSettings:
    options = {name: value for name, value in stated.items() if name != "sink"}
    return SinkSettings(kind=cast("str", stated.get("sink", "file")), options=options)


def _rate_limit(stated: JsonObject) -> RateLimit | None:
    if "requests" not in stated:
        return None
    return RateLimit(
        requests=cast("int", stated["requests"]),
        seconds=seconds(cast("str", stated.get("per", "1s"))),
    )
