"""The videos of a build, encoded by a Ray cluster; Ray Data hands them out.

Each actor holds the pack and does to one video after another what this machine would do
(`indexer/encode.py`); what an index keeps of a video comes back to the one writer, which is here.
So nothing that is published depends on a worker: one that is lost costs what it had in hand, Ray
gives that to another, and an answer that comes twice is taken once (`indexer/build.py`). What was
lost with every actor that had it gets no answer: the others are not held up by it.

Videos are read where the actors run: every machine must see them under the same paths. Ray
carries Python objects between its processes by pickle and trusts its cluster, and so must its
user; no such object reaches a file of the index.
"""

from __future__ import annotations

import importlib
import platform
import tempfile
import warnings
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from unify.engine.errors import (
    IncompatibleIndex,
    IndexUnavailable,
    MediaError,
    UnifyError,
    UsageError,
)
from unify.engine.manifest import IndexSettings
from unify.indexer.cluster import connected, heard, knock, require_ray
from unify.indexer.decode_decord import require_decord
from unify.indexer.decoding import DecodeProcess, Event
from unify.indexer.discover import digest
from unify.indexer.encode import Encoded, Outcome, OutOfReach, VideoIndexer, Watch
from unify.indexer.plan import Job
from unify.indexer.ports import VideoEncoder
from unify.indexer.worker import Decoder

_BLOCK_VIDEOS = 8  # that an actor gets at once, and that are done again when it is lost
_BLOCKS_EACH = 4  # for an actor, at least, so that none waits long for the last
_RETRIES = 3  # of a block whose actor was lost: a video may be what ends it


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
            IncompatibleIndex: a machine has another pack or another unify.
            IndexUnavailable: Ray cannot go on, or an actor cannot.
        """
        if not jobs:
            return
        with connected(self.address) as ray:
            size, each = self._actors(ray.cluster_resources())
            head = ray.get_runtime_context().gcs_address
            rows = self._dataset(jobs, size, each).iter_rows()
            with closing(heard(rows, partial(knock, head))) as answers:
                for row in answers:
                    yield jobs[row["number"]], self._accepted(jobs[row["number"]], row)

    def _accepted(self, job: Job, row: dict[str, Any]) -> Encoded | MediaError:
        """Return what became of a job; raise what is no fault of its video."""
        result: Encoded | UnifyError = row["result"]
        if isinstance(result, OutOfReach) and _readable(job.candidate.path):
            raise UsageError(
                f"{row['machine']} of the Ray cluster: {job.candidate.path} {result}",
                "make the videos readable under the same path on every machine",
            )
        if isinstance(result, UnifyError) and not isinstance(result, MediaError):
            raise result
        return result

    def _actors(self, have: dict[str, float]) -> tuple[int, dict[str, float]]:
        """Return how many actors there are, and what each takes."""
        if have.get("CPU", 0) < 1:  # no actor would ever start, and Ray would wait for ever
            raise UsageError(
                f"the Ray cluster at {self.address!r} has no CPU",
                "add machines: ray start --address",
            )
        on_gpus = self.gpu and have.get("GPU", 0) >= 1
        count = int(have["GPU" if on_gpus else "CPU"])
        return min(self.actors or count, count), {"num_cpus": 1, "num_gpus": int(on_gpus)}

    def _dataset(self, jobs: list[Job], actors: int, each: dict[str, float]) -> Any:
        data = importlib.import_module("ray.data")
        context = data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        context.max_errored_blocks = -1  # a block that is lost must not end the others
        size = max(1, min(_BLOCK_VIDEOS, len(jobs) // (actors * _BLOCKS_EACH)))
        rows = [{"number": number, "job": job} for number, job in enumerate(jobs)]
        blocks = data.from_items(rows, override_num_blocks=-(-len(rows) // size))
        with warnings.catch_warnings():  # there is no other way yet to bound what Ray tries again
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
            return blocks.map(
                Actor,
                fn_constructor_args=(self.open_encoder, self.settings, unify_version()),
                # One at a time: what waits behind a video that ends its actor is lost with it.
                compute=data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=1),
                max_task_retries=_RETRIES,
                **each,
            )


def unify_version() -> str:
    """Return the version of unify on this machine: machines of one build must have the same."""
    try:
        return metadata.version("unify-search")
    except metadata.PackageNotFoundError:
        return "that is not installed"


class Actor:
    """Encodes videos, one after another, in a process of a Ray cluster.

    Args:
        open_encoder: opens the pack.
        settings: what the index is built with.
        version: of unify, where the index is written.
    """

    def __init__(
        self, open_encoder: Callable[[], VideoEncoder], settings: IndexSettings, version: str
    ) -> None:
        self._machine = platform.node()
        self._process = DecodeProcess()
        self._fault: UnifyError | None = None
        try:
            if version != unify_version():
                raise IncompatibleIndex(
                    f"it has unify {unify_version()}, not {version}",
                    "install the same unify-search on every machine",
                )
            if settings.decoder == Decoder.DECORD:
                require_decord()
            encoder = open_encoder()
            if encoder.fingerprint != settings.fingerprint:
                raise IncompatibleIndex(
                    f"it has another {encoder.name} ({encoder.fingerprint[:12]}, "
                    f"not {settings.fingerprint[:12]})",
                    "install the same unify-search and pack on every machine",
                )
            self._indexer = VideoIndexer(encoder, settings)
        except UnifyError as error:  # told with the first video: Ray would try to start again
            error.message = f"{self._machine} of the Ray cluster: {error.message}"
            self._fault = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row of a job with what became of it."""
        result = self._fault or self._encode(row["job"])
        return {"number": row["number"], "result": result, "machine": self._machine}

    def _encode(self, job: Job) -> Encoded | UnifyError:
        try:
            events = self._indexer.decode(job, self._process, threads=1)
            return self._indexer.encode(job, events, Path(tempfile.gettempdir()), _unseen)
        except MediaError as error:
            return error
        except Exception as error:  # raised, it would be one of the blocks that Ray gives up
            return IndexUnavailable(
                f"{self._machine} of the Ray cluster cannot encode {job.candidate.path} "
                f"({type(error).__name__}: {error})",
                "what is finished is kept; mend it, or --exclude the video, then run again",
            )


def _readable(path: str) -> bool:
    """Whether this machine can read a file that another could not."""
    try:
        digest(path)
    except OSError:
        return False
    return True


def _unseen(job: Job, event: Event) -> None:
    """Tell nobody what happens meanwhile."""
