"""One target while a run works on it: its record, its connections and its sink, from plan to apply."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.apply import executor as apply
from reconciler.apply import secrets as delivery
from reconciler.core.errors import InventoryError, ReconcilerError, SinkError
from reconciler.core.model import Secret, Status, TargetPlan
from reconciler.core.project import ClientCredentials, Target, secret_variables
from reconciler.core.secrets import fingerprint_key, reveal
from reconciler.http import live
from reconciler.http.connection import Connection, Credentials, Rate
from reconciler.http.transport import Transport
from reconciler.inventory.file import FileStore
from reconciler.plan.inputs import Situation, ids_to_read
from reconciler.plan.planfile import is_named
from reconciler.plan.planner import plan_target
from reconciler.plan.preconditions import shown
from reconciler.sinks import registry
from reconciler.sinks.contract import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from contextlib import ExitStack

    from reconciler.core.model import Change, Delivery, JsonObject, Manifest, Outcome
    from reconciler.core.project import Project, RateLimit
    from reconciler.inventory.open_inventory import InventoryStore, OpenInventory
    from reconciler.manifests.references import Credentials as Resolved
    from reconciler.provider.model import Provider
    from reconciler.sinks.contract import Sink


# A plan that saw the server longer ago than so many seconds is too old to write a PUT on.
_FRESH: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run is to do with one target, with every reference resolved.

    `others` are the keys of its manifests that the run does not look at, `claimed` the ids that
    they state; `selected` says that a part was asked for.
    """

    project: Project
    target: Target
    provider: Provider
    credentials: Resolved
    manifests: tuple[Manifest, ...]
    others: frozenset[str]
    claimed: frozenset[str] = frozenset()
    selected: bool = False
    log: Callable[[str], None]
    fingerprint_key: Secret | None = None
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The open resources of one target, for what is no plan; `situation` has seen no client yet."""

    session: OpenInventory
    transport: Transport
    sink: Sink
    situation: Situation
    now: Callable[[], str]


class TargetRun:
    """The open resources of one target; a target that cannot be opened or read plans its errors."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._key = fingerprint_key(
            str(reveal(job.fingerprint_key or _credential(job.credentials)))
        )
        self._transport: Transport | None = None
        self._session: OpenInventory | None = None
        self._sink = registry.make_sink(job.target.sink.kind, _sink_setting(job))
        self._read_at = 0.0
        self._ahead: Future[live.ServerList | None] | None = None
        self.deliveries: tuple[Delivery, ...] = ()
        self._plan = TargetPlan(
            target=job.target.name, provider=job.provider.name, base_url=job.target.base_url
        )

    def open(self, stack: ExitStack, *, lock: bool, timeout: float) -> None:
        """Open the record, under its lock if `lock`, and the connections, until `stack` closes."""
        try:
            self.enter(stack, lock=lock, timeout=timeout)
        except ReconcilerError as error:
            self._fail(error)

    def enter(self, stack: ExitStack, *, lock: bool, timeout: float) -> Opened:
        """Open the same, and give it; what goes wrong is raised."""
        session = stack.enter_context(
            store_of(self.job.project).open(self.job.target.name, lock=lock, timeout=timeout)
        )
        self._session = session
        self._transport = transport = stack.enter_context(Transport(_connection(self.job)))
        return Opened(
            session=session,
            transport=transport,
            sink=self._sink,
            situation=self._situation(session),
            now=_now,
        )

    def look_ahead(self, stack: ExitStack) -> None:
        """Begin to read the server's list, if it has one, in a thread that ends before `stack` has closed."""
        if self._transport is None or self.job.provider.list is None:
            return
        stop = threading.Event()
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="ahead"))
        stack.callback(stop.set)
        self._read_at = self.job.monotonic()
        self._ahead = pool.submit(live.read_list, self.job.provider, self._transport, stop)

    def plan(self) -> TargetPlan:
        """Read the server and plan; what goes wrong stands in the plan's errors."""
        if self._session is None or self._transport is None:
            return self._plan
        self._read_at = self._read_at or self.job.monotonic()
        try:
            situation = self._situation(self._session)
            ids = ids_to_read(situation, self.job.manifests)
            ahead = None if self._ahead is None else self._ahead.result()
            seen = live.read_state(self.job.provider, self._transport, ids, ahead)
            self._plan = plan_target(replace(situation, live=seen), self.job.manifests)
            self._plan = replace(
                self._plan, warnings=(*self._plan.warnings, *_waiting(self._session))
            )
            if any(map(_brings_secret, self._plan.changes)):
                self._sink.probe()
        except ReconcilerError as error:
            self._fail(error)
        return self._plan

    def footings(self) -> tuple[JsonObject, ...]:
        """The live values that each change of the plan rests on, as they may be shown."""
        provider = self.job.provider
        entries = {} if self._session is None else self._session.inventory.entries
        return tuple(
            {}
            if change.live is None
            else shown(
                provider,
                change,
                entries[change.key].fingerprints if change.key in entries else {},
                change.live.body,
            )
            for change in self._plan.changes
        )

    def narrow(self, only: Sequence[str]) -> TargetPlan:
        """Keep of the plan what `only` names, as `key` or as `target/key`."""
        changes = self._plan.changes
        kept = tuple(change for change in changes if is_named(change.target, change.key, only))
        self._plan = replace(self._plan, changes=kept)
        return self._plan

    def apply(
        self,
        on_outcome: Callable[[Outcome], None],
        stop: threading.Event,
        failed: threading.Event | None = None,
    ) -> tuple[Outcome, ...]:
        """Send what was planned, and record what came of it.

        First the sink gets the secrets that it did not take before: `deliveries` says how that
        went. Where it refuses one again, nothing is sent that would bring another.
        """
        if self._session is None or self._transport is None:
            return ()
        self.deliveries = delivery.deliver(self._plan.target, self._session, self._sink)
        refused = any(each.status is Status.FAILED for each in self.deliveries)
        outcomes = apply.run(
            delivery.held_back(self._plan, _brings_secret) if refused else self._plan,
            self.job.provider,
            self._transport,
            self._session,
            self._sink,
            workers=self._transport.workers,
            key=self._key,
            now=_now,
            on_outcome=on_outcome,
            stop=stop,
            failed=failed,
            guard=self.job.target.guard,
            aged=lambda: self.job.monotonic() - self._read_at > _FRESH,
        )
        if self.deliveries:
            self._settle_deliveries(self._session)
        return outcomes

    def _settle_deliveries(self, session: OpenInventory) -> None:
        """Note where secrets are of clients that the run has only now bound; a failure was told."""
        with suppress(InventoryError):
            delivery.settle(session, self.deliveries)
            session.flush()

    def _situation(self, session: OpenInventory) -> Situation:
        job = self.job
        client_id = reveal(job.credentials.client_id)
        return Situation(
            target=job.target.name,
            base_url=job.target.base_url,
            provider=job.provider,
            inventory=session.inventory,
            key=self._key,
            guard=job.target.guard,
            policy=job.target.policy,
            own_id=None if client_id is None else str(client_id),
            others=job.others,
            claimed=job.claimed,
            selected=job.selected,
            safe=self._safe(session),
            now=_now(),
        )

    def _safe(self, session: OpenInventory) -> frozenset[str]:
        """The clients of pending creates whose secret got into its sink before the run ended."""
        held: set[str | None] = set()
        for key in session.inventory.pending:
            with suppress(SinkError):
                held.add(self._sink.holder(self.job.target.name, key))
        return frozenset(remote_id for remote_id in held if remote_id is not None)

    def _fail(self, error: ReconcilerError) -> None:
        self._plan = replace(self._plan, errors=(*self._plan.errors, str(error)))


def store_of(project: Project) -> InventoryStore:
    """Where the records of a project's targets are kept."""
    directory = _inside(project, project.inventory_directory)
    if project.inventory_url is None:
        return FileStore(directory)
    from reconciler.inventory.objects import ObjectStore  # noqa: PLC0415 - few need it

    return ObjectStore(project.inventory_url, private=directory, options=project.inventory_options)


def opened(
    jobs: Iterable[Job], stack: ExitStack, *, lock: bool, timeout: float
) -> tuple[TargetRun, ...]:
    """Open a run for each job, until `stack` closes."""
    runs = tuple(map(TargetRun, jobs))
    for run in runs:
        run.open(stack, lock=lock, timeout=timeout)
    return runs


def plan_all(runs: Sequence[TargetRun]) -> tuple[TargetPlan, ...]:
    """Plan the targets side by side; the plans are in their order."""
    with ThreadPoolExecutor(max(1, len(runs)), thread_name_prefix="target") as pool:
        return tuple(pool.map(TargetRun.plan, runs))


def apply_all(
    runs: Sequence[TargetRun],
    on_outcome: Callable[[Outcome], None],
    stop: threading.Event | None,
    *,
    fail_fast: bool = False,
) -> tuple[Outcome, ...]:
    """Apply the plans of the targets side by side; `on_outcome` is called by one thread at a time.

    With `fail_fast` the first failure of any of them stops them all.
    """
    one_at_a_time = threading.Lock()
    halt = stop or threading.Event()
    failed = threading.Event() if fail_fast else None

    def tell(outcome: Outcome) -> None:
        with one_at_a_time:
            on_outcome(outcome)

    with ThreadPoolExecutor(max(1, len(runs)), thread_name_prefix="apply") as pool:
        outcomes = pool.map(lambda run: run.apply(tell, halt, failed), runs)
        return tuple(outcome for each in outcomes for outcome in each)


def _brings_secret(change: Change) -> bool:
    """Whether apply will have a secret to store: of a new client, or of one that it finds again."""
    return change.found == "told" or any(
        request.operation == "create" for request in change.requests
    )


def _waiting(session: OpenInventory) -> Iterator[str]:
    """A word on secrets that wait for their sink, and of which the plan of no client speaks."""
    for spooled in session.spooled_secrets():
        entry = session.entry(spooled.key)
        if entry is not None and (entry.remote_id, entry.secret) == (spooled.client_id, "spooled"):
            continue
        yield f"the secret of {spooled.key} waits in {spooled.path}: apply gives it to its sink first"


def _credential(credentials: Resolved) -> Secret:
    """The secret that the tool logs in with."""
    return credentials.client_secret or credentials.token or Secret("")


def _sink_setting(job: Job) -> Setting:
    """What the sink is made from. No command that it starts learns what the tool logs in with."""
    return Setting(
        target=job.target.name,
        root=job.project.root,
        options=job.target.sink.options,
        withheld=secret_variables(job.project),
    )


def _inside(project: Project, directory: str) -> str:
    return f"{project.root}/{directory}" if not directory.startswith("/") else directory


def _connection(job: Job) -> Connection:
    target, provider = job.target, job.provider
    stated = target.auth if isinstance(target.auth, ClientCredentials) else None
    return Connection(
        target=target.name,
        provider=provider,
        base_url=target.base_url,
        auth=_login(job.credentials),
        token_url=_token_url(target, provider),
        token_scope=(stated.scope if stated else None) or provider.token.scope,
        rate=_rate(target.rate_limit or provider.rate_limit, target.share),
        ca_bundle=None if target.ca_bundle is None else _inside(job.project, target.ca_bundle),
        connect_timeout=target.connect_timeout,
        read_timeout=target.read_timeout,
        log=job.log,
    )


def _login(credentials: Resolved) -> Credentials | Secret:
    if credentials.client_secret is None:
        return _credential(credentials)
    client_id = str(reveal(credentials.client_id))
    return Credentials(client_id=client_id, client_secret=credentials.client_secret)


def _token_url(target: Target, provider: Provider) -> str | None:
    if isinstance(target.auth, ClientCredentials) and target.auth.token_url is not None:
        return target.auth.token_url
    return None if provider.token.path is None else target.base_url + provider.token.path


def _rate(limit: RateLimit | None, share: float) -> Rate | None:
    if limit is None:
        return None
    return Rate(requests=limit.requests, seconds=limit.seconds, share=share)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
