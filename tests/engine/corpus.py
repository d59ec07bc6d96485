"""Random indexes and a fake pack, with everything needed to score them by brute force."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import faiss
import numpy as np
import scipy.sparse

from unify.engine.lexicon import Lexicon
from unify.engine.local import open_snapshot
from unify.engine.said import add_said
from unify.engine.types import Calibration, EncodedQuery, MomentCodes, SparseRows
from unify.engine.writer import IndexSettings, IndexWriter, MomentSpans, Root, Video

FRAMES = 6
PER_VIDEO = 4


class FakePack:
    """Encodes words `w0`, `w1`, ... to themselves and any text to a latent drawn from its hash."""

    name = "fake"
    fingerprint = "f" * 64

    def __init__(self, dim: int = 8, size: int = 20) -> None:
        rng = np.random.default_rng(dim * 1000 + size)
        self.lexicon = Lexicon([f"w{i}" for i in range(size)])
        self.dim = dim
        covariance = rng.standard_normal((dim, dim))
        self.calibration = Calibration(
            latent_mean=(0.1 * rng.standard_normal(dim)).astype("f4"),
            latent_cov=(covariance @ covariance.T / dim / 4).astype("f4"),
            term_mean=rng.random(size).astype("f4"),
            term_var=rng.random(size).astype("f4"),
            sd_latent_floor=0.01,
            sd_lexicon_floor=0.01,
            lexicon_weight=0.8,
            shows=0.6,
            weak=0.0,
        )

    def encode_query(self, text: str) -> EncodedQuery:
        rng = np.random.default_rng(zlib.crc32(text.encode()))
        latent = rng.standard_normal(self.dim)
        terms = np.unique(np.array(self.lexicon.term_ids(text), np.uint16))
        weights = (0.2 + rng.random(len(terms))).astype("f4")
        return EncodedQuery((latent / np.linalg.norm(latent)).astype("f4"), terms, weights)

    def unknown_words(self, text: str) -> list[str]:
        return [word for word in text.split() if word.startswith("x")]

    def knows(self, word: str) -> bool:
        return word.startswith("xx")

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        return [self.encode_query(text) for text in texts]

    def settings(self) -> IndexSettings:
        return IndexSettings(
            self.name, self.fingerprint, self.dim, len(self.lexicon), 1.0, 8.0, "pyav"
        )


def random_codes(rng: np.random.Generator, pack: FakePack, ties: bool) -> MomentCodes:
    """Codes of one video; with `ties`, few distinct rows, so that scores repeat exactly."""
    size = len(pack.lexicon)
    latents = rng.standard_normal((PER_VIDEO, pack.dim))
    frames = np.maximum(rng.standard_normal((FRAMES, size)) - 0.8, 0)
    lexicon = np.maximum(rng.standard_normal((PER_VIDEO, size)) - 0.8, 0)
    if ties:
        latents = np.sign(latents) * (np.arange(pack.dim) < 2)
        lexicon, frames = lexicon.round(), frames.round()
    latents /= np.maximum(np.linalg.norm(latents, axis=1, keepdims=True), 1e-9)
    lexicon[rng.random(PER_VIDEO) < 0.2] = 0  # empty rows
    return MomentCodes(
        latents.astype("f4"),
        SparseRows.from_dense(lexicon.astype("f4"), 10),
        SparseRows.from_dense(frames.astype("f4"), 4),
    )


def with_random_speech(
    rng: np.random.Generator, codes: MomentCodes, size: int, share: float
) -> MomentCodes:
    """Say each word at each frame with some chance; moments say what their frames do."""
    frames = [np.flatnonzero(rng.random(size) < share).tolist() for _ in range(FRAMES)]
    ranges = zip(spans()[0].first, spans()[0].last, strict=True)
    return add_said(codes, [[*chain(*frames[a:b])] for a, b in ranges], frames, size)


def spans() -> tuple[MomentSpans, np.ndarray]:
    """The moments of every video here: 3 s long, overlapping, over 6 frames."""
    start = np.arange(PER_VIDEO, dtype=np.float64)
    first = np.arange(PER_VIDEO)
    return MomentSpans(start, start + 3, first, first + 3), np.arange(FRAMES, dtype=np.float64)


@dataclass
class Corpus:
    """An index on disk and the videos that should be live in it."""

    directory: Path
    pack: FakePack
    videos: list[Video] = field(default_factory=list)

    @classmethod
    def make(
        cls,
        directory: Path,
        seed: int = 0,
        *,
        segments: int = 2,
        videos: int = 10,
        ties: bool = False,
        removed: float = 0.0,
        said: float = 0.0,
    ) -> Corpus:
        rng = np.random.default_rng(seed)
        corpus = cls(directory, FakePack())
        roots = [Root("clips", "/abs/clips")]
        with IndexWriter.open(directory, corpus.pack.settings()) as writer:
            for _ in range(segments):
                for _ in range(videos):
                    video = len(corpus.videos) + 1
                    codes = random_codes(rng, corpus.pack, ties)
                    if said:
                        codes = with_random_speech(rng, codes, len(corpus.pack.lexicon), said)
                    writer.add(video, *spans(), codes)
                    name = f"{'even' if video % 2 == 0 else 'odd'}/{video}.mp4"
                    corpus.videos.append(Video(video, 0, name, float(video), 1e9 + 86400 * video))
                writer.publish(roots, corpus.videos)
            if removed:
                corpus.videos = [v for v in corpus.videos if rng.random() >= removed]
                writer.publish(roots, corpus.videos)
        return corpus

    def rows(
        self, halves: int = 1
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, scipy.sparse.csr_array]:
        """All stored rows: ids, video ids, latents (M, D) and weights (M, V), by other means.

        With both halves of the term space, what shows and what is said, weights are (M, 2V).

        Latents come through FAISS's own reconstruction and weights through scipy.
        """
        backend = open_snapshot(self.directory)
        ids, owners, latents, weights = [], [], [], []
        for segment in backend.segments:
            ids.append(segment.base + np.arange(len(segment)))
            owners.append(segment.moments["video"])
            index = faiss.read_index(str(segment.latents_path))
            latents.append(index.reconstruct_n(0, len(segment)).astype(np.float64))
            indptr, terms, stored = segment.forward
            values = stored.astype(np.float64)
            size = len(self.pack.lexicon)
            shape = (len(segment), 2 * size)
            rows = scipy.sparse.csr_array((values, terms, indptr), shape=shape)
            weights.append(rows[:, : halves * size])
        return (
            np.concatenate(ids),
            np.concatenate(owners),
            np.concatenate(latents),
            scipy.sparse.vstack(weights, format="csr"),
        )
