"""Turns a vendor's way of handing out tokens into its HTTP endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.sandbox.answers import answer, media_type
from reconciler.sandbox.tokens import ISSUERS, Invalid, asked, granted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.sandbox.world import World


def token_route(world: World, vendor: str, path: str) -> Route:
    """Serve `POST path` for client credentials."""
    issuer = ISSUERS[vendor]

    async def issue(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        try:
            form = asked(issuer, authorization, media_type(request), await request.body())
            credential, scopes = granted(issuer, form, world.credentials)
        except Invalid as invalid:
            return answer(
                invalid.status, {"error": invalid.code, "error_description": invalid.description}
            )
        return answer(
            200,
            {
                "access_token": world.tokens.issue(credential, scopes, issuer.lifetime),
                "token_type": issuer.spoken_type,
                "expires_in": issuer.lifetime,
                "scope": " ".join(sorted(scopes)),
            },
            {"cache-control": "no-store"},
        )

    return Route(path, issue, methods=["POST"])
