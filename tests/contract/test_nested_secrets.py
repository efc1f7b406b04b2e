"""A life of a client whose secrets lie inside objects and lists, on a server that shows, masks or hides them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.nested_vendor import running

ROOT = Path(__file__).parents[2]
SECRETS = {
    "MAIL": "mail-pass-71",
    "NEXT": "mail-pass-72",
    "TLS": "tls-key-73",
    "HOOK": "hook-val-74",
    "HEADER": "header-val-75",
    "PIN": "pin-val-76",
    "SECRET_A": "extra-val-77",
    "NESTED_TOKEN": "login-val-78",
}
LIVE_ONLY = "live-only-79"
MANIFEST = """\
apiVersion: reconciler/v1
kind: NestedClient
metadata: {name: web, target: mine}
spec:
  name: Web
  redirect_uris: [https://a.example.com/cb]
  mail: {host: mail.example.com, password: {env: MAIL}, tls: {key: {env: TLS}}}
  hooks: [{url: "https://h.example.com", token: {env: HOOK}}]
  headers: {x-auth: {env: HEADER}}
  vault: {address: "https://v.example.com", pin: {env: PIN}}
  extra: {s_a: {env: SECRET_A}, plain: p}
"""


class Life:
    """The real program in a folder, and all that it ever printed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.printed = ""

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "-v", *arguments],
            cwd=self.root,
            env={**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed += done.stdout + done.stderr
        return done.returncode, done.stdout

    def state(self, text: str) -> None:
        (self.root / "clients" / "web.yaml").write_text(text, "utf-8")

    def left(self) -> str:
        """All files but the private ones and those that the test wrote."""
        files = [path for path in self.root.rglob("*") if path.is_file()]
        private = self.root / ".reconciler" / "secrets"
        return "\n".join(path.read_text() for path in files if private not in path.parents)


STYLES = ["put-full", "put-partial", "json-patch"]
MASKS = [None, "", "**********", "$encrypted$", "<redacted>", "hidden"]
LIVES = [("put-full", mask) for mask in MASKS] + [
    (style, mask) for style in STYLES[1:] for mask in (None, "*****")
]


@pytest.mark.parametrize(("style", "mask"), LIVES)
def test_secrets_inside_objects_are_kept_and_never_shown(tmp_path, style, mask):
    life = Life(tmp_path)
    with running(tmp_path, style) as vendor:
        vendor.mask = mask
        life.state(MANIFEST)
        assert life.run("apply", "--auto-approve", "--show-requests")[0] == 0
        assert life.run("plan", "--detailed-exitcode")[0] == 0
        live = vendor.clients["c1"]
        live["mail"] |= {"port": 25, "unknown": {"api_key": LIVE_ONLY}}
        live["logo_uri"] = "https://x.example/logo.png"
        life.state(MANIFEST.replace("mail.example.com", "mail2.example.com"))
        # A mask of what nobody stated would go back as the secret: that is refused, where it must go.
        carried = mask not in (None, "") and style != "json-patch"
        if carried:
            del live["mail"]["unknown"]
        assert life.run("apply", "--auto-approve", "--show-requests", "--receipt", "r.json")[0] == 0
        after = vendor.clients["c1"]
        assert after["mail"]["host"] == "mail2.example.com"
        assert after["mail"]["port"] == 25
        assert (after["mail"]["password"], after["mail"]["tls"]) == (
            SECRETS["MAIL"],
            {"key": SECRETS["TLS"]},
        )
        assert after["logo_uri"] == "https://x.example/logo.png"
        if not carried and mask is None:
            assert after["mail"]["unknown"] == {"api_key": LIVE_ONLY}
        life.state(
            MANIFEST.replace("mail.example.com", "mail2.example.com").replace("MAIL}", "NEXT}")
        )
        life.run("plan", "--format", "json", "--out", "plan.json")
        life.run("plan", "--format", "markdown")
        vendor.refuses = True
        assert life.run("apply", "plan.json")[0] != 0
        vendor.refuses = False
        assert life.run("apply", "--auto-approve")[0] == 0
        assert vendor.clients["c1"]["mail"]["password"] == SECRETS["NEXT"]
        assert life.run("plan", "--detailed-exitcode")[0] == 0
        secrets = {*SECRETS.values(), LIVE_ONLY, *vendor.issued}
    told = life.printed + life.left()
    assert [secret for secret in secrets if secret in told] == []
    stored = "".join(
        path.read_text() for path in (tmp_path / ".reconciler/secrets").rglob("*.json")
    )
    assert all(secret in stored for secret in vendor.issued)


@pytest.mark.parametrize(
    ("style", "mask"), [("put-full", None), ("put-full", "***"), ("put-partial", "[REDACTED]")]
)
def test_an_import_writes_no_secret_and_no_mask(tmp_path, style, mask):
    life = Life(tmp_path)
    with running(tmp_path, style) as vendor:
        vendor.clients["c1"] = {
            "id": "c1",
            "name": "Web",
            "redirect_uris": [],
            "mail": {"host": "h", "password": SECRETS["MAIL"]},
            "hooks": [{"url": "u", "token": SECRETS["HOOK"]}],
            "client_secret": "issued-80",
            "registration_access_token": "issued-81",
            "confidential": True,
        }
        vendor.mask = mask
        assert life.run("import", "mine", "--all")[0] == 0
        written = next((tmp_path / "clients").rglob("*.yaml"))
        assert mask is None or mask not in written.read_text()
        assert life.run("plan", "--detailed-exitcode")[0] == 0
        written.write_text(written.read_text().replace("name: Web", "name: Shop"))
        code, out = life.run("apply", "--auto-approve")
        # A whole PUT would have to carry what the server hides.
        refused = style == "put-full" and mask is not None
        assert (code, "hidden-secret" in out) == ((3, True) if refused else (0, False))
        assert vendor.clients["c1"]["mail"]["password"] == SECRETS["MAIL"]
        assert vendor.clients["c1"]["hooks"] == [{"url": "u", "token": SECRETS["HOOK"]}]
    told = life.printed + life.left()
    assert not [one for one in (*SECRETS.values(), "issued-80", "issued-81") if one in told]


def test_an_update_that_the_server_ignores_is_not_done_and_asked_again(tmp_path):
    life = Life(tmp_path)
    with running(tmp_path) as vendor:
        life.state(MANIFEST)
        life.run("apply", "--auto-approve")
        life.state(MANIFEST.replace("[https://a.example.com/cb]", "[]"))
        vendor.deaf = True
        code, out = life.run("apply", "--auto-approve")
        assert (code, "still shows redirect_uris as it was before" in out) == (5, True)
        assert life.run("plan", "--detailed-exitcode")[0] == 2
        vendor.deaf = False
        assert life.run("apply", "--auto-approve")[0] == 0
        assert life.run("plan", "--detailed-exitcode")[0] == 0


def test_a_folder_that_asks_for_too_much_is_told_once_a_word_and_not_once_a_manifest(tmp_path):
    life = Life(tmp_path)
    with running(tmp_path):
        schema = tmp_path / "providers/nested/client.schema.json"
        text = schema.read_text()
        schema.write_text(text.replace('"secret": true', '"secert": true'))
        for name in ("a", "b", "c"):
            (tmp_path / "clients" / f"{name}.yaml").write_text(
                MANIFEST.replace("name: web", f"name: {name}")
            )
        code, _ = life.run("validate")
    assert code == 1
    told = [line for line in life.printed.splitlines() if "error: " in line]
    assert len(told) == text.count('"secret": true')
    assert all("did you mean `secret`?" in line for line in told)
    assert "clients/" not in life.printed
