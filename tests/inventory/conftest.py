"""The places that a store is tested in, one of them behind a server that plays S3."""

import threading
import uuid

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from support.store_places import FilePlace, ObjectPlace
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log(self, *_args):
        """Say nothing."""


@pytest.fixture(scope="session")
def s3():
    """The address of a server that plays S3, one request at a time as S3's conditions promise."""
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(s3, monkeypatch, tmp_path):
    """A prefix of a bucket that nobody else uses."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    boto3.client("s3", region_name="us-east-1", endpoint_url=s3).create_bucket(Bucket="records")
    options = {"endpoint": s3, "region": "us-east-1"}
    url = f"s3://records/{uuid.uuid4()}"
    return ObjectPlace(url=url, options=options, private=tmp_path / "private")


@pytest.fixture(params=["file", "object"])
def place(request):
    if request.param == "object":
        return request.getfixturevalue("bucket")
    return FilePlace(folder=request.getfixturevalue("tmp_path") / "inventory")
