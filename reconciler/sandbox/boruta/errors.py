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


def no_uuid(text: str, method: str) -> Response:
    """The response 400: the id in the path cannot be cast."""
    message = (
        f"{'' if method == 'GET' else 'deps/ecto/'}lib/ecto/repo/queryable.ex:477: "
        f'value `"{text}"` in `where` cannot be cast to type '
        "Ecto.UUID in query:\n\nfrom c0 in Boruta.Ecto.Client,\n  "
        f'where: c0.id == ^"{text}",\n  select: c0\n'
    )
    return bad_request(message)


def bad_request(message: str) -> Response:
    """The response 400 with the server's own words, and no `errors`."""
    return json_response(400, {"code": "BAD_REQUEST", "message": message})


def no_map(inspected: str) -> Response:
    """The response 400: `inspected` stands where a mapping has to."""
    return bad_request(f"expected params to be a :map, got: `{inspected}`")


def no_envelope(request: Request) -> Response:
    """The response 400 to a body without `client`: the message prints the request, bearer token and all."""
    action = "create/2" if request.method == "POST" else "update/2"
    headers = ", ".join(f'{{"{name}", "{value}"}}' for name, value in request.headers.items())
    function = f"BorutaAdminWeb.ClientController.{action}"
    return bad_request(
        f"no function clause matching in {function}\n\nThe following arguments were given to "
        f"{function}:\n\n    # 1\n    %Plug.Conn{{"
        f'method: "{request.method}", req_headers: [{headers}], status: nil}}'
    )


def crashed(reason: str) -> Response:
    """The response 500 with the reason, in the server's own words."""
    return json_response(500, {"code": "INTERNAL_SERVER_ERROR", "message": reason})


def failing_row(reason: str, client_id: str, name: object, secret: object) -> str:
    """The reason of the database for a null that no column takes: it prints the row, its secret too."""
    column = reason.partition('column "')[2].partition('"')[0]
    return (
        f"{reason}\n\n    table: oauth_clients\n    column: {column}\n\n"
        f"Failing row contains ({client_id}, {name}, {secret}, ...)."
    )


def not_acceptable(accepted: str, asked: str) -> Response:
    """The response 406: what the Accept header asks for is not served here."""
    names = {"text/html": ["html", "htm"], "application/xml": ["xml"], "application/json": ["json"]}
    extensions = ", ".join(f'"{name}"' for name in names.get(asked, []))
    message = (
        f'no supported media type in accept header.\n\nExpected one of ["{accepted}"] but got the '
        f'following formats:\n\n  * "{asked}" with extensions: [{extensions}]\n\nTo accept custom '
        "formats, configure them under the :mime application"
    )
    return json_response(406, {"code": "NOT_ACCEPTABLE", "message": message})


def no_route(method: str, path: str) -> Response:
    """The response 404: the server has no such call on this path."""
    message = f"no route found for {method} {path} (BorutaAdminWeb.Router)"
    return json_response(404, {"code": "NOT_FOUND", "message": message})
