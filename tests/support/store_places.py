"""The stores that the contract suite is run on: how each is opened, and what a crash leaves in it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
from obstore.store import from_url

from reconciler.inventory import file, objects
from reconciler.inventory.lease import Clock


class SetClock:
    """A clock that stands until it is moved; who sleeps only lets others go on."""

    def __init__(self) -> None:
        self.seconds = 1_795_428_000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, _seconds: float) -> None:
        time.sleep(0.001)


@dataclass
class FilePlace:
    """A folder."""

    folder: Path
    name: str = "file"

    def serial(self, _writes: int) -> int | None:
        """What the record says after so many writes: it has no number."""
        return None

    def record(self, key: str) -> str:
        """The name of what is kept of a client."""
        return f"shop/{key}.json"

    def store(self) -> file.FileStore:
        return file.FileStore(self.folder)

    def snapshot(self) -> dict[str, bytes]:
        """What is kept, by name, locks aside."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.relative_to(self.folder).parts[0].startswith(".")
        }

    def restore(self, kept: dict[str, bytes]) -> None:
        """Have exactly that kept."""
        for name in self.snapshot().keys() - kept.keys():
            (self.folder / name).unlink()
        for folder in self.folder.glob("[!.]*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        for name, content in kept.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)

    def outlive(self) -> None:
        """Wait for the lock of a process that died: the system frees it."""

    def opening(self) -> str:
        """Python that makes the store, for another process."""
        return f"__import__('reconciler.inventory.file').inventory.file.FileStore({str(self.folder)!r})"


@dataclass
class ObjectPlace:
    """A prefix of a bucket; `options` are those of the project file."""

    url: str
    options: dict[str, str]
    private: Path
    clock: SetClock = field(default_factory=SetClock)
    name: str = "object"

    def serial(self, writes: int) -> int | None:
        """What the record says after so many writes."""
        return writes

    def record(self, _key: str) -> str:
        """The name of what is kept of a client: of all of them."""
        return "shop.json"

    def store(self) -> objects.ObjectStore:
        clock = Clock(wall=self.clock, monotonic=self.clock, sleep=self.clock.sleep)
        return objects.ObjectStore(
            self.url, private=self.private, options=self.options, clock=clock
        )

    def raw(self) -> Any:
        return from_url(self.url, client_options={"allow_http": True}, **self.options)

    def snapshot(self) -> dict[str, bytes]:
        """What is kept, by name, locks aside."""
        store = self.raw()
        names = [each["path"] for each in obstore.list(store).collect()]
        return {
            name: bytes(obstore.get(store, name).bytes())
            for name in names
            if not name.endswith(".lock")
        }

    def restore(self, kept: dict[str, bytes]) -> None:
        """Have exactly that kept."""
        store = self.raw()
        for name in self.snapshot().keys() - kept.keys():
            obstore.delete(store, name)
        for name, content in kept.items():
            obstore.put(store, name, content)

    def outlive(self) -> None:
        """Wait for the lock of a process that died: years, so that no real clock matters."""
        self.clock.seconds = 4e9

    def opening(self) -> str:
        """Python that makes the store, for another process, which goes by the real clock.

        Ours stands before it, so that no lock of that process is over.
        """
        self.clock.seconds = 0.0
        made = f"ObjectStore({self.url!r}, private={str(self.private)!r}, options={self.options!r})"
        return f"__import__('reconciler.inventory.objects').inventory.objects.{made}"
