"""Whose word on a certificate counts, and that what names it is blamed for what it does."""

from __future__ import annotations

import os
from pathlib import Path

import certifi
import httpx
import pytest
import trustme
from support.targets import Server, transport
from support.unprivileged import unprivileged

from reconciler.core.errors import RemoteError, Unreachable
from reconciler.http.authorities import Authorities, authorities_of, trusting_context

OK = httpx.Response(200, json={})
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
PEM = trustme.CA().cert_pem.bytes()


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_public_authorities_are_trusted_where_none_are_named():
    context = trusting_context(authorities_of(None, {}))

    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 10


@pytest.mark.parametrize(
    ("bundle", "environ", "named_by"),
    [
        ("/a.pem", {"SSL_CERT_FILE": "/b.pem", "SSL_CERT_DIR": "/c"}, "caBundle"),
        (None, {"SSL_CERT_FILE": "/b.pem", "SSL_CERT_DIR": "/c"}, "SSL_CERT_FILE"),
        (None, {"SSL_CERT_DIR": "/c"}, "SSL_CERT_DIR"),
        (None, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/c"}, "SSL_CERT_DIR"),
        (None, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}, ""),
    ],
)
def test_a_bundle_counts_before_the_file_and_that_before_the_folder(bundle, environ, named_by):
    assert authorities_of(bundle, environ).named_by == named_by


@pytest.mark.parametrize("named_by", ["caBundle", "SSL_CERT_FILE"])
def test_a_bundle_is_trusted_instead_of_the_public_authorities(tmp_path, named_by):
    bundle = tmp_path / "ca.pem"
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    bundle.write_text(first + end)

    context = trusting_context(Authorities(named_by=named_by, path=str(bundle)))

    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.check_hostname


UNUSABLE = {
    "nothing is there": (None, "No such file or directory"),
    "empty": (b"", "it is empty"),
    "blank": (b" \n\n", "it is empty"),
    "prose": (b"no certificate", "it holds no PEM certificate"),
    "a key alone": (
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "no PEM cert",
    ),
    "DER": (b"\x30\x82\x03\x00" + b"x" * 90, "most likely DER"),
    "UTF-16": ("-----BEGIN CERTIFICATE-----".encode("utf-16"), "UTF-16"),
    "a mark": (b"\xef\xbb\xbf" + PEM, "a byte order mark"),
    "cut off": (PEM[: len(PEM) // 2], "broken or cut off"),
    "broken": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "broken"),
    "a web page": (b"<html>-----BEGIN", "it holds no PEM certificate"),
}


@pytest.mark.parametrize(("content", "why"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("named_by", ["caBundle", "SSL_CERT_FILE"])
def test_a_bundle_that_cannot_be_used_is_told_by_what_names_it(
    tmp_path, monkeypatch, named_by, content, why
):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    stated = {"ca_bundle": str(path)} if named_by == "caBundle" else {}
    if not stated:
        monkeypatch.setenv(named_by, str(path))

    with pytest.raises(RemoteError) as caught:
        transport(Server(OK), **stated)

    message = str(caught.value)
    assert message.startswith(f"shop: {named_by} {path} cannot be used: ")
    assert why in message


@pytest.mark.parametrize("named_by", ["caBundle", "SSL_CERT_FILE"])
def test_a_folder_in_the_place_of_a_bundle_is_told(tmp_path, named_by):
    with pytest.raises(RemoteError, match=f"{named_by} .* cannot be used: Is a directory"):
        trusting_context(Authorities(named_by=named_by, path=str(tmp_path)))


def test_a_bundle_that_nobody_may_read_is_told(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)
    path.chmod(0)

    with (
        unprivileged(),
        pytest.raises(RemoteError, match=r"SSL_CERT_FILE .* cannot be used: Permission denied"),
    ):
        trusting_context(Authorities(named_by="SSL_CERT_FILE", path=str(path)))


def test_a_bundle_whose_name_no_file_can_have_is_told():
    with pytest.raises(RemoteError, match="no file can have such a name"):
        trusting_context(Authorities(named_by="caBundle", path="a\0b"))


FOLDERS = {
    "not there": (None, "No such file or directory"),
    "empty": ((), "it is empty"),
    "no hashes": (("ca.pem", "other.crt"), "openssl rehash"),
}


@pytest.mark.parametrize(("names", "why"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_trusts_nobody_is_told(tmp_path, monkeypatch, names, why):
    folder = tmp_path / "certs"
    if names is not None:
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(PEM)
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))

    with pytest.raises(RemoteError, match=f"SSL_CERT_DIR .* cannot be used: .*{why}"):
        transport(Server(OK))


def test_of_several_folders_one_that_is_there_is_enough(tmp_path):
    (tmp_path / "0123abcd.0").write_bytes(PEM)
    path = os.pathsep.join(["/nowhere", str(tmp_path)])

    assert trusting_context(Authorities(named_by="SSL_CERT_DIR", path=path)).check_hostname


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)

    with pytest.raises(RemoteError, match=r"SSL_CERT_DIR .* cannot be used: .*Not a directory"):
        trusting_context(Authorities(named_by="SSL_CERT_DIR", path=str(path)))


def test_a_log_of_keys_that_cannot_be_written_is_not_blamed_on_the_certificates(
    tmp_path, monkeypatch
):
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))

    with pytest.raises(RemoteError, match="SSLKEYLOGFILE names a file that cannot be written"):
        trusting_context(Authorities(named_by="caBundle", path=str(path)))


def test_no_authority_is_asked_for_where_nothing_is_encrypted(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nope.pem")

    with transport(Server(OK), base_url="http://a.svc", token_url="http://a.svc/token") as target:
        assert target.send("GET", "/clients").body == {}


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"ca_bundle": certifi.where()}, "those of caBundle .*: give .* in that file"),
        ({}, "those of SSL_CERT_FILE .*: give .* there, or as caBundle"),
    ],
)
def test_a_certificate_that_nobody_vouches_for_is_told_with_who_is_trusted(
    monkeypatch, stated, words
):
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    reason = "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate"

    with (
        transport(Server(httpx.ConnectError(reason)), **stated) as target,
        pytest.raises(Unreachable, match=words),
    ):
        target.send("GET", "/clients")


@pytest.mark.parametrize("reason", ["certificate has expired", "Hostname mismatch, not valid for"])
def test_a_certificate_that_is_wrong_otherwise_is_not_blamed_on_the_authorities(reason):
    failed = httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")
    server = Server(failed)

    with transport(server) as target, pytest.raises(Unreachable, match=reason) as caught:
        target.send("GET", "/clients")

    assert "caBundle" not in str(caught.value)
    assert len(server.requests) == 1
