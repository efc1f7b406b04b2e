import os
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from support.measuring import unmeasured

from reconciler.core.errors import SinkError
from reconciler.core.model import Secret
from reconciler.sinks import registry
from reconciler.sinks.contract import Setting

SECRET = Secret("s3cr3t/of+the=web client")


def python(program):
    return [sys.executable, "-c", program]


def sink(root, command, withheld=frozenset(), **options):
    options = {"command": command, **options}
    return registry.make_sink(
        "exec", Setting(target="shop", root=str(root), options=options, withheld=withheld)
    )


def refused(made):
    with pytest.raises(SinkError) as caught:
        made.store("shop", "web", "id-1", SECRET)
    return str(caught.value)


def test_the_secret_comes_on_stdin_byte_for_byte_and_in_no_argument_or_variable(tmp_path):
    program = (
        "import os, pathlib, sys\n"
        "pathlib.Path('stdin').write_bytes(sys.stdin.buffer.read())\n"
        "pathlib.Path('rest').write_text(repr(sys.orig_argv) + repr(dict(os.environ)))\n"
    )

    sink(tmp_path, python(program)).store("shop", "web", "id-1", SECRET)

    rest = (tmp_path / "rest").read_text()
    assert (tmp_path / "stdin").read_bytes() == SECRET.value.encode()
    assert SECRET.value not in rest
    assert "'RECONCILER_TARGET': 'shop'" in rest
    assert "'RECONCILER_CLIENT_KEY': 'web'" in rest
    assert "'RECONCILER_CLIENT_ID': 'id-1'" in rest


def test_no_shell_reads_the_arguments(tmp_path):
    program = "import pathlib, sys; pathlib.Path('argument').write_text(sys.argv[1])"

    sink(tmp_path, [*python(program), "$HOME; echo *"]).store("shop", "web", "1", SECRET)

    assert (tmp_path / "argument").read_text() == "$HOME; echo *"


def test_the_command_does_not_learn_what_the_tool_logs_in_with(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGIN_SECRET", "the-tools-own")
    monkeypatch.setenv("VAULT_TOKEN", "the-commands-own")
    program = "import os, pathlib; pathlib.Path('names').write_text(' '.join(os.environ))"

    sink(tmp_path, python(program), frozenset({"LOGIN_SECRET"})).store("shop", "web", "1", SECRET)

    names = (tmp_path / "names").read_text().split()
    assert "VAULT_TOKEN" in names
    assert "LOGIN_SECRET" not in names


def test_an_exit_code_that_is_not_0_is_a_failure(tmp_path):
    message = refused(sink(tmp_path, python("raise SystemExit(3)")))

    assert message == f"the command {sys.executable} exited with 3"


def test_what_the_command_says_is_shown_in_the_end_without_the_secret(tmp_path):
    program = (
        "import sys, urllib.parse\n"
        "secret = sys.stdin.read()\n"
        "print('out ' + secret)\n"
        "sys.stderr.write('x' * 9000 + f'\\n\\x1b[31mdenied: {secret} {secret[:12]}'"
        " f' {urllib.parse.quote(secret)}')\n"
        "sys.exit(1)\n"
    )

    message = refused(sink(tmp_path, python(program)))

    assert message.endswith("denied: (secret) (secret) (secret)")
    assert "\x1b" not in message
    assert "s3cr3t" not in message
    assert len(message) < 500


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    program = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
        "child.wait()\n"
    )

    with patch.dict(os.environ, unmeasured(), clear=True):
        message = refused(sink(tmp_path, python(program), timeout="3s"))

    assert "was ended, since it took more than 3 seconds" in message
    child = int((tmp_path / "pid").read_text())
    # It was killed before the sink came back; the system may take a moment to carry that out.
    assert any(_is_gone(child) or time.sleep(0.01) for _ in range(3000))


def _is_gone(pid):
    """Whether a process is dead; one that nobody has collected yet counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_command_that_does_not_read_its_input_decides_by_its_exit_code(tmp_path):
    made = sink(tmp_path, python("pass"))

    assert (
        made.store("shop", "web", "1", Secret("x" * 1_000_000)) == f"the command {sys.executable}"
    )


@pytest.mark.parametrize("name", ["not-there-at-all", "./not-there", "/not/there"])
def test_a_program_that_is_not_there_is_found_by_the_probe_and_by_the_store(tmp_path, name):
    made = sink(tmp_path, [name])

    with pytest.raises(SinkError, match=f"there is no program {name}"):
        made.probe()
    assert "cannot be started" in refused(made)


def test_a_program_of_the_project_is_found_from_its_folder(tmp_path):
    script = tmp_path / "bin" / "keep"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\ncat > kept\n")
    script.chmod(0o755)
    made = sink(tmp_path, ["bin/keep"])

    made.probe()
    made.store("shop", "web", "1", SECRET)

    assert (tmp_path / "kept").read_text() == SECRET.value


def test_a_probe_command_decides_and_gets_no_secret(tmp_path):
    wrong = python("import sys; sys.stderr.write('login first' + sys.stdin.read()); sys.exit(2)")

    sink(tmp_path, python("pass"), probe=python("pass")).probe()

    with pytest.raises(SinkError, match=r"exited with 2: login first$"):
        sink(tmp_path, python("pass"), probe=wrong).probe()


def test_a_probe_program_that_is_not_there_is_found(tmp_path):
    with pytest.raises(SinkError, match="there is no program missing"):
        sink(tmp_path, python("pass"), probe=["missing"]).probe()


def test_the_environment_of_the_tool_is_left_as_it_is(tmp_path):
    before = dict(os.environ)

    sink(tmp_path, python("pass")).store("shop", "web", "1", SECRET)

    assert dict(os.environ) == before
