"""A moment as a row of a Milvus collection, and back, bit for bit.

Everything that a hit and its reasons need is in the row: where the moment lies, its latent, its
weights over the 2V terms of `engine/said.py`, and when each term shows (`tracks`: packed,
compressed, in base64). Vectors are written as float32, or float16, of the float16 values that an
index directory holds, so nothing is rounded.

The id is a hash of all that the row says, its tenant included: ids are a collection's, and two
tenants may have the same videos. A batch that is sent twice writes the same rows twice
over; a row that differs in anything, be it a path, is another row; and a row that was read once
never changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unify.engine.errors import DamagedIndex, UsageError
from unify.engine.local import LocalBackend
from unify.engine.manifest import Root, Video
from unify.engine.segment import Segment
from unify.engine.types import Float16, Float64, Int64, UInt16

TEXT = 65_535  # bytes of a VARCHAR
LISTED = 4_096  # entries of an ARRAY
_NO_UNICODE = re.compile("[\ud800-\udfff]")

Places = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Row:
    """One moment.

    Attributes:
        tenant: whose it is.
        video: its video's id.
        part: which moment of the video it is, in time order from 0.
        start_s: where it begins.
        end_s: where it ends.
        duration_s: of the video.
        recorded: when the video was recorded, seconds since 1970 UTC.
        places: the video's file and its copies: root as given, root's path, path below it.
        latent: (D,) float16.
        terms: (N,) term ids, ascending.
        weights: (N,) float16.
        times_s: (F,) seconds of its frames.
        tracks: rows by frame: indptr (F + 1,), terms, float16 weights.
    """

    tenant: str
    video: int
    part: int
    start_s: float
    end_s: float
    duration_s: float
    recorded: float
    places: Places
    latent: Float16
    terms: UInt16
    weights: Float16
    times_s: Float64
    tracks: tuple[Int64, UInt16, Float16]

    @cached_property
    def id(self) -> int:
        """63 bits of a hash of everything else."""
        spans = (self.start_s, self.end_s, self.duration_s, self.recorded)
        facts = (self.tenant, self.video, self.part, spans, self.places)
        digest = hashlib.blake2b(repr(facts).encode("ascii", "backslashreplace"))
        for part in (self.latent, self.terms, self.weights, self.times_s, *self.tracks):
            digest.update(part.tobytes() + b"|")
        return int.from_bytes(digest.digest()[:8], "big") >> 1

    def paths(self) -> list[tuple[str, str]]:
        """Return the paths of the file and its copies: as given to `build`, and absolute."""
        return paths_of(self.places)


def paths_of(places: Places) -> list[tuple[str, str]]:
    """Return the paths that places mean: as given to `build`, and absolute."""
    return [
        (os.path.normpath(os.path.join(given, rel)), os.path.normpath(os.path.join(root, rel)))  # noqa: PTH118
        for given, root, rel in places
    ]


def read_places(text: str) -> Places:
    """Return the places that the field `places` of a row says."""
    return tuple((given, root, rel) for given, root, rel in json.loads(text))


def searchable(path: str) -> str:
    """Return a path as filters compare it; what is no Unicode becomes U+FFFD."""
    return _NO_UNICODE.sub("\ufffd", path.lower())


def encode(row: Row, lexicon_size: int, shows: float, half: bool) -> dict[str, Any]:
    """Return a row as the client takes it.

    Args:
        row: the moment.
        lexicon_size: V.
        shows: least weight at which a moment shows a term.
        half: whether latents are float16 there.

    Raises:
        UsageError: it holds more than a field can.
    """
    shown = row.terms[(row.weights.astype(np.float64) >= shows) | (row.terms >= lexicon_size)]
    # A sparse vector may not be empty there: such a row names a term that no query has.
    lexicon = dict(zip(row.terms.tolist(), row.weights.tolist(), strict=True))
    texts = {
        "paths": "\n".join(searchable(shown_as) for shown_as, _ in row.paths()),
        "places": json.dumps(row.places),
        "tracks": _pack(row.times_s, row.tracks),
    }
    if max(len(text.encode()) for text in texts.values()) > TEXT or len(shown) > LISTED:
        raise UsageError(
            f"a moment of {row.paths()[0][0]} has more frames, copies or words than a row holds",
            "index it with fewer frames: --fps",
        )
    return {
        "id": row.id,
        "tenant": row.tenant,
        "video": row.video,
        "part": row.part,
        "start_s": row.start_s,
        "end_s": row.end_s,
        "duration_s": row.duration_s,
        "recorded": row.recorded,
        "shown": shown.tolist(),
        "latent": row.latent if half else row.latent.astype(np.float32),
        "lexicon": lexicon or {2 * lexicon_size: 1.0},
        **texts,
    }


FIELDS = [
    "id", "tenant", "video", "part", "start_s", "end_s", "duration_s", "recorded", "places",
    "tracks", "latent", "lexicon",
]  # fmt: skip


def decode(found: Any, lexicon_size: int) -> Row:
    """Return the row of what the client gives for `FIELDS`.

    Raises:
        DamagedIndex: it is not what was written.
    """
    pairs = sorted((t, w) for t, w in found["lexicon"].items() if t < 2 * lexicon_size)
    try:
        row = Row(
            found["tenant"], found["video"], found["part"], found["start_s"], found["end_s"],
            found["duration_s"], found["recorded"], read_places(found["places"]),
            _vector(found["latent"]), np.array([t for t, _ in pairs], np.uint16),
            np.array([w for _, w in pairs], np.float16), *_unpack(found["tracks"]),
        )  # fmt: skip
        same = row.id == found["id"]
    except (ValueError, struct.error, zlib.error):
        same = False
    if not same:
        raise DamagedIndex(
            f"row {found['id']} of the collection is not what was pushed", "push it again: --anew"
        )
    return row


def _vector(found: Any) -> Float16:
    """Return a latent; the client gives one of 16 bits as bytes, alone or in a list."""
    raw = found[0] if isinstance(found, list) and isinstance(found[0], bytes) else found
    return np.frombuffer(raw, "<f2") if isinstance(raw, bytes) else np.asarray(raw, np.float16)


def _pack(times_s: Float64, tracks: tuple[Int64, UInt16, Float16]) -> str:
    indptr, terms, weights = tracks
    parts = (times_s.astype("<f8"), np.diff(indptr).astype("<u2"), terms.astype("<u2"),
             weights.astype("<f2"))  # fmt: skip
    raw = struct.pack("<I", len(times_s)) + b"".join(part.tobytes() for part in parts)
    return base64.b64encode(zlib.compress(raw)).decode("ascii")


def _unpack(text: str) -> tuple[Float64, tuple[Int64, UInt16, Float16]]:
    raw = zlib.decompress(base64.b64decode(text))
    (frames,) = struct.unpack_from("<I", raw)
    times = np.frombuffer(raw, "<f8", frames, 4)
    at = 4 + 8 * frames
    counts = np.frombuffer(raw, "<u2", frames, at).astype(np.int64)
    total, at = int(counts.sum()), at + 2 * frames
    terms = np.frombuffer(raw, "<u2", total, at)
    weights = np.frombuffer(raw, "<f2", total, at + 2 * total)
    return times, (np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), terms, weights)


def local_rows(snapshot: LocalBackend, tenant: str) -> Iterator[Row]:
    """Yield the live moments of an index directory, those of a video in time order."""
    roots, live = snapshot.manifest.roots, snapshot.videos.all
    for segment in snapshot.segments:
        parts: dict[int, int] = {}
        for at, id_ in enumerate(segment.moments["video"].tolist()):
            if id_ in live:
                part = parts[id_] = parts.get(id_, -1) + 1
                yield _local_row(tenant, part, roots, live[id_], segment, at)


def _local_row(
    tenant: str, part: int, roots: Sequence[Root], known: Video, segment: Segment, at: int
) -> Row:
    record = segment.moments[at]
    indptr, terms, weights = segment.forward
    span = slice(int(indptr[at]), int(indptr[at + 1]))
    first, last = int(record["first"]), int(record["last"])
    starts, track_terms, track_weights = segment.tracks
    frames = slice(int(starts[first]), int(starts[last]))
    places = tuple((roots[p.root].given, roots[p.root].path, p.rel) for p in known.places)
    return Row(
        tenant, known.id, part, float(record["start_s"]), float(record["end_s"]), known.duration_s,
        known.recorded, places,
        segment.latents[at], terms[span], weights[span], segment.frames[first:last],
        (starts[first : last + 1] - starts[first], track_terms[frames], track_weights[frames]),
    )  # fmt: skip
