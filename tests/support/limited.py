"""A disk that is full, for one process: the size of every file that it writes is limited."""

from __future__ import annotations

# Runs the command line under a limit for the size of files, in bytes: more is refused, as by a full disk.
LIMITED = """
import resource, runpy, signal, sys
limit = int(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.argv = ["reconciler", *sys.argv[2:]]
runpy.run_module("reconciler", run_name="__main__", alter_sys=True)
"""
