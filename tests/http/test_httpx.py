import subprocess
import sys


def imported(script):
    ended = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(ended.stdout.split())


def test_the_command_line_of_httpx_is_not_loaded_and_not_forbidden():
    loaded = imported("import reconciler.http.transport")
    wanted = imported("import reconciler.http.transport, httpx._main")

    assert "httpx" in loaded
    assert not loaded & {"httpx._main", "rich", "pygments"}
    assert {"httpx._main", "rich"} <= wanted


def test_an_httpx_that_somebody_else_has_loaded_is_left_as_it_is():
    assert "httpx._main" in imported("import httpx, reconciler.http.transport")
