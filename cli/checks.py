"""What `unify doctor` looks at: each function tries one thing for real and says what it found."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unify.cli.render import counted

if TYPE_CHECKING:
    from unify.engine.search import Searcher

ROOM_BYTES = 500 << 20
EXTRAS = {  # the modules that each needs
    "serve": ("fastapi", "prometheus_client", "uvicorn"),
    "sheet": ("PIL",),
    "hf": ("torch", "transformers"),
    "train": ("matplotlib", "torch"),
    "decord": ("decord",),
    "milvus": ("pymilvus",),
    "ray": ("ray",),
}


class State(StrEnum):
    """How a check came out; only `fail` makes the exit code 1."""

    ok = "ok"
    note = "note"
    fail = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        text: for people, on one line.
        state: a note works, or is not needed, but is worth knowing.
        remedy: what to do about it; "" when it is fine.
    """

    text: str
    state: State = State.ok
    remedy: str = ""


def python() -> Finding:
    """Say which Python runs, on how many processors; an older one runs nothing of this."""
    return Finding(f"{sys.version.split()[0]} at {sys.executable}, {os.cpu_count()} processors")


def package() -> Finding:
    """See that the module `unify` is ours: two other distributions install one of that name."""
    import unify

    for other in ("unify", "unifyai"):
        try:
            importlib.metadata.version(other)
        except importlib.metadata.PackageNotFoundError:
            continue
        return Finding(
            f"the package {other!r} owns the same name", State.fail, f"pip uninstall {other}"
        )
    return Finding(f"{unify.__version__} at {Path(str(unify.__file__)).parent}")


def faiss() -> Finding:
    """See that FAISS finds a vector, and whether it sees a GPU."""
    import numpy as np

    from unify.engine.latents import load_faiss

    faiss = load_faiss()
    vectors = np.eye(4, dtype=np.float32)
    index = faiss.IndexFlatIP(4)
    index.add(vectors)
    if index.search(vectors, 1)[1].ravel().tolist() != [0, 1, 2, 3]:
        return Finding("FAISS finds the wrong vectors", State.fail, "install it again")
    if not hasattr(faiss, "StandardGpuResources"):
        return Finding(f"{faiss.__version__}, for CPUs, finds vectors")
    gpus = faiss.get_num_gpus()
    text = f"{faiss.__version__}, for GPUs, {gpus} seen, finds vectors"
    if not gpus:
        return Finding(text, State.note, "searches run on the CPU; see what nvidia-smi says")
    return Finding(text)


def openvino() -> Finding:
    """See that OpenVINO has a CPU to run models on."""
    from unify.encoders.vision import load_openvino

    ov = load_openvino()
    core = ov.Core()
    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    return Finding(f"{ov.__version__.partition('-')[0]} on {' '.join(name.split())}")


def decoder() -> Finding:
    """Make a clip of each common codec and decode it."""
    from unify.indexer import trial

    tried = trial.tried()
    faults = {codec: fault for codec, fault in tried.items() if fault}
    if faults:
        told = "; ".join(f"{codec}: {fault}" for codec, fault in faults.items())
        return Finding(f"{trial.version()}: {told}", State.fail, "pip install --force-reinstall av")
    return Finding(f"{trial.version()} decodes {', '.join(tried)}")


def kernels() -> Finding:
    """Compile a kernel, see that it adds up, and that the machine code can be kept."""
    import numpy as np

    from unify.engine.compiled import cache_folder
    from unify.engine.postings import Lists, topk

    one = np.array([0, 1]), np.zeros(1, np.uint16), np.ones(1, np.uint8)
    found = topk(Lists(one, 1, 1, np.zeros(1, np.uint16), np.ones(1)), None, 1, fast=True)
    if found.rows.tolist() != [0] or abs(found.scores[0] - 1) > 0.02:
        return Finding(f"numba gives wrong sums: {found.scores}", State.fail, "reinstall numba")
    if cache_folder() is None:
        return Finding(
            "numba compiles and adds up, but nothing keeps what it compiled", State.note,
            "large indexes start slower; set XDG_CACHE_HOME to a folder that can be written",
        )  # fmt: skip
    return Finding("numba compiles, adds up and keeps what it compiled")


def pack() -> Finding:
    """Check every byte of the pack that ships, and encode a text and a picture with it."""
    import numpy as np

    from unify.encoders.packs import open_pack

    pack = open_pack("mini")
    pack.verify()
    encoded = pack.encode_query("a dog")
    shape = pack.frame_shape
    feature = pack.encode_frames(np.zeros((1, shape.height, shape.width, 3), np.uint8))
    if encoded.latent is None or not all(np.isfinite(v).all() for v in (feature, encoded.latent)):
        return Finding("mini encodes to no numbers", State.fail, "install openvino again")
    return Finding(f"{pack.fingerprint[:12]}, every checksum right, encodes texts and pictures")


def index(given: Any) -> Finding:
    """Open the index with its pack and search it."""
    from unify.encoders.library import open_index
    from unify.engine.location import elsewhere, locate
    from unify.engine.manifest import NAME

    if not elsewhere(given) and not (locate(given) / NAME).is_file():
        return Finding(f"none yet at {locate(given)}", State.note, "unify index build VIDEOS")
    searcher: Searcher = open_index(given)
    statistics = searcher.backend.statistics()
    searcher.search("a dog", 1)
    videos, moments = counted(statistics.videos, "video"), counted(statistics.moments, "moment")
    text = f"{videos}, {moments}, searchable"
    remark = getattr(searcher.encoder, "remark", "")
    return Finding(f"{searcher.backend.name}: {text}" + (f"; {remark}" if remark else ""))


def lock(given: Any) -> Finding:
    """See whether a process is writing the index now."""
    from unify.engine.location import elsewhere, locate
    from unify.indexer.live import running_build

    if elsewhere(given):
        return Finding("a collection has none")
    directory = locate(given)
    if not (directory / "lock").is_file():
        return Finding("free")
    with (directory / "lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            build = running_build(directory)
            text = "another process is writing the index"
            text += f", a build, {build.share:.0%} done" if build else ""
            return Finding(text, State.note, "searches go on; wait for it before you build")
    return Finding("free")


def disk(given: Any) -> Finding:
    """See that there is room where the index and the caches are."""
    from unify.engine.location import elsewhere, locate
    from unify.indexer.thumbnails import cache_folder

    places = [] if elsewhere(given) else [locate(given)]
    places += [folder] if (folder := cache_folder()) else []
    texts, scarce = [], False
    for place in places:
        there = next(folder for folder in (place, *place.parents) if folder.is_dir())
        free = shutil.disk_usage(there).free
        texts.append(f"{free / 1e9:,.1f} GB free at {there}")
        scarce |= free < ROOM_BYTES
    text = ", ".join(dict.fromkeys(texts)) or "no folder of yours is used"
    if scarce:
        return Finding(text, State.note, f"a build may need {ROOM_BYTES >> 20} MB: make room")
    return Finding(text)


def thumbnails() -> Finding:
    """Make a thumbnail as the page and contact sheets do, and see that thumbnails can be kept."""
    from unify.indexer.thumbnails import Thumbnails, cache_folder
    from unify.indexer.trial import make_clip

    with tempfile.TemporaryDirectory(prefix="unify-trial-") as made, Thumbnails(None) as maker:
        make_clip(Path(made) / "clip.mkv")
        data = maker.thumbnail(str(Path(made) / "clip.mkv"), 0.0)
    if data[:2] != b"\xff\xd8":
        return Finding("what comes out is no JPEG", State.fail, "pip install --force-reinstall av")
    folder = cache_folder()
    if folder is None or not _writable(folder):
        return Finding(
            "one is made, none can be kept", State.note,
            "set XDG_CACHE_HOME to a folder that can be written",
        )  # fmt: skip
    return Finding(f"one is made, kept in {folder}")


def words() -> Finding:
    """Read the user's dictionary, without which no search would run while it cannot be read."""
    from unify.cli.wordsfile import read_words, words_path

    path, found = words_path(), read_words()
    if not found.entries:
        return Finding("no dictionary of yours, and none is needed")
    return Finding(f"{counted(len(found.entries), 'name')} in {path}")


def _writable(folder: Path) -> bool:
    """Return whether a file can be made there, by making one that goes at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def extra(name: str) -> Finding:
    """See whether what an optional part needs is installed."""
    missing = [module for module in EXTRAS[name] if importlib.util.find_spec(module) is None]
    if missing:
        text = f"not installed ({', '.join(missing)})"
        return Finding(text, State.note, f"pip install 'unify-search[{name}]', if you want it")
    return Finding(f"installed ({', '.join(EXTRAS[name])})")


def player() -> Finding:
    """See which player `unify open` starts."""
    from unify.cli.players import command_for
    from unify.engine.errors import UsageError

    try:
        found = command_for("/video.mp4", 0.0)
    except UsageError as error:
        return Finding(error.message, State.note, f"{error.hint}, for unify open")
    if not found.seeks:
        return Finding(
            f"{found.player} starts videos at their beginning", State.note,
            "install mpv, or vlc, to start at the moment",
        )  # fmt: skip
    return Finding(f"{found.player} starts at the moment")
