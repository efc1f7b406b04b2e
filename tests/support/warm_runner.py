"""Runs `python -m reconciler` again and again as forks of one warm process, each killed where it is told.

Reads one order a line from stdin, as JSON: `cwd`, `env`, `arguments`, `output` (a file), and `kill`, which
is None or {"at": n, "torn": bool}: the n-th point among the run's changes to files of `cwd`, each
of which has one before and one after it. A torn one is killed before an fsync, with half of what was
written since the last one on disk. Answers with the pid, and at the end with the exit code, one a line.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import runpy
import signal
import stat
import sys
import threading

MUTATING = ("mkdir", "replace", "rename", "unlink", "remove", "rmdir", "link", "truncate")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Points:
    """Counts the changes to files under `root`, and kills this process at one of them."""

    def __init__(self, root: str, at: int, *, torn: bool) -> None:
        self.root, self.at, self.torn = root, at, torn
        self.count = 0
        self.files: set[int] = set()
        self.synced: dict[int, int] = {}
        self.lock = threading.Lock()

    def concerns(self, place: object) -> bool:
        if isinstance(place, int):
            return place in self.files
        path = os.path.abspath(os.fspath(place))  # noqa: PTH100 - it must not follow links
        return path.startswith(self.root + os.sep)

    def reach(self) -> None:
        if self.torn:
            return
        with self.lock:
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def tear(self, descriptor: int) -> None:
        """Leave half of what is not on disk yet, as a power cut may."""
        there = os.fstat(descriptor)
        before = self.synced.get(there.st_ino, 0)
        if not self.torn or not stat.S_ISREG(there.st_mode) or there.st_size <= before:
            return
        with self.lock:
            self.count += 1
            if self.count == self.at:
                os.ftruncate(descriptor, before + (there.st_size - before) // 2)
                os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points) -> None:
    """Let `points` know of every change to a file from now on."""
    for name in MUTATING:
        setattr(os, name, _reaching(points, getattr(os, name)))
    opening, fsync, write = os.open, os.fsync, os.write

    def os_open(path, flags, *rest, **more):
        if not flags & WRITING or not points.concerns(path):
            return opening(path, flags, *rest, **more)
        points.reach()
        descriptor = opening(path, flags, *rest, **more)
        points.files.add(descriptor)
        points.reach()
        return descriptor

    def os_fsync(descriptor):
        if descriptor in points.files:
            points.tear(descriptor)
        points.reach()
        fsync(descriptor)
        there = os.fstat(descriptor)
        points.synced[there.st_ino] = there.st_size
        points.reach()

    def os_write(descriptor, content):
        if descriptor not in points.files:
            return write(descriptor, content)
        points.reach()
        written = write(descriptor, content)
        points.reach()
        return written

    def io_open(file, mode="r", *rest, **more):
        if isinstance(file, int) or not set(mode) & set("wax+") or not points.concerns(file):
            return io_original(file, mode, *rest, **more)
        points.reach()
        opened = io_original(file, mode, *rest, **more)
        points.files.add(opened.fileno())
        points.reach()
        return opened

    io_original = io.open
    os.open, os.fsync, os.write = os_open, os_fsync, os_write
    io.open = builtins.open = io_open


def _reaching(points: Points, original):
    def call(path, *rest, **more):
        if not points.concerns(path):
            return original(path, *rest, **more)
        points.reach()
        result = original(path, *rest, **more)
        points.reach()
        return result

    return call


def warm_up() -> None:
    """Import what a run imports late, so that no fork has to."""
    import anyio  # noqa: F401, PLC0415
    import filelock  # noqa: F401, PLC0415
    import httpx  # noqa: F401, PLC0415
    import jsonschema  # noqa: F401, PLC0415
    import jsonschema_rs  # noqa: F401, PLC0415
    import rich.progress  # noqa: F401, PLC0415

    from reconciler.http.transport import Transport  # noqa: PLC0415

    # Waits are proven elsewhere: here a second try follows at once.
    Transport.__init__.__kwdefaults__["jitter"] = lambda: 0.0


def run(order) -> None:
    """Be one run of the command line, from beginning to end."""
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if order["kill"] is not None:
        watch(Points(order["cwd"], order["kill"]["at"], torn=order["kill"]["torn"]))
    sys.argv = ["reconciler", *order["arguments"]]
    runpy.run_module("reconciler", run_name="__main__", alter_sys=True)


def main() -> None:
    """Take orders until there are no more."""
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            run(order)
            os._exit(0)
        print(json.dumps(pid), flush=True)  # noqa: T201 - this is how it answers
        _, status = os.waitpid(pid, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
