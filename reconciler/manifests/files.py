"""Turns a path into the bytes of its file, or into a sentence that says why there are none."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reconciler.manifests.yaml.reader import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

# A pipe must not be waited for; a system without this flag has no pipes among its files.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# By this somebody who writes a manifest, however wrongly, says so. The name of the tool alone is in the
# path of many a checkout, and so in the files and variables of a runner.
_MEANT: Final = re.compile(rb"api_?version[\"']?\s*:\s*[\"']?\s*reconciler/", re.IGNORECASE)
_CHUNK: Final = 1024 * 1024
_LARGE: Final = 64 * 1024  # bytes of YAML that take about six milliseconds to read
_SAMPLE: Final = 32


class Unreadable(Exception):
    """There are no bytes to read; the message says why."""


def read_bytes(path: str) -> bytes:
    """The bytes of a regular file of at most MAX_BYTES; raises Unreadable for anything else."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            return _content(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except OSError as error:
        raise Unreadable(f"this cannot be read: {error.strerror}") from None
    except ValueError:
        # Python's own sentence differs from version to version, and ours must not.
        raise Unreadable("this cannot be read: embedded null byte") from None


def is_like_manifest(text: bytes) -> bool:
    """Whether a text, broken or not, is meant as a file of this tool: it names the tool's API.

    Of any other no word is shown: it may be a log-in, a key or a password file that a pattern or a link
    led to.
    """
    # Also in UTF-16, which has a zero byte beside each of the letters.
    return _MEANT.search(text.replace(b"\0", b"")) is not None


def are_large(paths: Sequence[str]) -> bool:
    """Whether files are so large that reading them takes a while, by the size of the first few."""
    size, sample = 0, paths[:_SAMPLE]
    for path in sample:
        with suppress(OSError, ValueError):
            size += os.stat(path).st_size  # noqa: PTH116 - a Path costs more than the call
    return size * len(paths) >= _LARGE * len(sample) > 0


def _content(descriptor: int) -> bytes:
    # The open file and not the path: what the path means may change in between.
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("this is not a file")
    chunk = os.read(descriptor, status.st_size + 1) if status.st_size <= MAX_BYTES else b""
    if len(chunk) == status.st_size:
        return chunk
    # A file that grows meanwhile, or whose size the system does not tell, as in /proc.
    chunks, size = [chunk], max(len(chunk), status.st_size)
    while chunk and size <= MAX_BYTES:
        chunk = os.read(descriptor, _CHUNK)
        chunks.append(chunk)
        size = sum(map(len, chunks))
    if size > MAX_BYTES:
        raise Unreadable(f"the file is larger than {MAX_BYTES // 1024**2} MiB")
    return b"".join(chunks)
