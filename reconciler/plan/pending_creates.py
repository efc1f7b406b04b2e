"""Says what came of a create that was about to be sent when its run ended, by what the server shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.model import MISSING, Intent, Json, LiveClient, Refusal
from reconciler.core.pointer import resolve
from reconciler.core.times import instant, later
from reconciler.core.values import same
from reconciler.plan.inputs import client_seen
from reconciler.plan.normalize import canonical
from reconciler.plan.unowned import ids_of
from reconciler.provider.secrets import issued

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from reconciler.plan.inputs import Situation
    from reconciler.plan.unowned import Foreign

# How far the server's clock may be behind ours, in minutes.
_SKEW: Final = 5

# The client that the create made, a refusal where that cannot be told, None where it made none.
Trace: TypeAlias = LiveClient | Refusal | None


def trace(situation: Situation, intent: Intent, others: Foreign) -> Trace:
    """What a pending create left behind: by the id that was chosen, else by what the list shows."""
    if intent.remote_id is not None:
        return client_seen(situation.live, intent.remote_id)
    if not situation.live.listed:
        return _unknown(situation, intent)
    return _recognised(situation, intent, others)


def told(situation: Situation, found: LiveClient) -> Literal["told", "stored", "lost"]:
    """Whether the vendor still tells the secret of a client that was found again, or the sink has it."""
    if issued(situation.provider, found.body) is not None:
        return "told"
    return "stored" if found.remote_id in situation.safe else "lost"


def unattended(situation: Situation, keys: Iterable[str]) -> tuple[str, ...]:
    """A word on pending creates that no manifest asks for any more; `keys` have one."""
    left = sorted(situation.inventory.pending.keys() - set(keys) - situation.others)
    return tuple(
        f"a run began to create {key} at {situation.inventory.pending[key].at}, and no manifest "
        f"names it any more, so nobody has looked what came of it: look on the server, then run "
        f"{_settle(key)}"
        for key in left
    )


def _unknown(situation: Situation, intent: Intent) -> Refusal:
    title = situation.provider.title
    return Refusal(
        rule="unknown-create",
        message=f"a run began to create it at {intent.at} and could not record what came of it, "
        f"and {title} has no list to look in. Look there for a client with {_described(intent)}, "
        f"then run {_settle(intent.key)}",
    )


def _recognised(situation: Situation, intent: Intent, others: Foreign) -> Trace:
    alike = [client for client in others.clients if _is_like(situation, client, intent)]
    ages = [(client, _younger(situation, client, intent)) for client in alike]
    found = [(client, younger) for client, younger in ages if younger is not False]
    if not found:
        return None
    if len(found) == 1 and found[0][1] and situation.provider.identity.match in intent.facts:
        return found[0][0]
    return Refusal(
        rule="ambiguous-create",
        message=f"a run began to create it at {intent.at} and could not record what came of it; "
        f"not ours, and like it: {ids_of([client for client, _ in found])}. Look which one it "
        f"made, then run {_settle(intent.key)}",
    )


def _is_like(situation: Situation, client: LiveClient, intent: Intent) -> bool:
    """Whether a client has every value that was sent and by which it can be recognised.

    Where there is none, any client may be the one.
    """
    fields = situation.provider.fields
    names = [name for name in situation.provider.identity.recognize if name in intent.facts]
    return all(
        same(
            canonical(fields[name], client.body.get(fields[name].read_as, MISSING)),
            canonical(fields[name], intent.facts[name]),
        )
        for name in names
    )


def _younger(situation: Situation, client: LiveClient, intent: Intent) -> bool | None:
    """Whether a client was created after the intent, give or take the clocks; None if unknown."""
    pointer = situation.provider.identity.created
    created = None if pointer is None else instant(resolve(client.body, pointer))
    begun = instant(intent.at)
    if created is None or begun is None:
        return None
    return later(created, minutes=_SKEW) >= begun


def _described(intent: Intent) -> str:
    known = [f"{name} {_shown(value)}" for name, value in sorted(intent.facts.items())]
    return " and ".join(known) or "what its manifest says"


def _shown(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else repr(value)


def _settle(key: str) -> str:
    return f"`reconciler resolve {key} --id ID`, or `--absent` if there is none"
