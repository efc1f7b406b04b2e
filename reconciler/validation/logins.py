"""Finds where a target logs in otherwise than its server lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.model import Problem
from reconciler.core.project import ClientCredentials, NoAuth, Password, StaticToken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.model import Json, Source
    from reconciler.core.project import Project, Target


def login_problems(
    source: Source, project: Project, target: Target, token: Mapping[str, Json]
) -> Iterator[Problem]:
    """The Problems of a target's `auth`; `token` is what its provider's descriptor says of that."""
    pointer = f"/targets/{target.name}/auth"
    for message, hint in _faults(project, target, token):
        yield Problem(source=source, pointer=pointer, message=message, hint=hint, at_key=True)


def _faults(
    project: Project, target: Target, token: Mapping[str, Json]
) -> Iterator[tuple[str, str]]:
    auth, scheme = target.auth, token.get("scheme", "Bearer")
    if isinstance(auth, NoAuth):
        yield from _open_faults(project, target, scheme)
    elif isinstance(auth, Password) and scheme != "Basic":
        yield (
            f"{target.provider} takes no user and password",
            "it takes clientId and clientSecret, or token",
        )
    elif isinstance(auth, ClientCredentials | StaticToken) and scheme == "Basic":
        yield (
            f"{target.provider} takes a user and a password (RFC 7617)",
            "state username and password",
        )
    if isinstance(auth, ClientCredentials) and scheme != "Basic":
        yield from _client_faults(target, auth, token)


def _open_faults(project: Project, target: Target, scheme: Json) -> Iterator[tuple[str, str]]:
    if scheme != "none":
        yield (
            f"{target.provider} asks who sends a request",
            "`none` is for a server that asks nobody",
        )
    elif project.fingerprint_key is None:
        # Else it is made of the login's secret, and without a key anybody could try out guesses.
        hint = "state `fingerprintKey` at the top of the project file"
        yield "`none` leaves no key for the fingerprints of secrets", hint


def _client_faults(
    target: Target, auth: ClientCredentials, token: Mapping[str, Json]
) -> Iterator[tuple[str, str]]:
    # An issuer names its token endpoint itself (RFC 8414).
    if auth.token_url is None and token.get("path") is None and not target.is_issuer:
        hint = f"the token endpoint of {target.provider} is not below the base URL: give it"
        yield "`tokenUrl` is missing", hint
    if token.get("clientAuthentication") == "private_key_jwt" and auth.private_key is None:
        yield (
            f"{target.provider} takes no client secret",
            "state `privateKey` in its place (RFC 7523)",
        )
