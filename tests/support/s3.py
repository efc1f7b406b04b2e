"""A server that plays S3 on loopback, and a bucket in it for an inventory."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import obstore
from moto.server import DomainDispatcherApplication, create_backend_app
from obstore.store import S3Store
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "us-east-1"
# What a client of that server is to find in its environment.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": "/dev/null",
}


class _Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log(self, *_args):
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that plays S3, one request at a time as S3's conditions promise."""
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def place(address: str) -> dict[str, Any]:
    """The address of a prefix that nobody else uses, and the options by which it is reached."""
    boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=address,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    ).create_bucket(Bucket="records")
    options = {"endpoint": address, "region": REGION}
    return {"url": f"s3://records/{uuid.uuid4()}", "options": options}


def settings(address: str) -> dict[str, str]:
    """What a project file says of an inventory below such a prefix."""
    found = place(address)
    return {"store": "object", "url": found["url"], **found["options"]}


def bucket(inventory: Mapping[str, str]) -> S3Store:
    """The prefix of such an inventory, to look into."""
    return S3Store.from_url(
        inventory["url"],
        client_options={"allow_http": True},
        endpoint=inventory["endpoint"],
        region=inventory["region"],
        access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def objects(inventory: Mapping[str, str]) -> dict[str, bytes]:
    """What is kept below that prefix, by name."""
    store = bucket(inventory)
    names = sorted(each["path"] for each in obstore.list(store).collect())
    return {name: bytes(obstore.get(store, name).bytes()) for name in names}
