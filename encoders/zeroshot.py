"""A lexicon without training: words against frames in a dual encoder's own space.

Two heads with the interface of `heads.py`, for features of a joint space. What they know is in
one file, `heads.safetensors`: a vector for each term, means to take off, and per term how
strongly any moment resembles it. Until a pack is calibrated on frames, pictures are not centred
and all terms count as equally common in them. It must not know towers, torch or files of video.
Sizes: F frames, M moments, D joint width, V terms.

The recipe is that of SpLiCE (arXiv:2402.10376, section 3: normalise, centre, normalise, a word
list as dictionary) with a text side of its own: a query's words stand for themselves. Dividing
each term's scores by their own deviation, against hub words, is ours. **None of this was ever
measured with a real CLIP or SigLIP**: tests run on random checkpoints and made-up features, and
whether the deviation, the weights and the constants below help is an open question.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from unify.encoders.calibrate import statistics
from unify.encoders.heads import (
    FRAME_CHUNK,
    QUERY_TERMS,
    HeadsFile,
    pooled_rows,
    unit,
)
from unify.engine.errors import UsageError
from unify.engine.types import Calibration, EncodedQuery, Float32, Int64, MomentCodes

RECIPE = 1  # raised when the arithmetic here changes what a file means
PROMPTS = ("{}", "a photo of {}", "a video of {}", "a person {}")
TERM_CHUNK = 64  # terms encoded at once: with SigLIP two minutes on one core
EXPANSION_TERMS = 16
EXPANSION_WEIGHT = 0.3
NEAREST_TERMS = 3  # that stand in for a word the lexicon lacks
SD_FLOOR = 0.25  # of the median term's standard deviation
LEXICON_WEIGHT = 0.25  # until captions choose: what they chose for `mini`
SHOWN_TERMS = 24  # of a typical moment count as shown; for `mini`, chosen by captions, 19 to 38
STAND_INS = 2000  # prompts that stand for moments until there are some


@dataclass(frozen=True, slots=True)
class Space:
    """What the heads are made of.

    Attributes:
        dictionary: (V, D) unit vectors of the terms, without what all terms share.
        word_mean: (D,) what all terms share.
        text_mean: (D,) what sentences share; that of words until captions were seen.
        frame_mean: (D,) what unit frame features share; zeros until frames were seen.
        term_mean: (V,) mean score of each term over moments; zeros until then.
        term_sd: (V,) standard deviation of the same; ones until then.
        idf: (V,) weight of a query's own word.
    """

    dictionary: Float32
    word_mean: Float32
    text_mean: Float32
    frame_mean: Float32
    term_mean: Float32
    term_sd: Float32
    idf: Float32


class TextHead:
    """Sentence features to queries."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def encode(self, text: Float32, own: list[int], unknown: Float32 | None = None) -> EncodedQuery:
        """Encode one query: own words with their idf, then what it resembles.

        The latent is the sentence as the text tower gives it; the fusion takes the mean off, so
        its ranking is that of the plain cosine.

        Args:
            text: (D,) feature of the sentence.
            own: terms that stand in it.
            unknown: (words, D) features of its words that are not in the lexicon.
        """
        space = self._space
        weights = np.zeros(len(space.idf), np.float32)
        weights[own] = space.idf[own]
        if unknown is not None:
            for state in unit(unit(unknown) - space.word_mean):
                terms, shares = self._nearest(state, NEAREST_TERMS)
                weights[terms] += space.idf.max() * shares / max(float(shares.sum()), 1e-6)
        latent = unit(text[None])[0]
        terms, shares = self._nearest(unit((latent - space.text_mean)[None])[0], EXPANSION_TERMS)
        expansion = EXPANSION_WEIGHT * space.idf[terms] * shares
        weights[terms] += expansion / max(float(shares.max(initial=0)), 1e-6)
        kept = np.argsort(-weights, kind="stable")[:QUERY_TERMS]
        kept = np.sort(kept[weights[kept] > 0])
        return EncodedQuery(latent, kept.astype(np.uint16), weights[kept])

    def _nearest(self, state: Float32, count: int) -> tuple[Int64, Float32]:
        """Return the most similar terms and their cosines, none below 0."""
        cosines = self._space.dictionary @ state  # (V,)
        terms = np.argsort(-cosines, kind="stable")[:count]
        return terms, np.maximum(cosines[terms], 0)


class VideoHead:
    """Frame features to moments."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def encode(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video; see `VideoEncoder.encode_moments`.

        The latent is the mean of unit frame features at unit length (CLIP4Clip's meanP,
        arXiv:2104.08860, section 3.3).
        """
        frames = unit(features)
        latents = np.stack([frames[first:last].mean(axis=0) for first, last in spans.tolist()])
        moments, tracks = pooled_rows(frames, spans, lambda part: self._weights(self._scores(part)))
        return MomentCodes(unit(latents), moments, tracks)

    def best_scores(self, features: Float32, spans: Int64) -> Float32:
        """Return (M, V): how much each moment's best frame resembles each term."""
        return np.concatenate(list(self._best(unit(features), spans)))

    def _best(self, frames: Float32, spans: Int64) -> Iterator[Float32]:
        for start in range(0, len(spans), FRAME_CHUNK):
            part = spans[start : start + FRAME_CHUNK]
            low, high = int(part[:, 0].min()), int(part[:, 1].max())
            scores = self._scores(frames[low:high])
            yield np.stack([scores[a - low : b - low].max(axis=0) for a, b in part.tolist()])

    def _scores(self, frames: Float32) -> Float32:
        """Unit frames (F, D) to cosines with the terms, (F, V)."""
        return unit(frames - self._space.frame_mean) @ self._space.dictionary.T

    def _weights(self, scores: Float32) -> Float32:
        """Scores (rows, V) to weights: what is more than usual for a term, in its own spread."""
        usual = (scores - self._space.term_mean) / self._space.term_sd
        return np.asarray(np.maximum(usual, 0), np.float32)


def uncentred_space(
    terms: Sequence[str],
    encode: Callable[[Sequence[str]], Float32],
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Space:
    """Make the dictionary of a lexicon: what is known before any frame was seen.

    Args:
        terms: the lexicon, by falling frequency.
        encode: texts to (T, D) features.
        told: how many texts of how many are encoded.
    """
    total = len(terms) * len(PROMPTS)
    parts = []
    for start in range(0, len(terms), TERM_CHUNK):
        some = terms[start : start + TERM_CHUNK]
        features = unit(encode([prompt.format(term) for term in some for prompt in PROMPTS]))
        parts.append(features.reshape(len(some), len(PROMPTS), -1).mean(axis=1))
        told(min(total, (start + len(some)) * len(PROMPTS)), total)
    words = unit(np.concatenate(parts))
    mean = words.mean(axis=0)
    dictionary = unit(words - mean).astype(np.float16).astype(np.float32)  # as the file keeps it
    count, width = dictionary.shape
    zeros, ones = np.zeros(count, np.float32), np.ones(count, np.float32)
    return Space(dictionary, mean, mean, np.zeros(width, np.float32), zeros, ones, rank_idf(count))


def rank_idf(terms: int) -> Float32:
    """Return (V,) inverse document frequencies of a lexicon that is ordered by falling count.

    There are no captions to count in, and counts of ours would fit one word list only. Ranks fit
    any: Zipf and Mandelbrot's law, idf = a log(rank + q) + c, fitted to the 104,565 training
    captions of MSR-VTT and Flickr8k and the 4,725 terms that `mini` had then; it is off by 0.26
    on average, where idf goes from 1.4 (`man`) to 12.3.

    >>> rank_idf(4725)[[0, 99, 999]].round(1).tolist()
    [1.899999976158142, 4.800000190734863, 7.599999904632568]
    """
    ranks = np.arange(1, terms + 1)
    return np.asarray(1.27 * np.log(ranks + 10) - 1.17, np.float32)


def centred_space(
    space: Space, features: Float32, spans: Int64, texts: Float32 | None = None
) -> Space:
    """Take off what frames share, and put each term on the scale of its own scores.

    Some terms are near every picture, hubs of the space; against their own mean and spread over
    moments they no longer are. That this finds more was never measured on a real checkpoint.

    Args:
        space: as before any frame was seen, or after others.
        features: (F, D) of the calibration frames.
        spans: (M, 2) moments of them.
        texts: (T, D) features of sentences, if there are any.
    """
    mean = unit(features).mean(axis=0)
    text_mean = space.word_mean if texts is None else unit(texts).mean(axis=0)
    centred = replace(space, frame_mean=mean, text_mean=text_mean)
    scores = VideoHead(centred).best_scores(features, spans)
    sd = scores.std(axis=0)
    sd = np.maximum(sd, max(SD_FLOOR * float(np.median(sd)), 1e-6))
    return replace(centred, term_mean=scores.mean(axis=0), term_sd=np.asarray(sd, np.float32))


def default_calibration(
    codes: MomentCodes, queries: Sequence[EncodedQuery], terms: int
) -> Calibration:
    """Return the statistics of moments, with what captions would choose as the constants say.

    `weak` is the score of an average moment.

    Args:
        codes: the calibration moments.
        queries: for the floors.
        terms: V.
    """
    found = statistics(codes.latents, codes.lexicon, terms, queries)
    rows = (codes.lexicon.row(i)[1] for i in range(len(codes.lexicon)))
    edges = [np.sort(weights)[-min(SHOWN_TERMS, len(weights))] for weights in rows if len(weights)]
    shows = float(np.median(edges)) if edges else 1.0
    return replace(found, lexicon_weight=LEXICON_WEIGHT, shows=shows, weak=0.0)


def stand_in_calibration(space: Space) -> Calibration:
    """Return statistics for a pack that has seen no frame: words stand for moments.

    The spread of scores is then about right and their mean is not, so nothing counts as weak.
    """
    words, queries = word_queries(space)
    single = np.stack([np.arange(len(words)), np.arange(1, len(words) + 1)], axis=1)
    codes = VideoHead(space).encode(words, single)
    return replace(default_calibration(codes, queries, len(space.idf)), weak=-math.inf)


def word_queries(space: Space) -> tuple[Float32, list[EncodedQuery]]:
    """Return features of evenly chosen terms, (words, D), and the queries that they make."""
    step = math.ceil(len(space.idf) / STAND_INS)
    spread = math.sqrt(max(0.0, 1 - float(space.word_mean @ space.word_mean)))
    words = np.asarray(space.word_mean + spread * space.dictionary[::step], np.float32)
    text = TextHead(space)
    return words, [text.encode(word, [i * step]) for i, word in enumerate(words)]


def to_bytes(space: Space, calibration: Calibration) -> bytes:
    """Return the content of `heads.safetensors`."""
    out = {
        name: np.ascontiguousarray(value, np.float16 if value.ndim == 2 else np.float32)
        for name, value in asdict(space).items()
    }
    for name, value in asdict(calibration).items():
        out[f"calibration.{name}"] = np.atleast_1d(np.asarray(value, np.float32))
    out["recipe"] = np.array([RECIPE], np.float32)
    return save(out)


def read_space(file: HeadsFile, path: Path) -> Space:
    """Read what `to_bytes` wrote.

    Raises:
        UsageError: another version of this module wrote it.
    """
    if file.number("recipe") != RECIPE:
        raise UsageError(f"{path} was written by another version", "pull or build the pack again")
    return Space(**{field.name: file.tensor(field.name) for field in fields(Space)})
