"""The sinks to test, and a server that plays AWS for one of them."""

import boto3
import pytest
from moto.server import ThreadedMotoServer
from support.sink_places import SINKS


@pytest.fixture(scope="session")
def secrets_manager():
    """The address of a server that plays AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(secrets_manager, monkeypatch):
    """What a client of that server is made with; it holds no secret yet."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=secrets_manager)
    for each in client.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        client.delete_secret(SecretId=each["Name"], ForceDeleteWithoutRecovery=True)
    return client


@pytest.fixture(params=sorted(SINKS))
def place(request, tmp_path, aws, secrets_manager):
    return SINKS[request.param](tmp_path, aws, secrets_manager)
