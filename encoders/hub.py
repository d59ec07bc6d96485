"""Where models lie on this machine, and how they get there: the only module that downloads.

Nothing is downloaded but by `download`, which `unify models pull` calls. What a checkpoint must
hold is named here once, for files on the hub and in local folders alike. It must not know what
is done with a checkpoint.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from unify.encoders.hf import FAMILIES, INSTALL
from unify.encoders.manifest import FILE_NAME, describe_files
from unify.engine.errors import MissingPackage, UsageError

CHECKPOINT = "checkpoint"  # below a pack's folder
SETTINGS = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
# The first kind that a checkpoint has: whole or in shards. A `.bin` is read as tensors alone.
WEIGHTS = (
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
FOR_PEOPLE = ("README.md", "LICENSE*")
_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def models_folder() -> Path:
    """Return the folder of pulled and prepared models, in the XDG data folder."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "unify" / "models"


def pulled_folder(model_id: str) -> Path:
    """Return the folder of a model of the hub, whether it has been pulled or not.

    Raises:
        UsageError: it cannot be the name of a model.
    """
    if not _ID.fullmatch(model_id) or "--" in model_id or ".." in model_id:
        raise UsageError(f"{model_id!r} names no model", "give OWNER/NAME, or an existing folder")
    return models_folder() / model_id.replace("/", "--")


def pulled_ids() -> list[str]:
    """Return the models that have been pulled, by name."""
    found = models_folder().glob(f"*--*/{FILE_NAME}")
    return sorted(path.parent.name.replace("--", "/", 1) for path in found)


def checkpoint_files(names: Iterable[str]) -> list[str]:
    """Return which of a checkpoint's files change a vector: settings, tokenizer, weights.

    >>> checkpoint_files(["model.safetensors", "pytorch_model.bin", "config.json", "README.md"])
    ['config.json', 'model.safetensors']
    """
    there = sorted(names)
    for patterns in WEIGHTS:
        weights = [name for name in there if any(fnmatchcase(name, p) for p in patterns)]
        if weights:
            return [name for name in there if name in SETTINGS] + weights
    return [name for name in there if name in SETTINGS]


def checkpoint_stamp(folder: Path) -> str:
    """Return a hash over the files of a checkpoint that change a vector."""
    files = describe_files(folder, checkpoint_files(path.name for path in folder.iterdir()))
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()


def download(model_id: str, folder: Path, bars: bool) -> str:
    """Download a checkpoint, or what is new of it; a download that was cut off goes on.

    Args:
        model_id: OWNER/NAME.
        folder: gets the files.
        bars: whether the hub's library may draw bars on stderr.

    Returns:
        The revision.

    Raises:
        MissingPackage: the hub's library is not installed.
        UsageError: there is no such model, it has no weights that can be used, or the network
            or the disk does not let it through.
    """
    hub = _load_hub()
    named = hub.errors.HTTPError, hub.errors.XetDownloadError, hub.errors.HFValidationError
    try:
        facts = hub.HfApi().model_info(model_id)
        wanted = _wanted(model_id, facts)
        (hub.utils.enable_progress_bars if bars else hub.utils.disable_progress_bars)()
        hub.snapshot_download(model_id, revision=facts.sha, local_dir=folder, allow_patterns=wanted)
    except (hub.errors.RepositoryNotFoundError, hub.errors.DisabledRepoError):  # or a gated one
        raise UsageError(
            f"the model hub has no {model_id} that is open to you", "check its name, or log in"
        ) from None
    except (OSError, RuntimeError, *named) as error:
        raise UsageError(
            f"cannot download {model_id} ({' '.join(str(error).split()) or type(error).__name__})",
            "check network and disk and pull again, or copy a checkpoint here: --pack hf:FOLDER",
        ) from None
    for path in folder.iterdir():  # of another revision
        if path.is_file() and path.name not in wanted:
            path.unlink()
    return str(facts.sha)


def _wanted(model_id: str, facts: Any) -> list[str]:
    """Return the files of a model that are needed, or good to know."""
    names = [sibling.rfilename for sibling in facts.siblings or []]
    kind = (facts.config or {}).get("model_type")
    if kind is not None and kind not in FAMILIES:
        raise UsageError(
            f"{model_id} is of type {kind!r}, not a dual encoder that unify knows",
            f"choose a model of type {', '.join(FAMILIES)}",
        )
    wanted = checkpoint_files(names)
    if "config.json" not in wanted or set(wanted) <= set(SETTINGS):
        raise UsageError(
            f"{model_id} has no config.json with safetensors or .bin weights",
            "choose a model in the format of transformers",
        )
    top = [name for name in names if "/" not in name]
    return wanted + [name for name in top if any(fnmatchcase(name, p) for p in FOR_PEOPLE)]


def _load_hub() -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when it is first imported
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise MissingPackage("pulling a model needs huggingface_hub", INSTALL) from None
    return huggingface_hub
