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
_LONGEST: Final = 300
_TIMEOUT: Final = "20s"
_RETRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as it was read or written, and what tells this writing from others."""

    content: bytes
    tag: str | None
    version: str | None


class Bucket:
    """The objects below an address such as s3://bucket/prefix; all of it raises InventoryError."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._store = _store(self._url, options)

    def where(self, name: str) -> str:
        """The address of an object, for people."""
        return f"{self._url}/{name}"

    def get(self, name: str) -> Stored | None:
        """The object, None if the store says that there is none."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            found = obstore.get(self._store, name)
            content = bytes(found.bytes())
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._trouble(name, "read", error)
        else:
            meta = found.meta
            return Stored(content=content, tag=meta["e_tag"], version=meta["version"])
        raise InventoryError(problem)

    def unchanged(self, name: str, seen: Stored | None) -> bool:
        """Whether the object is still the one that was seen, None for none."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            found = obstore.head(self._store, name)
        except FileNotFoundError:
            return seen is None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._trouble(name, "read", error)
        else:
            now = found["e_tag"], found["version"]
            return seen is not None and now == (seen.tag, seen.version)
        raise InventoryError(problem)

    def put(self, name: str, content: bytes, *, over: Stored | None) -> Stored | None:
        """Write the object in place of `over`, or where none is; None if something else is there.

        A write that was carried out and not answered is known again by its content.
        """
        import obstore  # noqa: PLC0415 - an extra

        mode: Any = "create" if over is None else _seen(over)
        try:
            # In one request: a condition does not cover an upload in parts.
            put = obstore.put(self._store, name, content, mode=mode, use_multipart=False)
        except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
            found = self.get(name)
            return found if found is not None and found.content == content else None
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._trouble(name, "written", error)
        else:
            return Stored(content=content, tag=put["e_tag"], version=put["version"])
        raise InventoryError(problem)

    def names(self, folder: str) -> list[str]:
        """The names of the objects in a folder, sorted; an error if the bucket is not there."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            return sorted(each["path"] for each in obstore.list(self._store, folder).collect())
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._trouble(folder, "listed", error)
        raise InventoryError(problem)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects."""
        import obstore  # noqa: PLC0415 - an extra

        doomed = list(names)
        try:
            obstore.delete(self._store, doomed)
        except FileNotFoundError:
            return
        except (obstore.exceptions.BaseError, OSError) as error:
            problem = self._trouble(doomed[0], "deleted", error)
        else:
            return
        raise InventoryError(problem)

    def _trouble(self, name: str, done: str, error: Exception) -> str:
        return f"{self.where(name)} cannot be {done}: {_reason(error)}"


def _store(url: str, options: Mapping[str, str]) -> ObjectStore:
    try:
        import obstore  # noqa: PLC0415 - an extra
        from obstore.store import from_url  # noqa: PLC0415 - an extra
    except ImportError:
        problem = "it needs obstore: pip install 'oauth-client-reconciler[object]'"
        raise InventoryError(f"{url} cannot be opened: {problem}") from None
    plain = options.get("endpoint", "").startswith("http://")
    connecting: Any = {"allow_http": plain, "timeout": _TIMEOUT}
    retrying: Any = {"max_retries": _RETRIES}
    stated: Any = dict(options)
    try:
        return from_url(url, client_options=connecting, retry_config=retrying, **stated)
    except (obstore.exceptions.BaseError, OSError, ValueError) as error:
        problem = _reason(error)
    raise InventoryError(f"{url} cannot be opened: {problem}")


def _seen(over: Stored) -> dict[str, str]:
    """What obstore compares: an ETag, or a version where the store counts those."""
    marks = {"e_tag": over.tag, "version": over.version}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _reason(error: Exception) -> str:
    """Why the store refused: the first line, as the rest is for those who wrote obstore."""
    lines = str(error).splitlines() or [type(error).__name__]
    return _QUERY.sub("", lines[0])[:_LONGEST]
