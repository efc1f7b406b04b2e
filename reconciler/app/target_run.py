"""One target while a run works on it: opened, planned, and carried out."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.app.connection import connection_to, sink_setting, store_of
from reconciler.app.context import one_line, refuse_errors
from reconciler.app.history.git_record import with_marks
from reconciler.app.records import Records, server_of
from reconciler.app.registrations import open_grants
from reconciler.app.secret_places import find_secrets, probe_spool, warn_of_secrets
from reconciler.apply.context import OpenTarget, StopSignal
from reconciler.apply.executor import carry_out
from reconciler.apply.secrets import deliver_spooled, record_delivered, refuse_new_secrets
from reconciler.core.changes import Status, TargetPlan
from reconciler.core.errors import InventoryError, ReconcilerError
from reconciler.core.project import ClientCredentials
from reconciler.core.secrets import fingerprint_key, reveal
from reconciler.http.live import read_list, read_names, read_state
from reconciler.http.registration.discovery import discover
from reconciler.http.transport import Transport
from reconciler.plan.context import NO_MANIFESTS, TargetContext, ids_to_read, rests_on_absence
from reconciler.plan.fields.known import lists_to_read, warn_of_unknown_names
from reconciler.plan.moves.moves import plan_moves
from reconciler.plan.planner import plan_target
from reconciler.plan.preconditions import showable_values
from reconciler.plan.record.standing import tell_edited
from reconciler.plan.secrets.places import brings_secret
from reconciler.plan.warnings import warn_of_plain_http
from reconciler.sinks import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import ExitStack

    from reconciler.core.changes import Outcome, SecretDelivery
    from reconciler.core.model import JsonObject, LiveState, Manifest, Problem, Secret
    from reconciler.core.project import Project, Target
    from reconciler.http.connection import Connection
    from reconciler.http.live import ServerList
    from reconciler.http.registration.grants import Grants
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.manifests.references import Credentials
    from reconciler.provider.model import Provider

# A plan that saw the server longer ago than so many seconds is too old to write a PUT on.
_FRESH: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetJob:
    """What a run has to do with one target, every reference resolved but those of `problems`.

    With an error among its `problems` nothing can be done with the target.
    `manifests` are to be planned; `others` are the target's manifests that are not, by key, and
    `is_partial` says that the user asked for a part; `unread` are the paths of manifests that were
    not read. `fingerprint_key` is the project's own. `records` are those of the whole run. Without
    `asks_sink` no program of a sink runs, and nothing is written to prove that it could be.
    """

    project: Project
    target: Target
    provider: Provider
    login: Credentials
    problems: tuple[Problem, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    others: Mapping[str, Manifest] = field(default_factory=lambda: NO_MANIFESTS)
    is_partial: bool = False
    unread: tuple[str, ...] = ()
    log: Callable[[str], None] = lambda _line: None
    fingerprint_key: Secret | None = None
    records: Records
    monotonic: Callable[[], float] = time.monotonic
    asks_sink: bool = True


class TargetRun:
    """One target in a run. An error of opening or reading it stands in its plan."""

    def __init__(self, job: TargetJob) -> None:
        self.job = job
        setting = sink_setting(job.project, job.target)
        self._sink = registry.make_sink(job.target.sink.kind, setting, is_asked=job.asks_sink)
        self._open: OpenTarget | None = None
        self._read_at = 0.0
        self._ahead: Future[ServerList | None] | None = None
        self.deliveries: tuple[SecretDelivery, ...] = ()
        self._server = server_of(job.target, job.provider)
        self._plan = TargetPlan(
            target=job.target.name,
            provider=job.provider.name,
            base_url=job.target.base_url,
            warnings=warn_of_plain_http(job.target),
        )

    def open(self, stack: ExitStack, *, lock: bool, timeout: float) -> None:
        """Open the record, under its lock if `lock`, and the connections, until `stack` closes."""
        if self._cannot_begin():
            return
        try:
            self._enter(stack, lock=lock, timeout=timeout)
        except ReconcilerError as error:
            self._fail(error)

    def enter(self, stack: ExitStack, *, lock: bool, timeout: float) -> OpenTarget:
        """Open the same, and raise what goes wrong: for use cases that do not plan."""
        opened = self._enter(stack, lock=lock, timeout=timeout)
        self._open = replace(opened, context=self._with_neighbours(opened.context))
        return self._open

    def _enter(self, stack: ExitStack, *, lock: bool, timeout: float) -> OpenTarget:
        job = self.job
        refuse_errors(job.problems)
        store = store_of(job.project)
        session = stack.enter_context(store.open(job.target.name, lock=lock, timeout=timeout))
        job.records.held[job.target.name] = session
        connection = connection_to(job.project, job.target, job.provider, job.login, job.log)
        if job.target.is_issuer:
            connection = self._discover(connection)
            job = self.job
        connection = replace(connection, grants=self._open_grants(session))
        transport = stack.enter_context(Transport(connection))
        self._open = OpenTarget(
            context=self._context(session),
            transport=transport,
            session=session,
            sink=self._sink,
            now=_now,
            records=job.records.held,
        )
        return self._open

    def _discover(self, connection: Connection) -> Connection:
        """The connection to the registration endpoint that the issuer names; the job's provider is at it."""
        found = discover(connection, allow_http=self.job.target.allow_http)
        provider = replace(self.job.provider, collection=found.path)
        self.job = replace(self.job, provider=provider)
        token_url = connection.token_url or found.token_url
        return replace(connection, provider=provider, base_url=found.base_url, token_url=token_url)

    def _open_grants(self, session: OpenInventory) -> Grants | None:
        job = self.job
        manifests = (*job.manifests, *job.others.values())
        return open_grants(
            job.provider, job.target.name, session, self._sink, manifests, is_asked=job.asks_sink
        )

    def hold_former_records(self, stack: ExitStack, *, timeout: float) -> None:
        """Hold the records that clients of the target move from, until `stack` closes."""
        try:
            self.job.records.hold(stack, self.job.target, timeout=timeout)
        except ReconcilerError as error:
            self._fail(error)
            self._open = None

    def read_ahead(self, stack: ExitStack) -> None:
        """Begin to read the server's list, if it has one, in a thread that ends before `stack` has closed."""
        if self._open is None or self.job.provider.list is None:
            return
        stop = threading.Event()
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="ahead"))
        # After the pool, so that it is called before it: closing the pool waits for the thread.
        stack.callback(stop.set)
        self._read_at = self.job.monotonic()
        self._ahead = pool.submit(read_list, self.job.provider, self._open.transport, stop)

    def plan(self) -> TargetPlan:
        """Read the server and plan; what goes wrong stands in the plan's errors."""
        if self._cannot_begin():
            errors = [each for each in self.job.problems if each.severity == "error"]
            self._plan = replace(self._plan, errors=tuple(map(one_line, errors)))
            return self._plan
        if self._open is None:
            return self._plan
        # What was read ahead is as old as its beginning: an edit since then is not in it.
        self._read_at = self._read_at or self.job.monotonic()
        try:
            self._plan = self._make_plan(self._open)
            # Not on every plan: to probe may cost a call to another service, and needs its rights.
            if self.job.asks_sink and any(map(brings_secret, self._plan.changes)):
                self._sink.probe()
                probe_spool(self.job.project)
        except ReconcilerError as error:
            self._fail(error)
        return self._plan

    def _make_plan(self, opened: OpenTarget) -> TargetPlan:
        # The record as it is now: a run without the lock may have waited since it was opened.
        context = self._with_neighbours(self._context(opened.session))
        # As the record will be after the moves: a client that moves is read under its new key.
        moved = plan_moves(context, self.job.manifests).context
        ids = ids_to_read(moved, self.job.manifests)
        ahead = None if self._ahead is None else self._ahead.result()
        seen = read_state(
            self.job.provider,
            opened.transport,
            ids | context.spooled,
            ahead,
            rests_on_absence=rests_on_absence(moved, self.job.manifests),
        )
        context = replace(context, live=seen)
        self._open = replace(opened, context=context)
        plan = self._warn_of_unknown_names(plan_target(context, self.job.manifests), opened, seen)
        # Of values that only a plan reads: those of the files are told with the files.
        doubtful = tuple(map(one_line, self.job.problems))
        warnings = warn_of_secrets(self.job.project, self._open, plan)
        plan = replace(plan, warnings=(*plan.warnings, *doubtful, *warnings))
        return with_marks(self.job.project, tell_edited(context, plan))

    def _warn_of_unknown_names(
        self, plan: TargetPlan, opened: OpenTarget, seen: LiveState
    ) -> TargetPlan:
        provider, lists = self.job.provider, {}
        for known in lists_to_read(provider, seen, plan.changes):
            found = read_names(known, opened.transport)
            if found is not None:
                lists[str(known.path)] = found
        return replace(plan, changes=warn_of_unknown_names(provider, seen, plan.changes, lists))

    def precondition_values(self) -> tuple[JsonObject, ...]:
        """The live values that each change of the plan rests on, as they may be shown."""
        entries = {} if self._open is None else self._open.session.inventory.entries
        return tuple(
            {}
            if change.live is None
            else showable_values(
                self.job.provider,
                change,
                entries[change.key].fingerprints if change.key in entries else {},
                change.live.body,
            )
            for change in self._plan.changes
        )

    def narrow(self, keep: Callable[[TargetPlan, TargetContext | None], TargetPlan]) -> TargetPlan:
        """Go on with the part of the plan that `keep` makes of it; the context is None if it failed."""
        self._plan = keep(self._plan, None if self._open is None else self._open.context)
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
        if self._open is None:
            return ()
        session = self._open.session
        session.remember_server(self._open.context.server)
        # Before the creates: a secret that waits is older than any that they bring.
        context = self._open.context
        self.deliveries = deliver_spooled(context.target.name, session, self._sink, context)
        refused = any(each.status is Status.FAILED for each in self.deliveries)
        outcomes = carry_out(
            refuse_new_secrets(self._plan, brings_secret) if refused else self._plan,
            replace(
                self._open,
                stop=StopSignal(stop, failed),
                # Asked before each write, since a long apply outlives its own plan's freshness.
                is_old=lambda: self.job.monotonic() - self._read_at > _FRESH,
            ),
            on_outcome=on_outcome,
        )
        if self.deliveries:
            # Also of clients that the run has only now bound. `carry_out` reported a failed record.
            with suppress(InventoryError):
                record_delivered(session, self.deliveries)
                session.flush()
        return outcomes

    def _context(self, session: OpenInventory) -> TargetContext:
        job = self.job
        # Only the client that the tool logs in with is its own: a user's name may be a client's id.
        logs_in_as_client = isinstance(job.target.auth, ClientCredentials)
        client_id = reveal(job.login.name) if logs_in_as_client else None
        found = find_secrets(session, self._sink, job.target.name)
        return TargetContext(
            target=job.target,
            provider=job.provider,
            inventory=found.inventory,
            key=fingerprint_key(str(reveal(job.fingerprint_key or job.login.secret))),
            own_id=None if client_id is None else str(client_id),
            others=job.others,
            is_partial=job.is_partial,
            unread=job.unread,
            stored=found.stored,
            spooled=found.spooled,
            swept=found.swept,
            now=_now(),
            server=self._server,
        )

    def _with_neighbours(self, context: TargetContext) -> TargetContext:
        """The context with what else is known of its server, which takes a look into other records."""
        neighbours = self.job.records.neighbours(context.target.name, context.server)
        return replace(context, neighbours=neighbours)

    def _cannot_begin(self) -> bool:
        return any(problem.severity == "error" for problem in self.job.problems)

    def _fail(self, error: ReconcilerError) -> None:
        self._plan = replace(self._plan, errors=(*self._plan.errors, str(error)))


def open_runs(
    jobs: Iterable[TargetJob], stack: ExitStack, *, lock: bool, timeout: float
) -> tuple[TargetRun, ...]:
    """Open a run for each job, until `stack` closes."""
    runs = tuple(map(TargetRun, jobs))
    for run in runs:
        run.open(stack, lock=lock, timeout=timeout)
    # After all of the run's own: two targets of one run may give each other a client.
    for run in runs if lock else ():
        run.hold_former_records(stack, timeout=timeout)
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

    def pass_on(outcome: Outcome) -> None:
        with one_at_a_time:
            on_outcome(outcome)

    with ThreadPoolExecutor(max(1, len(runs)), thread_name_prefix="apply") as pool:
        outcomes = pool.map(lambda run: run.apply(pass_on, halt, failed), runs)
        return tuple(outcome for each in outcomes for outcome in each)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
