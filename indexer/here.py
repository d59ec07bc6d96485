"""The videos of a build, encoded on this machine: decoding processes read ahead of one encoder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from unify.engine.errors import MediaError
from unify.engine.manifest import IndexSettings
from unify.indexer.ahead import ReadAhead
from unify.indexer.decoding import DecodeProcess, Event, Limits
from unify.indexer.encode import Digested, Outcome, VideoIndexer, Watch
from unify.indexer.plan import Job
from unify.indexer.ports import VideoEncoder
from unify.indexer.resources import share_out, taken_bytes

_WARM_FRAMES = 16


class Here:
    """Workers on this machine (`Workers`); pictures wait for the encoder in bounded queues.

    Args:
        encoder: what turns frames into vectors and weights.
        settings: what the index is built with.
        workers: decoding processes; by default what `indexer/resources.py` says.
        max_memory_bytes: what all processes may take together, or None.
        limits: what one video may cost.

    Raises:
        UsageError: the memory is too little.
    """

    def __init__(
        self,
        encoder: VideoEncoder,
        settings: IndexSettings,
        workers: int | None,
        max_memory_bytes: int | None,
        limits: Limits | None,
    ) -> None:
        if max_memory_bytes is not None:  # once it has encoded something, what it takes is known
            shape = encoder.frame_shape
            encoder.encode_frames(np.zeros((_WARM_FRAMES, shape.height, shape.width, 3), np.uint8))
        self._share = share_out(workers, max_memory_bytes, taken_bytes())
        self._limits = limits or Limits()
        self._indexer = VideoIndexer(encoder, settings)

    def work(self, jobs: list[Job], folder: Path, watch: Watch) -> Generator[Outcome, None, None]:
        """Yield every video, in the order of the jobs; see `Workers.work`."""
        share = self._share.among(len(jobs))
        limits = replace(self._limits, data_bytes=share.data_bytes)

        def decode(job: Job, process: DecodeProcess) -> Iterator[Event | Digested]:
            return self._indexer.decode(job, process, share.threads)

        processes = [DecodeProcess(limits) for _ in range(share.workers)]
        with ReadAhead[Job, Event | Digested](decode, processes) as ahead:
            for job, events in ahead.run(jobs):
                try:
                    outcome: Outcome = job, self._indexer.encode(job, events, folder, watch)
                except MediaError as error:
                    outcome = job, error
                yield outcome
