"""Decoding ahead of whoever uses the pictures, in order, with bounded memory.

Each thread owns one decoding process. What it makes of a job waits in that job's own short
queue, so the pictures in memory are bounded by threads and queue length, not by videos.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from unify.indexer.decoding import DecodeProcess

J = TypeVar("J")
E = TypeVar("E")
_QUEUE = 4  # items of one job that may wait
_POLL_S = 0.1  # how soon a blocked thread notices that it should stop
_PATIENCE_S = 1.0  # how long the end waits for threads; they die with this process


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


class _End:
    """Nothing follows."""


class ReadAhead(Generic[J, E]):
    """Runs `work` on jobs in threads and hands out the results in the order of the jobs.

    Args:
        work: makes the items of one job with a decoding process; may raise.
        processes: one per thread; closed at the end.
    """

    def __init__(
        self, work: Callable[[J, DecodeProcess], Iterator[E]], processes: Sequence[DecodeProcess]
    ) -> None:
        self._work = work
        self._processes = processes
        self._stop = threading.Event()
        self._inbox: queue.Queue[tuple[J, queue.Queue[E | _Raised | _End]]] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._serve, args=(process,), daemon=True)
            for process in processes
        ]

    def __enter__(self) -> ReadAhead[J, E]:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for process in self._processes:
            process.interrupt()
        until_s = time.monotonic() + _PATIENCE_S
        for thread in self._threads:  # one may be deep in a file of a disk that does not answer
            thread.join(max(0.0, until_s - time.monotonic()))

    def run(self, jobs: Iterable[J]) -> Iterator[tuple[J, Iterator[E]]]:
        """Yield every job with the items made of it; use up the items before the next job.

        Iterating the items raises what `work` raised.
        """
        waiting: deque[tuple[J, queue.Queue[E | _Raised | _End]]] = deque()
        for job in jobs:
            pair = (job, queue.Queue[E | _Raised | _End](_QUEUE))
            waiting.append(pair)
            self._inbox.put(pair)
            if len(waiting) > len(self._threads):
                first, items = waiting.popleft()
                yield first, _items(items)
        for job, items in waiting:
            yield job, _items(items)

    def _serve(self, process: DecodeProcess) -> None:
        try:
            while not self._stop.is_set():
                try:
                    job, items = self._inbox.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                self._make(job, process, items)
        finally:
            process.close()

    def _make(self, job: J, process: DecodeProcess, items: queue.Queue[E | _Raised | _End]) -> None:
        last: _Raised | _End = _End()
        try:
            for item in self._work(job, process):
                if not self._put(items, item):
                    return
        except BaseException as error:  # it belongs to whoever uses the items
            last = _Raised(error)
        self._put(items, last)

    def _put(self, items: queue.Queue[E | _Raised | _End], item: E | _Raised | _End) -> bool:
        while not self._stop.is_set():
            try:
                items.put(item, timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False


def _items(items: queue.Queue[E | _Raised | _End]) -> Iterator[E]:
    while True:
        item = items.get()
        if isinstance(item, _Raised):
            raise item.error
        if isinstance(item, _End):
            return
        yield item
