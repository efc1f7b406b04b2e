import json
import sys

import boto3
import pytest
from support.sink_places import make

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks.aws import AwsSink

SECRET = Secret("hunter2-hunter2")


@pytest.fixture
def sink(tmp_path, aws, secrets_manager):  # noqa: ARG001 - it sets the stage
    def made(**options):
        given = {"region": "eu-west-1", "endpointUrl": secrets_manager, **options}
        return make("aws-secretsmanager", tmp_path, **given)

    return made


def test_a_secret_has_the_default_name(sink, aws):
    where = sink().store("shop", "web", "1", SECRET)

    assert where == "AWS Secrets Manager, reconciler/shop/web"
    assert aws.describe_secret(SecretId="reconciler/shop/web")["Name"] == "reconciler/shop/web"


def test_a_second_secret_is_a_new_version_of_the_same(sink, aws):
    made = sink(name="{key}.{target}")
    made.store("shop", "web", "1", Secret("the-old-one"))

    made.store("shop", "web", "1", SECRET)

    versions = aws.list_secret_version_ids(SecretId="web.shop")["Versions"]
    stages = sorted(stage for each in versions for stage in each["VersionStages"])
    assert stages == ["AWSCURRENT", "AWSPREVIOUS"]
    current = json.loads(aws.get_secret_value(SecretId="web.shop")["SecretString"])
    assert current == {"client_id": "1", "client_secret": "hunter2-hunter2"}


def test_a_new_secret_is_encrypted_with_the_key_that_is_named(sink, aws):
    sink(kmsKey="alias/clients").store("shop", "web", "1", SECRET)

    assert aws.describe_secret(SecretId="reconciler/shop/web")["KmsKeyId"] == "alias/clients"


def test_a_secret_that_is_about_to_be_deleted_is_a_failure_that_says_so(sink, aws):
    sink().store("shop", "web", "1", SECRET)
    aws.delete_secret(SecretId="reconciler/shop/web")

    with pytest.raises(SinkError, match="InvalidRequestException") as caught:
        sink().store("shop", "web", "1", SECRET)

    assert "hunter2" not in str(caught.value)


def test_a_service_that_shows_something_else_than_was_stored_is_a_failure(sink, monkeypatch):
    def tampered(params, **_rest):
        params["SecretString"] = "{}"

    class Tampering(boto3.session.Session):
        def __init__(self):
            super().__init__()
            self.events.register("provide-client-params.secretsmanager.CreateSecret", tampered)

    monkeypatch.setattr(boto3.session, "Session", Tampering)
    with pytest.raises(SinkError, match="holds something else than was put there"):
        sink().store("shop", "web", "1", SECRET)


def test_a_probe_that_finds_a_secret_of_its_own_name_is_well(sink, aws):
    aws.create_secret(Name="reconciler/shop/reconciler-probe=nothing-here", SecretString="x")

    sink().probe()


def test_without_a_region_the_probe_says_what_is_missing(sink, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SinkError, match="region"):
        sink(region=None).probe()


def test_without_credentials_the_probe_says_what_is_missing(sink, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")

    with pytest.raises(SinkError, match="cannot be used: NoCredentialsError"):
        sink().probe()


def test_without_boto3_the_probe_says_what_to_install(sink, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(SinkError, match=r"oauth-client-reconciler\[aws\]"):
        sink().probe()


def test_its_place_is_the_service_and_the_pattern_of_the_names(sink):
    assert sink().place == "AWS Secrets Manager in eu-west-1, reconciler/{target}/{key}"
    assert sink(region=None).place == "AWS Secrets Manager, reconciler/{target}/{key}"


def test_it_knows_whose_secret_it_holds(sink, aws):
    made = AwsSink(target="shop", region="eu-west-1", endpoint=aws.meta.endpoint_url)
    sink().store("shop", "web", "id-1", SECRET)
    aws.create_secret(Name="reconciler/shop/app", SecretString="something of theirs")

    assert made.holder("shop", "web") == "id-1"
    assert made.holder("shop", "app") is None
    assert made.holder("shop", "not-there") is None
    assert made.load("shop", "web") == SECRET.value
    assert made.load("shop", "app") is None
    assert made.load("shop", "not-there") is None


def test_a_service_that_does_not_say_whose_secret_it_holds_is_a_failure(aws):  # noqa: ARG001
    made = AwsSink(target="shop", region="eu-west-1", endpoint="http://127.0.0.1:1")

    with pytest.raises(SinkError, match="cannot be read: EndpointConnectionError"):
        made.holder("shop", "web")
