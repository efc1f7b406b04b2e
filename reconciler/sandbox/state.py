"""Stores rows of JSON, by collection and id, in a SQLite file or in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMA = """
create table if not exists rows (
  position integer primary key,
  collection text not null,
  id text not null,
  body text not null,
  hidden text not null,
  unique (collection, id)
);
create index if not exists by_position on rows (collection, position);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One stored thing: `body` as answers show it, `hidden` what the server knows and never shows."""

    id: str
    body: dict[str, Any]
    hidden: dict[str, Any] = field(default_factory=dict)


def dump(value: object) -> str:
    """Compact JSON text in ASCII: a lone surrogate has no other way to be stored or sent."""
    return json.dumps(value, separators=(",", ":"))


class Store:
    """Rows in order of their creation; raises OSError when the file cannot be opened or is no store of ours.

    Bodies are stored serialised, so that a list is a join of strings.
    """

    def __init__(self, path: str | None = None) -> None:
        self.lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                # Used by the server's thread and by that of a test, under `lock`.
                path or ":memory:",
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise OSError(f"{path} cannot hold the sandbox's state: {error}") from error
        try:
            # A sandbox has to survive its own restart, not a power cut.
            self._connection.execute("pragma synchronous = off")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._connection.close()
            raise OSError(f"{path} cannot hold the sandbox's state: {error}") from error

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self.lock:
            self._connection.close()

    def snapshot(self) -> bytes:
        """Everything that is stored, for `restore`."""
        with self.lock:
            return self._connection.serialize()

    def restore(self, snapshot: bytes) -> None:
        """Put what a snapshot holds in place of everything; only for a store in memory."""
        with self.lock:
            self._connection.deserialize(snapshot)

    def add(self, collection: str, rows: Iterable[Row]) -> None:
        """Append `rows` in one transaction; sqlite3.IntegrityError when an id is taken."""
        with self.lock:
            self._connection.execute("begin")
            try:
                self._connection.executemany(
                    "insert into rows (collection, id, body, hidden) values (?, ?, ?, ?)",
                    ((collection, row.id, dump(row.body), dump(row.hidden)) for row in rows),
                )
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def get(self, collection: str, row_id: str) -> Row | None:
        """The row of this id, None where there is none."""
        with self.lock:
            found = self._connection.execute(
                "select body, hidden from rows where collection = ? and id = ?",
                (collection, row_id),
            ).fetchone()
        if found is None:
            return None
        return Row(id=row_id, body=json.loads(found[0]), hidden=json.loads(found[1]))

    def put(self, collection: str, row: Row) -> None:
        """Overwrite the row of the same id, in its place."""
        with self.lock:
            self._connection.execute(
                "update rows set body = ?, hidden = ? where collection = ? and id = ?",
                (dump(row.body), dump(row.hidden), collection, row.id),
            )

    def remove(self, collection: str, row_id: str) -> bool:
        """Delete a row; return False when there was none."""
        with self.lock:
            cursor = self._connection.execute(
                "delete from rows where collection = ? and id = ?", (collection, row_id)
            )
            return cursor.rowcount == 1

    def texts(self, collection: str, *, limit: int = -1, offset: int = 0) -> list[str]:
        """The bodies as JSON text, oldest first; `limit` -1 means all."""
        with self.lock:
            rows = self._connection.execute(
                "select body from rows where collection = ? order by position limit ? offset ?",
                (collection, limit, offset),
            ).fetchall()
        return [row[0] for row in rows]

    def rows(self, collection: str) -> list[Row]:
        """The rows of a collection, oldest first."""
        with self.lock:
            found = self._connection.execute(
                "select id, body, hidden from rows where collection = ? order by position",
                (collection,),
            ).fetchall()
        return [Row(id=i, body=json.loads(b), hidden=json.loads(h)) for i, b, h in found]
