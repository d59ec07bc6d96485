"""The connection to a Milvus server or file: time limits, retries, and one clear line.

What a server refuses for now (it restarts, its connection is gone) is asked again with growing
pauses until a call's time limit is over; `pymilvus` does so only for some of it. Every write of
ours may be repeated: it names the rows it writes.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unify.engine.errors import IndexUnavailable, MissingPackage, NoIndex
from unify.engine.milvus.place import MilvusPlace

CONNECT_S = 10.0
READ_S = 30.0
WRITE_S = 120.0
PAUSES_S = (0.25, 8.0)  # between tries: the first, doubled up to the last
LOAD_S = 600.0  # what builds indexes or reads them into memory
PAGE = 10_000  # short rows that are listed at once; the server sends 100 MB at most
MOST = 16_384  # rows that a Milvus search may return


class Link:
    """A client of one server or file."""

    def __init__(self, place: MilvusPlace, create: bool = False) -> None:
        """Connect.

        Args:
            place: where.
            create: make the file where there is none.

        Raises:
            MissingPackage: the client is not installed.
            NoIndex: there is no such file.
            IndexUnavailable: nobody answers, or the token is refused.
        """
        self.place = place
        _require("pymilvus", "pip install 'unify-search[milvus]'")
        if place.embedded:
            _require("milvus_lite", "pip install milvus-lite, or name a server")
            if not create and not Path(place.uri).exists():
                raise NoIndex(
                    f"no file {place.uri}", f"fill it: unify index push '{place}' --index DIR"
                )
            if create:
                Path(place.uri).absolute().parent.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read once, by the import of grpc
        from pymilvus import MilvusClient

        for name in ("pymilvus", "milvus_lite"):  # they print tracebacks of what we say in a line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        options: dict[str, Any] = {"token": place.token}
        if place.embedded:  # a busy server in this process takes many pings for an attack
            options["grpc_options"] = {"grpc.keepalive_time_ms": 600_000}
        if place.authority:
            options |= {"server_pem_path": place.authority, "secure": True}
        try:
            self._client = MilvusClient(place.uri, timeout=CONNECT_S, **options)
        except Exception as error:  # grpc, pymilvus and the embedded server have no common base
            raise self._unavailable("cannot be reached", error) from None

    def read(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the client that changes nothing.

        Raises:
            IndexUnavailable: the server does not answer, or refuses.
        """
        return self._call(method, READ_S, "does not answer", *args, **kwargs)

    def write(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the client that may be repeated.

        Raises:
            IndexUnavailable: the server does not acknowledge it.
        """
        return self._call(method, WRITE_S, "does not take what is written", *args, **kwargs)

    def load(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the client that builds or loads a whole collection.

        Raises:
            IndexUnavailable: the server does not answer, or refuses.
        """
        return self._call(method, LOAD_S, "does not answer", *args, **kwargs)

    def rows(
        self, collection: str, where: str, fields: list[str], consistency: str, page: int = PAGE
    ) -> Iterator[dict[str, Any]]:
        """Yield some fields of all rows that meet an expression, by ascending id.

        Raises:
            IndexUnavailable: the server does not answer.
        """
        pages = self.read(
            "query_iterator", collection, batch_size=page, filter=where, output_fields=fields,
            consistency_level=consistency,
        )  # fmt: skip
        while page := self._guarded("does not answer", READ_S, pages.next):
            yield from page
        pages.close()

    def count(self, collection: str, where: str) -> int:
        """Return how many rows meet an expression, all that were written before included."""
        found = self.read(
            "query", collection, filter=where, output_fields=["count(*)"],
            consistency_level="Strong",
        )  # fmt: skip
        return int(found[0]["count(*)"])

    def close(self) -> None:
        """End the connection, and the embedded server where there is one."""
        self._client.close()
        if self.place.embedded:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self.place.uri)

    def _call(self, method: str, limit_s: float, what: str, *args: Any, **kwargs: Any) -> Any:
        bound = getattr(self._client, method)
        return self._guarded(what, limit_s, lambda: bound(*args, timeout=limit_s, **kwargs))

    def _guarded(self, what: str, limit_s: float, call: Callable[[], Any]) -> Any:
        import grpc
        from pymilvus import MilvusException

        (pause, longest), end = PAUSES_S, time.monotonic() + limit_s
        while True:
            try:
                return call()
            except (MilvusException, grpc.RpcError, ValueError) as error:  # the last: closed
                if not _passing(error) or time.monotonic() + pause > end:
                    raise self._unavailable(what, error) from None
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def _unavailable(self, what: str, error: Exception) -> IndexUnavailable:
        reason = " ".join(str(getattr(error, "message", "") or error).split())[:200]
        hint = (
            "is another process using the file? "
            if self.place.embedded
            else "see that it runs, and the token and TLS settings; "
        )
        return IndexUnavailable(
            f"Milvus at {self.place.uri} {what} ({reason})",
            f"{hint}what it has acknowledged stays: run the same command again",
        )


def _passing(error: Exception) -> bool:
    """Return whether the same request may succeed a little later."""
    from pymilvus.client.types import Status

    lost = getattr(error, "code", None) == Status.CONNECT_FAILED
    return lost or bool(getattr(error, "retriable", False))


def _require(package: str, hint: str) -> None:
    if find_spec(package) is None:
        raise MissingPackage(f"a Milvus index needs the package {package}", hint)
