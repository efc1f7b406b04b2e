"""Turns Boruta's refusals into its responses, the secrets that they leak included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.endpoints import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response


def unprocessable(errors: Mapping[str, Sequence[str]]) -> Response:
    """The response 422 with the errors by field."""
    return json_response(
        422,
        {
            "code": "UNPROCESSABLE_ENTITY",
            "errors": errors,
            "message": "Your request could not be processed.",
        },
    )


def unauthorized() -> Response:
    """The response 401: no token, or a worthless one."""
    return _resource_error(401, "UNAUTHORIZED", "you are unauthorized to access this resource.")


def forbidden() -> Response:
    """The response 403: the token lacks the scope, or the client is protected."""
    return _resource_error(403, "FORBIDDEN", "you are forbidden to access this resource.")


def malformed() -> Response:
    """The response 400: the body is not JSON."""
    text = "the requested with given parameters cannot be processed."
    return _resource_error(400, "BAD_REQUEST", text)


def _resource_error(status: int, code: str, text: str) -> Response:
    message = text[0].upper() + text[1:]
    return json_response(status, {"code": code, "errors": {"resource": [text]}, "message": message})


def not_found(client_id: str) -> Response:
    """The response 404, which has no `errors`."""
    message = (
        "expected at least one result but got none in query:\n\nfrom c0 in Boruta.Ecto.Client,\n"
        f'  where: c0.id == ^"{client_id}"\n'
    )
    return json_response(404, {"code": "NOT_FOUND", "message": message})


def no_uuid(text: str) -> Response:
    """The response 400: the id in the path cannot be cast."""
    message = (
        f'lib/ecto/repo/queryable.ex:477: value `"{text}"` in `where` cannot be cast to type '
        "Ecto.UUID in query:\n\nfrom c0 in Boruta.Ecto.Client,\n  "
        f'where: c0.id == ^"{text}",\n  select: c0\n'
    )
    return json_response(400, {"code": "BAD_REQUEST", "message": message})


def no_envelope(request: Request) -> Response:
    """The response 400 to a body without `client`: the message prints the request, bearer token and all."""
    headers = ", ".join(f'{{"{name}", "{value}"}}' for name, value in request.headers.items())
    message = (
        "no function clause matching in BorutaAdminWeb.ClientController, conn: %Plug.Conn{"
        f'method: "{request.method}", req_headers: [{headers}], status: nil}}'
    )
    return json_response(400, {"code": "BAD_REQUEST", "message": message})


def crashed(reason: str, client_id: str, name: object, secret: object) -> Response:
    """The response 500: the message prints the failing row, client secret and all."""
    message = (
        f"** (Postgrex.Error) ERROR {reason}\n\n    table: oauth_clients\n\n"
        f"Failing row contains ({client_id}, {name}, {secret}, ...)."
    )
    return json_response(500, {"code": "INTERNAL_SERVER_ERROR", "message": message})
