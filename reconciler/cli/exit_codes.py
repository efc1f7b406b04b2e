"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a pipeline can tell from the process alone."""

    DONE = 0
    FAILED = 1  # input, network, server
    CHANGES_PENDING = 2  # only `plan --detailed-exitcode`: Terraform's convention
    REFUSED = 3  # by a guard
    STALE = 4  # the world is not the one that was reviewed
    PARTLY_APPLIED = 5  # some changes done, some not
    USAGE = 64  # sysexits.h; click's own 2 would read as "changes pending"
