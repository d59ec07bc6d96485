"""A pack that reads the numbers off the frames, and what an index built with it holds."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from tests.indexer.media import number_of
from unify.engine.lexicon import Lexicon
from unify.engine.manifest import IndexSettings, read_manifest
from unify.engine.segment import Segment
from unify.engine.tables import read_videos
from unify.engine.types import Float32, Int64, MomentCodes, SparseRows, UInt8
from unify.engine.verify import verify
from unify.indexer import build as building
from unify.indexer.ports import FrameShape

TERMS = 64


class NumberEncoder:
    """A feature is the frame's number; its term is the number modulo 64."""

    name = "numbers"
    latent_dim = 4
    lexicon = Lexicon([f"n{i}" for i in range(TERMS)])
    frame_shape = FrameShape(80, 60, "squash")

    def __init__(self, fingerprint: str = "f" * 64, pause_s: float = 0.0) -> None:
        self.fingerprint = fingerprint
        self.frames = 0
        self._pause_s = pause_s

    def terms_of(self, text: str) -> list[int]:
        return self.lexicon.term_ids(text)

    def encode_frames(self, frames: UInt8) -> Float32:
        self.frames += len(frames)
        time.sleep(self._pause_s)
        return np.array([[number_of(frame)] for frame in frames], np.float32)

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        terms = features[:, 0].astype(int) % TERMS
        shown = np.zeros((len(features), TERMS), np.float32)
        shown[np.arange(len(features)), terms] = 1.0
        moments = np.stack([shown[first:last].max(axis=0) for first, last in spans])
        latents = np.zeros((len(spans), 4), np.float32)
        latents[:, 0] = 1.0
        return MomentCodes(
            latents, SparseRows.from_dense(moments, 128), SparseRows.from_dense(shown, 16)
        )


def settings_for(encoder: NumberEncoder, fps: float = 1.0, decoder: str = "pyav") -> IndexSettings:
    return IndexSettings(
        encoder.name, encoder.fingerprint, encoder.latent_dim, TERMS, fps, 8.0, decoder
    )


def run_build(paths, directory, encoder=None, **options):
    """Build with the number encoder."""
    encoder = encoder or NumberEncoder()
    progress = options.pop("progress", None)
    paths = [Path(path) for path in paths]
    return building.build(paths, directory, encoder, settings_for(encoder), progress, **options)


def contents(directory: Path) -> dict[str, list[tuple[float, float, list[int]]]]:
    """Live videos by path: (start_s, end_s, terms of its frames) of each moment, in order.

    Fails when the index is damaged, or when a moment is stored twice.
    """
    assert verify(directory) == []
    manifest = read_manifest(directory)
    videos = read_videos(directory, manifest)
    found = {id_: [] for id_ in videos}
    for entry in manifest.segments:
        segment = Segment(directory, entry, manifest.settings)
        indptr, terms, _ = segment.tracks
        for row in segment.moments:
            if int(row["video"]) in videos:
                frames = range(int(row["first"]), int(row["last"]))
                numbers = [int(terms[indptr[frame]]) for frame in frames]
                span = (float(row["start_s"]), float(row["end_s"]))
                found[int(row["video"])].append((*span, numbers))
    by_path = {}
    for id_, moments in found.items():
        path = str(Path(manifest.roots[videos[id_].root].path) / videos[id_].rel)
        assert path not in by_path, "a path is live twice"
        assert moments == sorted(moments), "moments are out of order, or doubled"
        assert len({start for start, *_ in moments}) == len(moments) > 0
        by_path[path] = moments
    return by_path


def ids(directory: Path) -> dict[str, int]:
    """Ids of the live videos by relative path."""
    videos = read_videos(directory, read_manifest(directory))
    return {video.rel: id_ for id_, video in videos.items()}
