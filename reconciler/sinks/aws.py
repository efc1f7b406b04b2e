"""Puts each client's secret into AWS Secrets Manager (docs.aws.amazon.com/secretsmanager, API reference)."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.core.errors import SinkError
from reconciler.core.secrets import reveal

if TYPE_CHECKING:
    from reconciler.core.model import Secret
    from reconciler.sinks.contract import Setting

_NAME: Final = "reconciler/{target}/{key}"
# No client has this key, so that nothing is found under it and nothing is read.
_PROBE_KEY: Final = "reconciler-probe=nothing-here"
_TIMEOUT: Final = 10  # In seconds, to connect and to read.
_ATTEMPTS: Final = 4


class AwsSink:
    """Keeps `{"client_id", "client_secret"}` under a name made of `{target}` and `{key}`.

    Credentials and region come from where AWS's own tools take them. It needs the rights
    secretsmanager:CreateSecret, PutSecretValue and GetSecretValue on the names.
    """

    def __init__(
        self,
        *,
        name: str = _NAME,
        target: str,
        region: str | None = None,
        endpoint: str | None = None,
        kms_key: str | None = None,
    ) -> None:
        self._name, self._target = name, target
        self._region, self._endpoint, self._kms_key = region, endpoint, kms_key
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def place(self) -> str:
        """The service, and the pattern of the names."""
        where = f" in {self._region}" if self._region else ""
        return f"AWS Secrets Manager{where}, {self._name}"

    def probe(self) -> None:
        """Ask for a secret that is not there, by a name as the others have: "not found" is success.

        A right that is missing shows as AccessDenied. Raises SinkError.
        """
        client = self._shared_client()
        try:
            client.get_secret_value(SecretId=self._secret_name(self._target, _PROBE_KEY))
        except client.exceptions.ResourceNotFoundException:
            return
        except Exception as error:  # noqa: BLE001 - botocore's errors have no common base
            problem = _describe(error)
        else:
            return
        raise SinkError(f"{self.place} cannot be used: {problem}")

    def holder(self, target: str, key: str) -> str | None:
        """The id of the client whose secret is there under `key`, None for none. Raises SinkError."""
        found = self._get(target, key)
        return None if found is None else _member_in(found, "client_id")

    def load(self, target: str, key: str) -> str | None:
        """The secret that is there under `key`, None for none. Raises SinkError."""
        found = self._get(target, key)
        return None if found is None else _member_in(found, "client_secret")

    def _get(self, target: str, key: str) -> str | None:
        client = self._shared_client()
        try:
            found = client.get_secret_value(SecretId=self._secret_name(target, key))["SecretString"]
        except client.exceptions.ResourceNotFoundException:
            return None
        except Exception as error:  # noqa: BLE001 - as above
            problem = _describe(error)
        else:
            return str(found)
        raise SinkError(f"{self.place} cannot be read: {problem}")

    def store(self, target: str, key: str, client_id: str, secret: Secret) -> str:
        """Put the secret of a client, as a new version where there is one; the value says where.

        Raises SinkError.
        """
        name = self._secret_name(target, key)
        document = {"client_id": client_id, "client_secret": reveal(secret)}
        text = json.dumps(document, ensure_ascii=False)
        client = self._shared_client()
        try:
            version = self._put(client, name, text)
            # By its version: the newest may be of somebody else, who wrote in between.
            found = client.get_secret_value(SecretId=name, VersionId=version)["SecretString"]
        except Exception as error:  # noqa: BLE001 - as above
            problem = _describe(error)
        else:
            problem = "" if found == text else "it holds something else than was put there"
        if problem:
            raise SinkError(f"{name} in AWS Secrets Manager cannot be written: {problem}")
        return f"AWS Secrets Manager, {name}"

    def _put(self, client: Any, name: str, text: str) -> str:
        # Put first: a create of a name that is there fails, and only a first secret needs it.
        try:
            answer = client.put_secret_value(SecretId=name, SecretString=text)
        except client.exceptions.ResourceNotFoundException:
            kms = {"KmsKeyId": self._kms_key} if self._kms_key else {}
            answer = client.create_secret(Name=name, SecretString=text, **kms)
        return cast("str", answer["VersionId"])

    def _secret_name(self, target: str, key: str) -> str:
        return self._name.replace("{target}", target).replace("{key}", key)

    def _shared_client(self) -> Any:
        """The client, which threads may share; making one takes 100 ms."""
        # Under the lock: boto3 clients are safe to share between threads, making one is not
        # (boto3's guide "Multithreading").
        with self._lock:
            if self._client is None:
                self._client = self._make_client()
            return self._client

    def _make_client(self) -> Any:
        try:
            import boto3  # noqa: PLC0415 - an extra, that only this sink needs
            from botocore.config import Config  # noqa: PLC0415 - as above
        except ImportError:
            problem = "needs boto3: pip install 'oauth-client-reconciler[aws]'"
        else:
            config = Config(
                connect_timeout=_TIMEOUT,
                read_timeout=_TIMEOUT,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            )
            try:
                return boto3.session.Session().client(
                    "secretsmanager",
                    region_name=self._region,
                    endpoint_url=self._endpoint,
                    config=config,
                )
            except Exception as error:  # noqa: BLE001 - as above
                problem = f"cannot be used: {_describe(error)}"
        raise SinkError(f"the sink aws-secretsmanager {problem}")


def _member_in(text: str, name: str) -> str | None:
    """A member of what is stored, None where somebody else stores something there."""
    try:
        return str(json.loads(text)[name])
    except (ValueError, KeyError, TypeError):
        return None


def _describe(error: Exception) -> str:
    """The message of AWS, or of what failed on the way to it. They name the caller, never a value."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        said = response.get("Error", {})
        return f"{said.get('Code', 'error')}: {said.get('Message', '')}".rstrip(": ")
    return f"{type(error).__name__}: {error}"


def make(setting: Setting) -> AwsSink:
    """The sink of a target whose `secrets` may give `name`, `region`, `endpointUrl` and `kmsKey`."""
    options = setting.options
    return AwsSink(
        name=options.get("name", _NAME),
        target=setting.target,
        region=options.get("region"),
        endpoint=options.get("endpointUrl"),
        kms_key=options.get("kmsKey"),
    )
