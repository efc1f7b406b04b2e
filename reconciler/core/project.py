"""The project file as values: which targets there are and how each is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from reconciler.core.dataclass import dataclass, field
from reconciler.core.decode import decoder
from reconciler.core.model import EMPTY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.decode import Accepted
    from reconciler.core.model import Json, JsonObject

# What the object stores call a setting that is no secret.
_STORE_OPTIONS: Final = {"region": "region", "endpoint": "endpoint", "account": "account_name"}
# The longest unit first: "500ms" ends in "s" too.
_UNITS: Final = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0))

# The limits of a target that prunes and states none.
_WHEN_PRUNING: Final = {"maxDeletes": 3, "maxChangePercent": 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a value is that must not be in git: an environment variable or a file."""

    kind: Literal["env", "file"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """RFC 6749 section 4.4; `token_url` is None where the provider's own token path serves.

    The client proves itself by its secret, or signs an assertion (RFC 7523) with its private key,
    whose `key_id` and `algorithm` (RFC 7518) go along where they are stated. `parameters` go into
    each token request.
    """

    client_id: str | Reference
    client_secret: Reference | None = None
    private_key: Reference | None = None
    key_id: str | None = None
    algorithm: str | None = None
    token_url: str | None = None
    scope: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> dict[str, Reference]:
        """What the log-in rests on, by the name of its member."""
        stated = {"clientSecret": self.client_secret, "privateKey": self.private_key}
        return {name: each for name, each in stated.items() if each is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticToken:
    """A token that somebody else renews."""

    token: Reference

    @property
    def secrets(self) -> dict[str, Reference]:
        """What the log-in rests on, by the name of its member."""
        return {"token": self.token}


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A user of the server, as HTTP Basic has it (RFC 7617)."""

    username: str | Reference
    password: Reference

    @property
    def secrets(self) -> dict[str, Reference]:
        """What the log-in rests on, by the name of its member."""
        return {"password": self.password}


@dataclass(frozen=True, slots=True)
class NoAuth:
    """The server asks nobody who they are."""

    @property
    def secrets(self) -> dict[str, Reference]:
        """Nothing."""
        return {}


Auth: TypeAlias = ClientCredentials | StaticToken | Password | NoAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a run may do to clients that exist.

    `adopt`: whether a manifest may take over an unowned client of its name. `prune`: whether a
    client of ours without a manifest is deleted, within `max_deletes` and `max_change_percent` (of
    those that are ours), not while it was used within `keep_used_days`, and after
    `quarantine_days` of being disabled. `on_removal`: "disable" turns it off in place of deleting
    it; "keep" leaves it alone where nothing can be deleted. `refused`: whether what a guard refuses
    of one client stops the whole apply or is skipped; None skips where drift alone is the cause.
    `replace_grace` is how long a replaced client lives on beside its successor, in seconds, None
    where that is not stated. `override` is `--max-deletes`: for one
    run it stands in for both limits.
    """

    adopt: Literal["never", "unowned"] = "never"
    prune: bool = False
    max_deletes: int | None = None
    max_change_percent: float | None = None
    keep_used_days: int = 30
    quarantine_days: int = 0
    on_removal: Literal["keep", "disable"] = "keep"
    refused: Literal["stop", "skip"] | None = None
    replace_grace: float | None = None
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
    keeps to `share` of it. `concurrency` is how many requests may be in flight at once, None where
    the provider says it. Timeouts are in seconds. `endpoints` and `collection` overlay the
    provider's descriptor. `conflict_check` (`guard` in the file) says how a write makes sure
    that the client is as it was when it was planned; None leaves it to the provider's dialect.
    `allow_http`: whether its addresses may be plain HTTP to a host that is not loopback.
    `formerly` are the names that the target had before, and the addresses (with `://` in them).
    `is_issuer` says that `base_url` is an issuer, whose published metadata name the endpoint.
    `allowed_env` and `allowed_files` are the variables and files that its manifests may refer to, as
    patterns in which `*` is any text; None for all that a manifest may read.
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
    formerly: tuple[str, ...] = ()
    allowed_env: tuple[str, ...] | None = None
    allowed_files: tuple[str, ...] | None = None
    concurrency: int | None = None
    allow_http: bool = False
    is_issuer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project file: `path` as the user typed it, or of a copy, `root` the folder that its paths start from.

    The inventory is in `inventory_directory`, or in the object store at `inventory_url`, opened
    with `inventory_options`; then the folder holds what must not leave this machine. `spool` is
    another folder for the secrets that their sink would not take. Saved plans are signed with what
    `plan_key` refers to.
    """

    path: str
    root: str
    targets: Mapping[str, Target]
    inventory_directory: str = ".reconciler/inventory"
    inventory_url: str | None = None
    inventory_options: Mapping[str, str] = field(default_factory=dict)
    spool: str | None = None
    fingerprint_key: Reference | None = None
    plan_key: Reference | None = None

    @property
    def credentials(self) -> Mapping[str, Reference]:
        """What the tool itself logs in and signs with, by where the project file states it."""
        stated = {"fingerprintKey": self.fingerprint_key, "planKey": self.plan_key}
        for target in self.targets.values():
            for member, each in target.auth.secrets.items():
                stated[f"targets.{target.name}.auth.{member}"] = each
        return {at: each for at, each in stated.items() if each is not None}

    @property
    def folder(self) -> str:
        """The folder that stands in front of a path of the project as a user would type it, "" for this one."""
        return "" if self.root == "." else self.root


def seconds(duration: str) -> float:
    """Give the seconds of a duration such as `500ms`, `10s`, `24h`; ValueError for another form."""
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
    return frozenset(each.name for each in project.credentials.values() if each.kind == "env")


def parse(document: Accepted, *, path: str, root: str) -> Project:
    """The Project that a document states which `project.schema.json` has accepted."""
    inventory = document.get("inventory", {})
    options = {
        name: inventory[stated] for stated, name in _STORE_OPTIONS.items() if stated in inventory
    }
    return _PROJECT(
        {**document, **inventory, "path": path, "root": root, "inventoryOptions": options}
    )


def _targets(stated: Mapping[str, Accepted]) -> dict[str, Target]:
    return {name: _target(name, stated[name]) for name in sorted(stated)}


def _target(name: str, stated: Accepted) -> Target:
    # `share`, `connect` and `read` are members of these, and fields of the target.
    nested = {**stated.get("rateLimit", {}), **stated.get("timeouts", {})}
    issuer = {"baseUrl": stated["issuer"], "isIssuer": True} if "issuer" in stated else EMPTY
    return _TARGET({**nested, **stated, **issuer, "name": name})


def _auth(stated: Accepted | Literal["none"]) -> Auth:
    if stated == "none":
        return NoAuth()
    if "token" in stated:
        return _TOKEN(stated)
    return _PASSWORD(stated) if "password" in stated else _CLIENT_CREDENTIALS(stated)


def _secret(value: Json) -> Reference:
    found = reference(value)
    if found is None:
        raise TypeError("a secret must be a reference: the schema lets nothing else through")
    return found


def _policy(stated: Accepted) -> Policy:
    return _POLICY({**(_WHEN_PRUNING if stated.get("prune") else EMPTY), **stated})


def _sink(stated: Accepted) -> SinkSettings:
    options = {name: value for name, value in stated.items() if name != "sink"}
    return _SINK({**stated, "options": options})


def _rate_limit(stated: Accepted) -> RateLimit | None:
    return RATE_LIMIT(stated) if "requests" in stated else None


def _texts(stated: Json) -> tuple[str, ...]:
    return tuple(map(str, stated)) if isinstance(stated, list) else (str(stated),)


def _base_url(stated: str) -> str:
    return stated.rstrip("/")


RATE_LIMIT: Final = decoder(RateLimit, names={"seconds": "per"}, seconds=seconds)
_TOKEN: Final = decoder(StaticToken, token=_secret)
_PASSWORD: Final = decoder(
    Password, username=lambda stated: reference(stated) or stated, password=_secret
)
_CLIENT_CREDENTIALS: Final = decoder(
    ClientCredentials,
    client_id=lambda stated: reference(stated) or stated,
    client_secret=_secret,
    private_key=_secret,
    parameters=dict,
)
_POLICY: Final = decoder(Policy, replace_grace=seconds)
_SINK: Final = decoder(SinkSettings, names={"kind": "sink"})
_TARGET: Final = decoder(
    Target,
    names={
        "sink": "secrets",
        "connect_timeout": "connect",
        "read_timeout": "read",
        "conflict_check": "guard",
    },
    base_url=_base_url,
    auth=_auth,
    manifests=tuple,
    formerly=_texts,
    allowed_env=tuple,
    allowed_files=tuple,
    policy=_policy,
    sink=_sink,
    rate_limit=_rate_limit,
    share=float,
    connect_timeout=seconds,
    read_timeout=seconds,
)
_PROJECT: Final = decoder(
    Project,
    names={"inventory_directory": "directory", "inventory_url": "url"},
    targets=_targets,
    fingerprint_key=reference,
    plan_key=reference,
)
