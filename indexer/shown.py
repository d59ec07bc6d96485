"""A picture or a clip that somebody shows: decoded and encoded as a moment is, to be a query.

It goes through the same decoder process and the same encoder as the videos of an index, so that
a picture of an indexed frame is as near to its moment as it can be. What is said is not read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unify.engine.errors import MediaError, UsageError
from unify.engine.manifest import IndexSettings
from unify.engine.types import EncodedQuery, Float32
from unify.indexer.decoding import Batch, DecodeProcess, Started
from unify.indexer.ports import VideoEncoder
from unify.indexer.worker import Decoder, Request

MAX_CLIP_S = 600.0  # a longer one has many scenes, and nothing is like the mean of all of them


def encode_shown(
    path: Path,
    still: bool,
    encoder: VideoEncoder,
    settings: IndexSettings,
    name: str = "",
    process: DecodeProcess | None = None,
) -> EncodedQuery:
    """Encode a file as one moment.

    Args:
        path: of a picture, or of a clip; a clip is looked at `settings.fps` times a second, and all
            of it is one query, so it may last `MAX_CLIP_S`.
        still: whether it must be a single picture.
        encoder: of the index that will be searched.
        settings: of that index.
        name: what errors call the file; by default its path.
        process: decodes it, and is closed then; by default one with the usual limits.

    Raises:
        UsageError: it cannot be read, it is not what was asked for, or it is too long.
    """
    what = "picture" if still else "clip"
    decoder = Decoder.PYAV if still else Decoder(settings.decoder)
    request = Request(str(path.absolute()), settings.fps, encoder.frame_shape, decoder)
    process = process or DecodeProcess()
    try:
        features = _features(process, request, still, encoder)
    except MediaError as error:
        clip = f"give a video file of at most {MAX_CLIP_S / 60:g} minutes"
        hint = "give a JPEG, PNG or the like" if still else clip
        why = str(error).replace("not a video", "no picture", 1) if still else error
        raise UsageError(f"{name or path} cannot be used as a {what}: {why}", hint) from None
    finally:
        process.close()
    whole = np.array([[0, len(features)]], np.int64)
    codes = encoder.encode_moments(features, whole)
    terms, weights = codes.lexicon.row(0)
    return EncodedQuery(codes.latents[0], terms, weights)


def _features(
    process: DecodeProcess, request: Request, still: bool, encoder: VideoEncoder
) -> Float32:
    """Return (F, C) features of the frames of a file; F is 1 of a still."""
    parts = []
    for event in process.decode(request):
        match event:
            case Started(_, duration_s) if not still and duration_s > MAX_CLIP_S:
                raise MediaError(f"it lasts {duration_s / 60:,.1f} minutes")
            case Batch(times_s, _) if still and len(times_s) > 1:
                raise MediaError("it is a video, so give it as a clip")
            case Batch(_, frames):
                parts.append(encoder.encode_frames(frames))
    return np.concatenate(parts)
