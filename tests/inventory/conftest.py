"""The places that a store is tested in, one of them behind a server that plays S3."""

import pytest
from support import s3 as playing
from support.store_places import FilePlace, ObjectPlace


@pytest.fixture(scope="session")
def s3():
    """The address of a server that plays S3."""
    with playing.serving() as address:
        yield address


@pytest.fixture
def bucket(s3, monkeypatch, tmp_path):
    """A prefix of a bucket that nobody else uses."""
    for name, value in playing.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return ObjectPlace(**playing.place(s3), private=tmp_path / "private")


@pytest.fixture(params=["file", "object"])
def place(request):
    if request.param == "object":
        return request.getfixturevalue("bucket")
    return FilePlace(folder=request.getfixturevalue("tmp_path") / "inventory")
