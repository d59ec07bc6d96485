"""A Ray cluster: being connected to it, and saying in one line what is wrong with it.

It must not know what runs there.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, TextIO, TypeAlias, TypeVar, cast

from unify.engine.errors import IndexUnavailable, MissingPackage, UsageError

_KNOCK_S = 5.0
_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # no settings
_SETTINGS = 4  # type of the frame by which an HTTP/2 server answers, in its fourth byte
_PULSE_S = 5.0
_MISSED = 4  # knocks in a row after which a head is gone: Ray ends this process after a minute
_WAITING = 8  # rows that may wait
T = TypeVar("T")
_Item: TypeAlias = list[T] | BaseException | None  # a row, what went wrong, or the end
SETTINGS_OF_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_ENABLE_AUTO_CONNECT": "0",  # what is left of a build must not start a cluster of its own
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_worker_niceness": "0",  # priority is left to the user; Ray's own choice is 15
}


def require_ray() -> None:
    """Check that Ray is installed.

    Raises:
        MissingPackage: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingPackage("--ray needs Ray", "pip install 'unify-search[ray]'")


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Be connected to a cluster, and yield the module `ray`.

    Args:
        address: see `indexer/fleet.py`.

    Raises:
        UsageError: there is no such cluster.
        IndexUnavailable: Ray raised something inside.
    """
    os.environ.update(SETTINGS_OF_RAY | os.environ)  # read when it is imported and started
    ray = importlib.import_module("ray")
    importlib.import_module("ray.data")
    alone = {"include_dashboard": False} if address == "local" else {}
    with redirect_stdout(cast("TextIO", _Spoken(sys.stdout))):
        try:
            knock(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **alone)
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"no Ray cluster at {address!r} ({_reason(error)})",
                "start one with: ray start --head, or take this machine alone: --ray local",
            ) from None
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        try:
            yield ray
        except ray.exceptions.RayError as error:
            raise IndexUnavailable(
                f"Ray cannot go on ({_reason(error)})",
                "what is finished is kept; see that every machine has the same unify-search, "
                "then run again",
            ) from error
        finally:
            with redirect_stdout(sys.stderr):  # where it says the last of what it has to say
                ray.shutdown()


def heard(rows: Iterable[T], knock: Callable[[], None]) -> Generator[T, None, None]:
    """Yield rows as they come from a cluster, for as long as it has a head.

    Ray waits for a head that is gone, and then ends this process, whatever is not published yet.

    Args:
        rows: read in a thread of their own.
        knock: sees whether the head answers, or raises OSError.

    Raises:
        IndexUnavailable: the head is gone.
    """
    inbox: queue.Queue[_Item[T]] = queue.Queue(_WAITING)
    ended = threading.Event()
    threading.Thread(target=_fetch, args=(rows, inbox, ended), daemon=True).start()
    missed, asked_s = 0, time.monotonic()
    try:
        while True:
            if time.monotonic() - asked_s >= _PULSE_S:
                missed, asked_s = _missed(knock, missed), time.monotonic()
            try:
                item = inbox.get(timeout=_PULSE_S)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield from item
    finally:
        ended.set()
        with suppress(queue.Empty):  # room for what the thread may be about to put
            while True:
                inbox.get_nowait()


def _fetch(rows: Iterable[T], inbox: queue.Queue[_Item[T]], ended: threading.Event) -> None:
    last: BaseException | None = None
    try:
        for row in rows:
            if ended.is_set():
                return
            inbox.put([row])
    except BaseException as error:  # it belongs to whoever uses the rows
        last = error
    inbox.put(last)


def _missed(knock: Callable[[], None], missed: int) -> int:
    """Knock; return how many times in a row nobody answered."""
    try:
        knock()
    except OSError as error:
        if missed + 1 >= _MISSED:
            raise IndexUnavailable(
                f"the head of the Ray cluster is gone ({error})",
                "what is finished is kept; run again when it is back",
            ) from None
        return missed + 1
    return 0


class _Spoken:
    """Standard output, but for what Ray says there, in threads of its own: that is for people."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        of_ray = threading.current_thread().name.startswith("ray_")
        return (sys.stderr if of_ray else self._out).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def knock(address: str) -> None:
    """See that what answers at HOST:PORT may be Ray, which would try for minutes.

    Raises:
        OSError: nobody answers, or somebody else.
        ValueError: the port is no number.
    """
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    with socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S) as line:
        if os.environ.get("RAY_USE_TLS", "0") == "0":
            line.sendall(_HTTP2)
            if line.recv(4)[3:] != bytes([_SETTINGS]):
                raise OSError("what answers there is not Ray")


def _reason(error: BaseException) -> str:
    """Return in one line what is at the root of an error of Ray."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    traced = "Traceback" in str(error)  # of which the last line says what it was
    return " ".join(lines[-1:] if traced else lines).rstrip(".") or type(error).__name__
