"""The half of a check that changes nothing: the list, each client by its id, what schemas say of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from reconciler.app.context import Call, load_valid, open_target
from reconciler.app.provider_check.findings import TARGET, note, ok, wrong
from reconciler.core.errors import NotFound, RemoteError
from reconciler.core.model import Secret
from reconciler.manifests import catalog
from reconciler.plan.export import export
from reconciler.plan.guards.clients import client_name
from reconciler.provider.identity import client_id_in
from reconciler.provider.secrets import client_secret, secret_in, untold_secret
from reconciler.provider.spelling import answer_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.app.provider_check.findings import Finding, Workshop
    from reconciler.apply.context import OpenTarget
    from reconciler.core.model import LiveClient
    from reconciler.provider.model import Provider

# So many clients are read by their ids.
_LOOKED_AT: Final = 20
_NAMED: Final = 5


def read_half(shop: Workshop, call: Call) -> Iterator[Finding]:
    """What a server shows of its clients, and whether that is as described. Nothing is changed."""
    loaded = load_valid(call)
    validator = catalog.entry(loaded.project.targets[TARGET].provider, str(shop.root)).validator
    with open_target(loaded, TARGET, call) as opened:
        clients: list[LiveClient] = []
        yield from _listed(opened, clients)
        if not clients:
            yield note("no client was seen: what schemas say of one was held against nothing")
            return
        yield from _by_id(opened, clients[:_LOOKED_AT])
        yield from _members(opened.provider, clients)
        yield from _secrets(opened.provider, clients)
        for client in clients[:_LOOKED_AT]:
            made = export(opened.provider, client, validator, key="checked", target=TARGET)
            name = client_name(opened.provider, client.body) or client.remote_id
            for left in made.notes:
                yield note(f"{name}: {left.field}: {left.reason}")


def _listed(opened: OpenTarget, clients: list[LiveClient]) -> Iterator[Finding]:
    from reconciler.http import live  # noqa: PLC0415 - loads httpx

    provider = opened.provider
    if provider.list is None:
        live.check_access(provider, opened.transport)
        yield ok("the server is there; it has no list, so that clients are read by their ids alone")
        return
    seen = live.read_state(provider, opened.transport, frozenset(), rests_on_absence=True)
    clients.extend(seen.clients.values())
    yield ok(
        f"the list holds {len(clients)} clients, each with an id at {provider.identity.pointer}"
    )
    if not provider.list_is_described:
        yield wrong(
            "nothing says whether the list comes in pages: state endpoints.list.pagination, `{style: none}` "
            "where it never does"
        )
    elif seen.doubt:
        yield wrong(f"the list may not be whole: {seen.doubt}")
    else:
        yield ok("the list ends where its pagination says")


def _by_id(opened: OpenTarget, clients: Sequence[LiveClient]) -> Iterator[Finding]:
    from reconciler.http import live  # noqa: PLC0415 - as above

    for client in clients:
        try:
            found = live.read_client(opened.provider, opened.transport, client.remote_id)
        except NotFound:
            yield wrong(
                f"{client.remote_id} is on the list, and a read by that id is answered with 404"
            )
            return
        except RemoteError as error:
            yield wrong(f"{client.remote_id} is on the list, and a read by that id fails: {error}")
            return
        if lacking := sorted(found.body.keys() - client.body.keys()):
            yield note(
                f"the list leaves out what a read by id shows: {', '.join(lacking[:_NAMED])}. A plan takes what "
                "the list shows: a manifest that states one of them differs for ever"
            )
            return
    yield ok(f"{len(clients)} of them are there by their ids too, with the same members")


def _members(provider: Provider, clients: Sequence[LiveClient]) -> Iterator[Finding]:
    """What the server shows and no schema describes, and what is described and never shown."""
    shown = Counter(name for client in clients for name in client.body)
    if unknown := sorted(shown.keys() - answer_names(provider)):
        yield note(
            f"the server shows what client.schema.json does not describe: {', '.join(unknown)}"
        )
    unseen = [
        name
        for name, field in provider.fields.items()
        if name not in shown and not field.write_only
    ]
    if unseen:
        yield note(
            f"described and shown of no client: {', '.join(sorted(unseen))}. Where the server never shows one, it is "
            "`writeOnly`; where it shows it under another name, `readAs` says so"
        )
    if provider.identity.client_id is not None and not any(
        client_id_in(provider, client.body) for client in clients
    ):
        yield wrong(
            f"identity.clientId points to {provider.identity.client_id}, where no client has one"
        )
    match = provider.identity.match
    if match is not None and match not in shown:
        yield wrong(f"identity.match is {match}, which no client shows")


def _secrets(provider: Provider, clients: Sequence[LiveClient]) -> Iterator[Finding]:
    pointer = client_secret(provider)
    if not pointer:
        yield note(
            "client.schema.json calls nothing secret: where clients have secrets, they would be shown"
        )
        return
    told = sum(secret_in(provider, client.body) is not None for client in clients)
    masked = sum(bool(untold_secret(provider, client.body)) for client in clients)
    words = f"{told} of {len(clients)} clients show their secret at {pointer}"
    yield note(f"{words}, {masked} a mask or nothing in its place" if masked else words)
    if told:
        yield note(
            "what is shown there is taken for the secret that holds: where it is a hash or a part, say so with "
            "`secret: {believed: create}`"
        )
    hidden = {
        name
        for client in clients
        for name, value in client.body.items()
        if isinstance(value, Secret)
    }
    if extra := sorted(hidden - {pointer.split("/")[1]} - provider.fields.keys()):
        yield note(f"sealed for their names alone: {', '.join(extra)}. Describe them")
