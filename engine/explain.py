"""Where in a moment each term shows, and what a library shows as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unify.engine.backend import Backend
from unify.engine.lexicon import Lexicon
from unify.engine.types import Float64, Int64, UInt16


@dataclass(frozen=True, slots=True)
class TermTrack:
    """A term's weight over the frames of a moment.

    Attributes:
        term: the word.
        times_s: (F,) seconds.
        weights: (F,) weight in each frame; 0 where the term is not among the frame's strongest.
    """

    term: str
    times_s: Float64
    weights: Float64

    def ranges(self, shows: float) -> list[tuple[float, float]]:
        """Return the time ranges, first to last frame, in which the weight is at `shows` or above.

        >>> track = TermTrack("dog", np.arange(5.0), np.array([0.0, 1.0, 1.0, 0.2, 1.0]))
        >>> track.ranges(0.5)
        [(1.0, 2.0), (4.0, 4.0)]
        """
        shown = np.concatenate([[False], self.weights >= shows, [False]])
        edges = np.flatnonzero(shown[1:] != shown[:-1]).reshape(-1, 2)
        return [(float(self.times_s[a]), float(self.times_s[b - 1])) for a, b in edges]


def term_tracks(
    backend: Backend, lexicon: Lexicon, moment: int, terms: list[str]
) -> list[TermTrack]:
    """Return when each of some terms shows in a moment, in the given order."""
    found = [lexicon.lookup(term) for term in terms]
    ids: UInt16 = np.array([i for i in found if i is not None], np.uint16)
    times, weights = backend.tracks(moment, ids)
    return [TermTrack(lexicon.terms[int(i)], times, weights[:, j]) for j, i in enumerate(ids)]


def library_terms(
    backend: Backend, lexicon: Lexicon, shows: float, top: int
) -> list[tuple[str, int]]:
    """Return the terms that most moments show, with how many do; ties by word."""
    counts = backend.term_counts(shows)
    ranked = sorted(np.flatnonzero(counts).tolist(), key=lambda i: (-counts[i], lexicon.terms[i]))
    return [(lexicon.terms[i], int(counts[i])) for i in ranked[:top]]


def video_terms(backend: Backend, lexicon: Lexicon, video: str, top: int) -> list[TermTrack]:
    """Return the strongest terms of a video over all its frames, strongest first.

    Raises:
        UsageError: no such video is indexed.
    """
    moments = backend.moments_of(video)
    every = np.arange(len(lexicon), dtype=np.uint16)
    strength = backend.term_weights(moments, every).max(axis=0)  # (V,)
    chosen = np.argsort(-strength, kind="stable")[:top]
    chosen = chosen[strength[chosen] > 0].astype(np.uint16)
    return frame_tracks(backend, lexicon, moments, chosen)


def frame_tracks(
    backend: Backend, lexicon: Lexicon, moments: Int64, terms: UInt16
) -> list[TermTrack]:
    """Return when each of (Q,) term ids shows over all frames of (M,) moments of a video, M >= 1.

    Windows overlap: a frame of two moments is there once.
    """
    parts = [backend.tracks(int(moment), terms) for moment in moments]
    times, first = np.unique(np.concatenate([part[0] for part in parts]), return_index=True)
    weights = np.concatenate([part[1] for part in parts])[first]
    return [TermTrack(lexicon.terms[int(i)], times, weights[:, j]) for j, i in enumerate(terms)]
