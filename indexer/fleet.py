"""The videos of a build, encoded by a Ray cluster; Ray Data hands them out.

Each actor holds the pack and does to one video after another what this machine would do
(`indexer/encode.py`); what an index keeps of a video comes back to the one writer, which is here.
So nothing that is published depends on a worker: one that is lost costs what it had in hand, Ray
gives that to another, and an answer that comes twice is taken once (`indexer/build.py`).

Videos are read where the actors run: every machine must see them under the same paths. Ray
carries Python objects between its processes by pickle and trusts its cluster, and so must its
user; no such object reaches a file of the index.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import platform
import socket
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unify.engine.errors import (
    IncompatibleIndex,
    IndexUnavailable,
    MediaError,
    MissingPackage,
    UnifyError,
    UsageError,
)
from unify.engine.manifest import IndexSettings
from unify.indexer.decoding import DecodeProcess, Event
from unify.indexer.discover import digest
from unify.indexer.encode import Encoded, Outcome, OutOfReach, VideoIndexer, Watch
from unify.indexer.plan import Job
from unify.indexer.ports import VideoEncoder

_BLOCK_VIDEOS = 8  # that an actor gets at once, and that are done again when it is lost
_BLOCKS_EACH = 4  # for an actor, at least, so that none waits long for the last
_KNOCK_S = 5.0
SETTINGS_OF_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_worker_niceness": "0",  # priority is left to the user; Ray's own choice is 15
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Workers of a Ray cluster (`Workers`).

    Attributes:
        address: `local` for a cluster of this machine alone that lasts as long as the build,
            `auto` for the one that this machine is a part of, or HOST:PORT of that one.
        open_encoder: opens the pack, on any machine.
        settings: what the index is built with.
        gpu: whether the pack runs on a GPU where there is one.
        actors: at most; by default one for each GPU that the pack can use, else for each CPU.
    """

    address: str
    open_encoder: Callable[[], VideoEncoder]
    settings: IndexSettings
    gpu: bool = False
    actors: int | None = None

    def __post_init__(self) -> None:
        """Check that there is Ray, and that Ray Data can be asked there.

        Raises:
            MissingPackage: there is not.
            UsageError: it cannot: through Ray's client it fails (Ray 2.60).
        """
        require_ray()
        if self.address.startswith("ray://"):
            raise UsageError(
                f"--ray {self.address}: Ray Data does not run through Ray's client",
                "build on a machine of the cluster with --ray auto, or by ray job submit",
            )

    def work(self, jobs: list[Job], folder: Path, watch: Watch) -> Generator[Outcome, None, None]:
        """Yield every video that the cluster has encoded; see `Workers.work`.

        Raises:
            UsageError: there is no cluster, or a machine of it does not see the videos.
            IncompatibleIndex: a machine has another pack.
            IndexUnavailable: Ray cannot go on.
        """
        if not jobs:
            return
        with _cluster(self.address) as ray:
            size, each = self._actors(ray.cluster_resources())
            for row in self._dataset(jobs, size, each).iter_rows():
                job, result = jobs[row["number"]], row["result"]
                if isinstance(result, OutOfReach) and _readable(job.candidate.path):
                    raise UsageError(
                        f"{row['machine']} of the Ray cluster: {job.candidate.path} {result}",
                        "make the videos readable under the same path on every machine",
                    )
                if isinstance(result, UnifyError) and not isinstance(result, MediaError):
                    raise result
                yield job, result

    def _actors(self, have: dict[str, float]) -> tuple[int, dict[str, float]]:
        """Return how many actors there are, and what each takes."""
        on_gpus = self.gpu and have.get("GPU", 0) >= 1
        count = int(have["GPU"] if on_gpus else have.get("CPU", 1))
        return min(self.actors or count, max(1, count)), {"num_cpus": 1, "num_gpus": int(on_gpus)}

    def _dataset(self, jobs: list[Job], actors: int, each: dict[str, float]) -> Any:
        data = importlib.import_module("ray.data")
        context = data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        size = max(1, min(_BLOCK_VIDEOS, len(jobs) // (actors * _BLOCKS_EACH)))
        rows = [{"number": number, "job": job} for number, job in enumerate(jobs)]
        return data.from_items(rows, override_num_blocks=-(-len(rows) // size)).map(
            Actor,
            fn_constructor_args=(self.open_encoder, self.settings),
            compute=data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=2),
            **each,
        )


def require_ray() -> None:
    """Check that Ray is installed.

    Raises:
        MissingPackage: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingPackage("--ray needs Ray", "pip install 'unify-search[ray]'")


class Actor:
    """Encodes videos, one after another, in a process of a Ray cluster.

    Args:
        open_encoder: opens the pack.
        settings: what the index is built with.
    """

    def __init__(self, open_encoder: Callable[[], VideoEncoder], settings: IndexSettings) -> None:
        self._machine = platform.node()
        self._process = DecodeProcess()
        self._fault: UnifyError | None = None
        try:
            encoder = open_encoder()
            if encoder.fingerprint != settings.fingerprint:
                raise IncompatibleIndex(
                    f"{self._machine} of the Ray cluster has another {encoder.name} "
                    f"({encoder.fingerprint[:12]}, not {settings.fingerprint[:12]})",
                    "install the same unify-search and pack on every machine",
                )
            self._indexer = VideoIndexer(encoder, settings)
        except UnifyError as error:  # told with the first video: Ray would try to start again
            self._fault = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row of a job with what became of it."""
        result = self._fault or self._encode(row["job"])
        return {"number": row["number"], "result": result, "machine": self._machine}

    def _encode(self, job: Job) -> Encoded | MediaError:
        try:
            events = self._indexer.decode(job, self._process, threads=1)
            return self._indexer.encode(job, events, Path(tempfile.gettempdir()), _unseen)
        except MediaError as error:
            return error


def _readable(path: str) -> bool:
    """Whether this machine can read a file that another could not."""
    try:
        digest(path)
    except OSError:
        return False
    return True


def _unseen(job: Job, event: Event) -> None:
    """Tell nobody what happens meanwhile."""


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Be connected to a cluster; turn what Ray raises into one clear line."""
    os.environ.update(SETTINGS_OF_RAY | os.environ)  # read when it is imported and started
    ray = importlib.import_module("ray")
    importlib.import_module("ray.data")
    alone = {"include_dashboard": False} if address == "local" else {}
    with redirect_stdout(sys.stderr):  # where Ray says that a machine was lost
        try:
            _knock(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **alone)
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"no Ray cluster at {address!r} ({_lines(error)[0]})",
                "start one with: ray start --head, or take this machine alone: --ray local",
            ) from None
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        try:
            yield ray
        except ray.exceptions.RayError as error:
            raise IndexUnavailable(
                f"Ray cannot go on ({_lines(error)[-1]})",
                "what is finished is kept; see that every machine has the same unify-search, "
                "then run again",
            ) from error
        finally:
            ray.shutdown()


def _knock(address: str) -> None:
    """See that somebody answers at HOST:PORT: Ray would try for minutes.

    Raises:
        OSError: nobody does.
        ValueError: the port is no number.
    """
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), _KNOCK_S).close()


def _lines(error: BaseException) -> list[str]:
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    return lines or [type(error).__name__]
