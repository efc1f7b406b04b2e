"""The token endpoint of boruta-server 0.10.5, on another host than the admin API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox.endpoints import media_type
from reconciler.sandbox.state import dump
from reconciler.sandbox.tokens import ISSUERS, Invalid, check_token_request, token_request_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from reconciler.sandbox.world import World

_TYPE: Final = "application/json; charset=utf-8"
_CACHED: Final = "max-age=0, private, must-revalidate"
_UUID: Final = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# The grants that a token request may name, in the order of the server's own message, with what each
# asks for besides a client.
_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "client_credentials": (),
    "agent_credentials": (),
    "password": ("username", "password"),
    "agent_code": ("code", "redirect_uri"),
    "authorization_code": ("code", "redirect_uri"),
    "refresh_token": ("refresh_token",),
}
_REFRESH_TOKEN: Final = 86


def app(world: World) -> Starlette:
    """The application of the OAuth host."""
    issuer = ISSUERS["boruta"]

    async def issue(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        try:
            form = token_request_form(
                issuer, authorization, media_type(request), await request.body()
            )
            _check_form(form)
            credential, scopes = check_token_request(issuer, form, world.credentials)
        except Invalid as invalid:
            members = {"error": invalid.code, "error_description": invalid.description}
            return _response(invalid.status, members, {"cache-control": _CACHED})
        return _response(
            200,
            {
                "access_token": world.tokens.issue(credential, scopes, issuer.lifetime),
                "token_type": issuer.bearer_spelling,
                "expires_in": issuer.lifetime,
                "refresh_token": world.mint.secret(_REFRESH_TOKEN),
                "c_nonce": world.mint.hexadecimal(8),
            },
            {"cache-control": "no-store", "pragma": "no-cache"},
        )

    return Starlette(routes=[Route("/oauth/token", issue, methods=["POST"])])


def _response(status: int, members: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(dump(members), status_code=status, headers={**headers, "content-type": _TYPE})


def _check_form(form: Mapping[str, str]) -> None:
    """Raise Invalid where the server's own schemas refuse a form, before it looks for the client."""
    grant = form.get("grant_type")
    if not grant:
        raise _invalid("Request is not a valid OAuth request. Need a grant_type param.")
    if grant not in _GRANTS:
        raise _invalid(_mismatch("grant_type", f"/^({'|'.join(_GRANTS)})$/"))
    missing = [name for name in (*_GRANTS[grant], "client_id") if not form.get(name)]
    if len(missing) == 1:
        raise _invalid(
            f"Request body validation failed. Required property {missing[0]} is missing at #."
        )
    if missing:
        names = ", ".join(missing)
        raise _invalid(
            f"Request body validation failed. Required properties {names} are missing at #."
        )
    if not re.fullmatch(_UUID, form["client_id"]):
        raise _invalid(_mismatch("client_id", f"/^{_UUID}$/"))


def _mismatch(name: str, pattern: str) -> str:
    return f"Request body validation failed. #/{name} do match required pattern {pattern}."


def _invalid(description: str) -> Invalid:
    return Invalid(400, "invalid_request", description)
