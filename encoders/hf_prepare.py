"""Makes packs of `transformers` checkpoints: pull, prepare, calibrate.

    models/OWNER--NAME/         pulled: checkpoint/ holds its files
    models/local/NAME-HASH/     of a folder elsewhere: checkpoint/ is a link to it
    models/unfinished/HASH/     while a checkpoint with that content is prepared

Preparing encodes every word of the lexicon, once; cut off, it goes on where it was. A local
checkpoint is prepared when it is first opened, and again when a file of it has changed: size or
time tell quickly, the hash decides. Calibrating replaces the heads, and so the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError

from unify.encoders import calibrate, zeroshot
from unify.encoders.calibration_set import CalibrationSet, first_captions, look_at
from unify.encoders.evaluate import score
from unify.encoders.heads import HeadsFile
from unify.encoders.hf import Towers, read_config
from unify.encoders.hf_texts import KeptTexts, ToldSometimes
from unify.encoders.hub import (
    CHECKPOINT,
    checkpoint_files,
    checkpoint_stamp,
    download,
    models_folder,
    pulled_folder,
)
from unify.encoders.manifest import (
    FILE_NAME,
    Heads,
    Manifest,
    describe_files,
    read_manifest,
)
from unify.encoders.manifest import Towers as TowersKind
from unify.encoders.zeroshot import Space, TextHead, VideoHead
from unify.engine.durable import replace_file
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon
from unify.engine.types import Bool, Calibration

if TYPE_CHECKING:
    from unify.encoders.hf_pack import HfPack

PREFIX = "hf:"
HEADS = "heads.safetensors"
STAMPS = "stamps.json"
LEXICON = Path(__file__).resolve().parent / "packs" / "mini" / "lexicon.txt"

Told = Callable[[int, int], None]
"""Told how many are done, and of how many."""

log = logging.getLogger(__name__)


def pull(model_id: str, bars: bool, told: Told = lambda done, total: None) -> Path:
    """Download a model of the hub and prepare it; what is there already is not fetched again.

    Args:
        model_id: OWNER/NAME.
        bars: whether bars may be drawn on stderr while it downloads.
        told: of the texts that are encoded.

    Returns:
        The pack's folder.

    Raises:
        MissingPackage: a library is not installed.
        UsageError: the model cannot be downloaded, or not be used.
    """
    model_id = model_id.removeprefix(PREFIX)
    folder = pulled_folder(model_id)
    revision = download(model_id, folder / CHECKPOINT, bars)
    if not _is_up_to_date(folder):
        prepare(folder, PREFIX + model_id, f"{model_id} {revision}", told)
    return folder


def prepare(folder: Path, name: str, source: str, told: Told) -> None:
    """Make a pack, not calibrated, of a folder that holds a checkpoint.

    What was encoded is kept until the pack is whole.

    Args:
        folder: the pack's; its `checkpoint` is there.
        name: what opens it.
        source: where the weights came from.
        told: of the texts that are encoded.
    """
    towers = Towers(folder / CHECKPOINT)
    shutil.copyfile(LEXICON, folder / "lexicon.txt")
    terms = Lexicon.read(LEXICON).terms
    unfinished = models_folder() / "unfinished" / checkpoint_stamp(folder / CHECKPOINT)[:16]
    encode = KeptTexts(unfinished, towers.encode_texts)
    space = zeroshot.uncentred_space(terms, encode, told)
    manifest = Manifest(
        name,
        towers.pixels.shape,
        towers.context,
        towers.dim,
        len(terms),
        "float32",
        (),
        TowersKind.TRANSFORMERS,
        Heads.ZERO_SHOT,
        calibrated=False,
        source=source,
    )
    _write(folder, manifest, space, zeroshot.stand_in_calibration(space))
    encode.drop()


def prepare_local(checkpoint: Path) -> Path:
    """Return the folder of a local checkpoint's pack, prepared if that has not been done.

    Args:
        checkpoint: its absolute path.
    """
    read_config(checkpoint)
    key = hashlib.sha256(os.fsencode(checkpoint)).hexdigest()[:12]
    folder = models_folder() / "local" / f"{checkpoint.name}-{key}"
    stamps = _stamps(checkpoint)
    if _read_stamps(folder) == stamps:
        return folder
    if not _is_up_to_date(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            (made / CHECKPOINT).symlink_to(checkpoint)
            log.warning("preparing %s: encoding every word of the lexicon, once", checkpoint)
            told = ToldSometimes(logging.WARNING)
            prepare(made, PREFIX + str(checkpoint), str(checkpoint), told)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    replace_file(folder / STAMPS, json.dumps(stamps).encode())
    return folder


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a pack was calibrated on.

    Attributes:
        moments: how many.
        captions: of them that had one.
        failed: (file or item, reason) of what could not be decoded.
        calibration: what came of it.
    """

    moments: int
    captions: int
    failed: tuple[tuple[str, str], ...]
    calibration: Calibration


def calibrate_pack(pack: HfPack, folder: Path, told: Told = lambda done, total: None) -> Calibrated:
    """Calibrate a zero-shot pack on what a folder shows, and write it.

    Means, spreads and floors come from the pictures alone. Where they have captions, the mean of
    sentences, the weight of the lexicon side and the thresholds come from those; they must not
    be the captions that the pack is then measured on.

    Args:
        pack: is out of date afterwards; open it again.
        folder: videos and pictures, or a data set.
        told: of the moments that are looked at.

    Raises:
        UsageError: too little in the folder can be decoded, or it is all alike.
    """
    towers = pack.towers
    found = look_at(folder, towers.pixels.shape, towers.encode_frames, told)
    captions = first_captions(found.captions)
    texts = towers.encode_texts(captions) if captions else None
    space = zeroshot.centred_space(pack.space, found.features, found.spans, texts)
    calibration = _calibration(pack, space, found, captions)
    _write(pack.folder, replace(pack.manifest, calibrated=True), space, calibration)
    return Calibrated(len(found.spans), len(captions), found.failed, calibration)


def _calibration(
    pack: HfPack, space: Space, found: CalibrationSet, captions: list[str]
) -> Calibration:
    codes = VideoHead(space).encode(found.features, found.spans)
    if not len(codes.lexicon.weights):
        raise UsageError("all its pictures look alike", "give a folder with pictures of all kinds")
    terms = len(pack.lexicon)
    if not captions:
        return zeroshot.default_calibration(codes, zeroshot.word_queries(space)[1], terms)
    queries = pack.encode_with(TextHead(space), captions)
    calibration = zeroshot.default_calibration(codes, queries, terms)
    right = np.arange(len(captions))
    scores = [score(queries, codes.latents, codes.lexicon, terms, right)]
    calibration = calibrate.choose_weight(calibration, scores)
    calibration = calibrate.choose_weak(calibration, scores)
    return calibrate.choose_shows(calibration, codes.lexicon, _named(found, pack.lexicon))


def _named(found: CalibrationSet, lexicon: Lexicon) -> Bool:
    """Return (M, V) whether any caption of a moment names a term."""
    named = np.zeros((len(found.captions), len(lexicon)), bool)
    for row, captions in enumerate(found.captions):
        for caption in captions:
            named[row, lexicon.term_ids(caption)] = True
    return named


def _write(folder: Path, manifest: Manifest, space: Space, calibration: Calibration) -> None:
    """Write heads and manifest; cut off in between, there is no pack rather than a mixed one."""
    (folder / FILE_NAME).unlink(missing_ok=True)
    replace_file(folder / HEADS, zeroshot.to_bytes(space, calibration))
    files = describe_files(folder, [*_checkpoint_paths(folder), "lexicon.txt", HEADS])
    replace(manifest, files=files).write(folder)


def _checkpoint_paths(folder: Path) -> list[str]:
    names = checkpoint_files(path.name for path in (folder / CHECKPOINT).iterdir())
    return [f"{CHECKPOINT}/{name}" for name in names]


def _is_up_to_date(folder: Path) -> bool:
    """Return whether a pack was prepared by this code from just what its checkpoint holds now."""
    try:
        manifest = read_manifest(folder)
        zeroshot.read_space(HeadsFile(folder / HEADS), folder / HEADS)
        there = describe_files(folder, _checkpoint_paths(folder))
    except (UsageError, OSError, SafetensorError):
        return False
    return there == tuple(f for f in manifest.files if f.path.startswith(f"{CHECKPOINT}/"))


def _stamps(checkpoint: Path) -> dict[str, list[int]]:
    """Return what tells quickly that a checkpoint, or the way to prepare it, may have changed."""
    stamps = {"recipe": [zeroshot.RECIPE]}
    for name in checkpoint_files(path.name for path in checkpoint.iterdir()):
        facts = (checkpoint / name).stat()
        stamps[name] = [facts.st_size, facts.st_mtime_ns]
    return stamps


def _read_stamps(folder: Path) -> object:
    """Return the stamps of a pack; None when there is none, or it was cut off."""
    if not (folder / FILE_NAME).is_file():
        return None
    try:
        found: object = json.loads((folder / STAMPS).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found
