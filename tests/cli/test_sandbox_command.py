from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_answers_where_it_says_until_it_is_stopped(
    number: signal.Signals, tmp_path: Path
):
    with start("--ready-file", "ready.json", cwd=tmp_path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        ready = json.loads((tmp_path / "ready.json").read_text())
        with (
            pytest.raises(urllib.error.HTTPError, match="401"),
            urllib.request.urlopen(ready["addresses"]["boruta"] + "/clients"),
        ):
            pass
        process.send_signal(number)
        _, err = process.communicate()

    assert process.returncode == 0
    assert [line.split()[-1] for line in lines[:5]] == [
        ready["addresses"]["provident"],
        ready["addresses"]["sailpoint"],
        ready["addresses"]["boruta"],
        ready["addresses"]["borutaToken"],
        "ready.json",
    ]
    assert "Traceback" not in err
    assert not (tmp_path / "ready.json").exists()


def test_no_secret_of_the_sandbox_is_printed(tmp_path: Path):
    with start("--ready-file", "ready.json", cwd=tmp_path) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        ready = json.loads((tmp_path / "ready.json").read_text())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    for credential in ready["credentials"].values():
        assert credential["clientSecret"] not in first + out + err


def test_without_a_ready_file_the_credentials_stay_unknown(tmp_path: Path):
    with start(cwd=tmp_path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        process.communicate()

    assert process.returncode == 0
    assert lines[4] == "credentials  made anew on each start, see --env\n"
    assert list(tmp_path.iterdir()) == []


def test_its_exports_are_lines_for_a_shell_and_nothing_else_goes_to_stdout(tmp_path: Path):
    with start("--env", "--ready-file", "ready.json", cwd=tmp_path) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        ready = json.loads((tmp_path / "ready.json").read_text())
        lines = [first, *(process.stdout.readline() for _ in range(len(ready["env"]) - 1))]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate()

    shell = subprocess.run(
        ["env", "-i", "sh", "-c", f"{''.join(lines)}env"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(shell.stdout.splitlines()) >= {f"{name}={it}" for name, it in ready["env"].items()}
    assert all(line.startswith("export ") for line in lines)
    assert out == ""
    assert "Ctrl-C stops it." in err


def test_a_port_in_use_is_a_sentence(invoke: Callable[..., Result]):
    import socket  # noqa: PLC0415 - the only test that needs it

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = invoke("sandbox", "--port", str(taken.getsockname()[1]))

    assert done.exit_code == 1
    assert "error: " in done.stderr
    assert "in use" in done.stderr


def test_an_unknown_fault_is_wrong_usage_and_names_the_known_ones(invoke: Callable[..., Result]):
    done = invoke("sandbox", "--fault", "gremlins")

    assert done.exit_code == 64
    assert "unknown fault 'gremlins'" in done.stderr
    assert "latency" in done.stderr


def test_without_its_packages_the_sandbox_says_what_to_install(tmp_path: Path):
    code = (
        "import sys\n"
        "sys.modules['starlette'] = None\n"
        "from reconciler.cli.root import root\n"
        "root(['sandbox', '--port', '0'])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.returncode == 1
    assert "pip install 'oauth-client-reconciler[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr
