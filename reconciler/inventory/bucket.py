"""Gets and puts small objects of S3, GCS or Azure under conditions, through obstore."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obstore.store import ObjectStore

# Azure's signatures travel in the query of an address.
_QUERY: Final = re.compile(r"\?\S*")
_LONGEST_REASON: Final = 300
# For one try of a request: a store that hangs is an error, and no run without an end.
_TIMEOUT: Final = "20s"
_RETRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as it was read or written, and what tells this writing from others.

    `tag` is its ETag, `version` its version or generation, where the store has those.
    """

    content: bytes
    tag: str | None
    version: str | None


class Bucket:
    """The objects below an address such as s3://bucket/prefix; all of it raises InventoryError."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._store = _open_store(self._url, options)

    def address(self, name: str) -> str:
        """The address of an object, for people."""
        return f"{self._url}/{name}"

    def get(self, name: str) -> StoredObject | None:
        """The object, None if the store says that there is none."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            found = obstore.get(self._store, name)
            content = bytes(found.bytes())
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._problem(name, "read", error)
        else:
            meta = found.meta
            return StoredObject(content=content, tag=meta["e_tag"], version=meta["version"])
        raise InventoryError(problem)

    def is_unchanged(self, name: str, before: StoredObject | None) -> bool:
        """Whether the object is still as it was `before`, None for no object."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            found = obstore.head(self._store, name)
        except FileNotFoundError:
            return before is None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._problem(name, "read", error)
        else:
            now = found["e_tag"], found["version"]
            return before is not None and now == (before.tag, before.version)
        raise InventoryError(problem)

    def put(
        self, name: str, content: bytes, *, replacing: StoredObject | None
    ) -> StoredObject | None:
        """Write an object in place of one that was read, or where none is, and return it.

        None if something else is there (If-Match and If-None-Match, RFC 9110 section 13.1).
        """
        import obstore  # noqa: PLC0415 - an extra

        mode: Any = "create" if replacing is None else _condition(replacing)
        try:
            # In one request: a condition does not cover an upload in parts.
            put = obstore.put(self._store, name, content, mode=mode, use_multipart=False)
        except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
            # obstore repeats a write whose answer was lost, and the repeat is refused: what is there
            # tells whether the first one was carried out.
            found = self.get(name)
            return found if found is not None and found.content == content else None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._problem(name, "written", error)
        else:
            return StoredObject(content=content, tag=put["e_tag"], version=put["version"])
        raise InventoryError(problem)

    def names(self, folder: str) -> list[str]:
        """The names of the objects in a folder, sorted; an error if the bucket is not there."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            return sorted(each["path"] for each in obstore.list(self._store, folder).collect())
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._problem(folder, "listed", error)
        raise InventoryError(problem)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, those that are gone already too."""
        import obstore  # noqa: PLC0415 - an extra

        each = list(names)
        try:
            obstore.delete(self._store, each)
        except FileNotFoundError:
            # One that is gone already. S3 answers that it deleted it, others do not.
            return
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._problem(each[0], "deleted", error)
        else:
            return
        raise InventoryError(problem)

    def _problem(self, name: str, done: str, error: Exception) -> str:
        return f"{self.address(name)} cannot be {done}: {_reason(error)}"


def _open_store(url: str, options: Mapping[str, str]) -> ObjectStore:
    try:
        import obstore  # noqa: PLC0415 - an extra
        from obstore.store import from_url  # noqa: PLC0415 - an extra
    except ImportError:
        problem = "it needs obstore: pip install 'oauth-client-reconciler[object]'"
        raise InventoryError(f"{url} cannot be opened: {problem}") from None
    plain_http = options.get("endpoint", "").startswith("http://")
    client_options: Any = {"allow_http": plain_http, "timeout": _TIMEOUT}
    retry_config: Any = {"max_retries": _RETRIES}
    store_options: Any = dict(options)
    try:
        return from_url(
            url, client_options=client_options, retry_config=retry_config, **store_options
        )
    except (obstore.exceptions.BaseError, OSError, ValueError) as error:
        problem = _reason(error)
    raise InventoryError(f"{url} cannot be opened: {problem}")


def _condition(replacing: StoredObject) -> dict[str, str]:
    """The condition of a write: an ETag, or a version where the store counts those."""
    marks = {"e_tag": replacing.tag, "version": replacing.version}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _reason(error: Exception) -> str:
    """Why the store refused, in one line."""
    # The lines after the first are for those who wrote obstore, and may quote the request.
    lines = str(error).splitlines() or [type(error).__name__]
    return _QUERY.sub("", lines[0])[:_LONGEST_REASON]
