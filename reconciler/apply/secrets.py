"""Keeps a secret: in its sink, else in a private file that the next run brings there, else it is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.changes import Refusal, SecretDelivery, Status
from reconciler.core.errors import InventoryError, SinkError
from reconciler.plan.guards.rules import Rule
from reconciler.plan.secrets.places import with_secret
from reconciler.provider.secrets import secret_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from reconciler.core.changes import Change, TargetPlan
    from reconciler.core.model import Inventory, LiveState, Secret, SecretPlace
    from reconciler.inventory.open_inventory import OpenInventory
    from reconciler.inventory.spool import SpooledSecret
    from reconciler.plan.context import TargetContext
    from reconciler.sinks.contract import Sink


# A name, since as a literal it looks like a password to those who search for such.
_STORED: Final[SecretPlace] = "stored"


def deliver_spooled(
    target: str, session: OpenInventory, sink: Sink, context: TargetContext | None = None
) -> tuple[SecretDelivery, ...]:
    """Store in `sink` every secret of `target` that waits for it, and delete the file of each.

    A secret whose client is not the one of its key any more stays where it is: in the sink it would
    overwrite the secret of the key's client. With `context`, which has seen the server, a client
    that is not there has none to deliver, and what the server still shows is delivered in the place
    of what waits. Raises InventoryError for files that cannot be read.
    """
    waiting = session.spooled_secrets()
    # On most runs nothing waits, and `inventory` copies the record of the whole fleet.
    inventory = session.inventory if waiting else None
    # A pending create is newer than what is recorded: its secret comes last, and stays in the sink.
    ordered = sorted(
        waiting, key=lambda each: inventory is not None and not _is_bound(inventory, each)
    )
    return tuple(
        _deliver(target, session, sink, _newest(each, context))
        if inventory is not None and belongs(inventory, each, context)
        else _delivery(target, each, Status.SKIPPED, message=why_nobodys(each))
        for each in ordered
    )


def drop_spooled(session: OpenInventory, paths: Collection[str]) -> None:
    """Delete the private files of secrets that nobody needs. Raises InventoryError."""
    for waiting in session.spooled_secrets() if paths else ():
        if str(waiting.path) in paths:
            session.unspool(waiting)


def _newest(waiting: SpooledSecret, context: TargetContext | None) -> SpooledSecret:
    """What waits, with the secret that the server shows where it does: that one works."""
    if waiting.key != _client_key(waiting):
        return waiting
    live = None if context is None else context.live.clients.get(waiting.remote_id)
    readable = None if live is None or context is None else secret_in(context.provider, live.body)
    return waiting if readable is None else replace(waiting, secret=readable, unsettled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """Where a secret is now: in its sink, in a private file, or nowhere.

    `sink_error` says why its sink did not take it, `file_error` why no private file did, or why
    the one of an older secret could not be deleted.
    """

    place: SecretPlace
    location: str = ""
    sink_error: str = ""
    file_error: str = ""

    @property
    def trouble(self) -> str:
        """What went wrong on the way, "" for nothing."""
        if not self.sink_error:
            return self.file_error
        if not self.file_error:
            return self.sink_error
        return f"{self.sink_error}; nor can it be kept elsewhere: {self.file_error}"

    @property
    def what_to_do(self) -> str:
        """What a user does about a secret that is not in its sink."""
        if self.file_error:
            return f"Nor can it be kept elsewhere: {self.file_error}. Have the server issue a new one. "
        return (
            f"It is in {self.location}: mend the sink, then apply again or run "
            "`reconciler secrets sync`, which bring it there. "
        )


def keep_secret(
    target: str,
    session: OpenInventory,
    sink: Sink,
    *,
    key: str,
    remote_id: str,
    secret: Secret,
    client_id: str = "",
) -> KeptSecret:
    """Store the secret of a client durably: in its sink, else in a private file, else it is lost.

    `client_id` is the id that the client logs in with, "" for the remote id.

    Once the sink has it, older secrets of that client in private files are deleted: a later run
    would overwrite the new one with them.
    """
    try:
        # A run without its lock would store it over that of the run which has it.
        session.check_lock()
        location = sink.store(target, key, client_id or remote_id, secret)
    except (InventoryError, SinkError) as error:
        sink_error = str(error)
    else:
        return _stored(session, key, remote_id, location)
    try:
        location = session.spool(key, remote_id, secret, client_id=client_id)
    except InventoryError as error:
        return KeptSecret(place="lost", sink_error=sink_error, file_error=str(error))
    return KeptSecret(place="spooled", location=location, sink_error=sink_error)


def _stored(session: OpenInventory, key: str, remote_id: str, location: str) -> KeptSecret:
    # Only now: until the sink has a newer one, the file may be the only copy of a secret in use.
    try:
        for waiting in session.spooled_secrets():
            if (waiting.key, waiting.remote_id) == (key, remote_id):
                session.unspool(waiting)
    except InventoryError as error:
        return KeptSecret(place="stored", location=location, file_error=str(error))
    return KeptSecret(place="stored", location=location)


def waiting_secrets(session: OpenInventory) -> dict[tuple[str, str], Secret]:
    """The secrets that wait in private files, by the key and the remote id of their client."""
    return {
        (each.key, each.remote_id): each.secret
        for each in session.spooled_secrets()
        if not each.unsettled
    }


def belongs(
    inventory: Inventory, waiting: SpooledSecret, context: TargetContext | None = None
) -> bool:
    """Whether a secret is of the client of its key, or of one that a pending create made."""
    if _is_bound(inventory, waiting):
        return True
    if context is not None and _is_gone(context.live, waiting.remote_id):
        return False
    # A run that died after it saved the secret had no time to record the client.
    pending = inventory.pending.get(_client_key(waiting))
    return pending is not None and pending.remote_id in (None, waiting.remote_id)


def _is_gone(live: LiveState, remote_id: str) -> bool:
    """Whether a client was looked for by its id and is not on the server."""
    return remote_id in live.gone


def record_delivered(session: OpenInventory, deliveries: Sequence[SecretDelivery]) -> None:
    """Record that delivered secrets are stored, also of clients that were bound after the delivery."""
    for delivery in deliveries:
        if delivery.status is Status.DONE:
            _record_stored(session, delivery.key, delivery.remote_id)


def _record_stored(session: OpenInventory, key: str, remote_id: str) -> None:
    """Record that the secret of a client is in its sink. Raises InventoryError."""
    entry = session.entry(key)
    if entry is not None and entry.remote_id == remote_id and entry.secret != _STORED:
        session.record(key, with_secret(entry, _STORED))


def refuse_new_secrets(plan: TargetPlan, brings_secret: Callable[[Change], bool]) -> TargetPlan:
    """The plan, with each change refused that would bring a secret: its sink has just failed."""
    refused = Refusal(
        rule=Rule.SINK_FAILED, message="its secret could not be stored: the sink fails"
    )
    changes = tuple(
        replace(change, refusal=change.refusal or refused) if brings_secret(change) else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def second_key(key: str, name: str) -> str:
    """The key in a sink of another secret of the client `key`: no key of a client has a `+` in it."""
    return f"{key}+{name}"


def _client_key(waiting: SpooledSecret) -> str:
    return waiting.key.partition("+")[0]


def _is_bound(inventory: Inventory, waiting: SpooledSecret) -> bool:
    entry = inventory.entries.get(_client_key(waiting))
    return entry is not None and entry.remote_id == waiting.remote_id


def _deliver(
    target: str, session: OpenInventory, sink: Sink, waiting: SpooledSecret
) -> SecretDelivery:
    entry = session.entry(waiting.key)
    if entry is not None and (entry.remote_id, entry.secret) == (waiting.remote_id, _STORED):
        return _discard(target, session, waiting)
    if waiting.unsettled:
        return _delivery(target, waiting, Status.SKIPPED, message=why_unsettled(waiting))
    try:
        session.check_lock()
        location = sink.store(target, waiting.key, waiting.client_id, waiting.secret)
    except (InventoryError, SinkError) as error:
        return _delivery(target, waiting, Status.FAILED, message=str(error))
    # The file goes last: left behind it is delivered once more, but a record that still says
    # "spooled" of a file that is gone would warn of it in every plan.
    try:
        _record_stored(session, waiting.key, waiting.remote_id)
        session.unspool(waiting)
    except InventoryError as error:
        # Done all the same: the sink has it.
        return _delivery(target, waiting, Status.DONE, location, message=str(error))
    return _delivery(target, waiting, Status.DONE, location)


def _discard(target: str, session: OpenInventory, waiting: SpooledSecret) -> SecretDelivery:
    """Delete the file of a secret that a newer one overtook: its sink has had another since."""
    message = "its sink has a newer one: the file is deleted"
    try:
        session.unspool(waiting)
    except InventoryError as error:
        message = f"its sink has a newer one: {error}"
    return _delivery(target, waiting, Status.SKIPPED, message=message)


def _delivery(
    target: str, waiting: SpooledSecret, status: Status, location: str = "", *, message: str = ""
) -> SecretDelivery:
    return SecretDelivery(
        target=target,
        key=waiting.key,
        remote_id=waiting.remote_id,
        path=str(waiting.path),
        status=status,
        location=location,
        message=message,
    )


def why_unsettled(waiting: SpooledSecret) -> str:
    """Why a secret is not delivered of which nobody knows whether it holds, and what to do about it."""
    if not waiting.remote_id:
        return (
            f"the server told the secret in {waiting.path} in an answer that does not say of which "
            f"client: it is of one that was created for {waiting.key}. Where that is bound by now, "
            "and has this secret, put it into its sink and delete the file"
        )
    return (
        f"a rotation of {waiting.key} broke off, and the server does not show which secret holds: the "
        f"one in {waiting.path}, or the one that its sink has. Try them, or give the client another: "
        f"`reconciler rotate {waiting.key}`"
    )


def why_nobodys(waiting: SpooledSecret) -> str:
    """Why a secret that waits is not delivered, and what to do about it."""
    return (
        f"{waiting.remote_id} is not the client of {waiting.key} any more: if nobody needs its "
        "secret, delete the file"
    )
