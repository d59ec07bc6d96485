"""Dual encoders of `transformers`, from a local folder: pictures and sentences to one space.

    clip, metaclip_2   text padded to the longest, attention mask, pooled at the end token
    siglip             SigLIP, and SigLIP 2 of fixed resolution; text padded to the whole context,
                       no mask, pooled at the last place
    siglip2            SigLIP 2 NaFlex, always looked at in squares

(In transformers 5.23 aimv2 sees later tokens unless a batch is padded: padding would change a
vector. align, altclip, chinese_clip and tipsv2 have ways of their own; PE-Core is not there.)

The models' own `get_image_features` and `get_text_features` compute (since transformers 5 they give
a whole output, whose `pooler_output` is the feature); this module brings text and pixels to them
as they were trained. The network is never asked, no code of a checkpoint is run,
and weights are safetensors, or a `.bin` that is read as nothing but tensors. Arithmetic is
float32 on every device. It must not know what the features are used for.

Pictures: the indexer scales and cuts frames to `shape` (FFmpeg's bicubic, with the same support
as Pillow's), so `encode_frames` only cuts the middle where the checkpoint's crop is smaller than
its size, rescales and normalises. Frames of that size come out as from the checkpoint's own
processor; of other sizes the two resamplings differ by 0.3 grey levels on average, and by up to
1.6 where a checkpoint asks for bilinear (measured on `samples/`, as `tests/encoders/test_hf.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unify.encoders.hf_pixels import Pixels, read_pixels
from unify.engine.errors import MissingPackage, UsageError
from unify.engine.types import Float32, UInt8

if TYPE_CHECKING:
    import torch

FRAME_BATCH = 32
TEXT_BATCH = 64
INSTALL = "pip install 'unify-search[hf]'"


@dataclass(frozen=True, slots=True)
class Family:
    """How a kind of model takes text.

    Attributes:
        whole_context: text is padded on the right to the whole context, padding is attended to,
            and letters are made small: as SigLIP was trained
            (https://github.com/google-research/big_vision, image_text/README_siglip2.md).
        projection: name of the map from the text tower's states to the joint space.
    """

    whole_context: bool
    projection: str


_CLIP = Family(whole_context=False, projection="text_projection")
_SIGLIP = Family(whole_context=True, projection="text_model.head")
FAMILIES: Mapping[str, Family] = {
    "clip": _CLIP, "metaclip_2": _CLIP, "siglip": _SIGLIP, "siglip2": _SIGLIP,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenStates:
    """Token states of a batch of texts, on the model's device.

    Attributes:
        states: (B, L, D) every token after the last norm and the text projection.
        words: (B, L) bool, False for padding and for special tokens.
        pooled: (B, D) the text features.
    """

    states: torch.Tensor
    words: torch.Tensor
    pooled: torch.Tensor


class Towers:
    """Both towers of a checkpoint.

    Args:
        folder: holds `config.json`, weights, tokenizer and `preprocessor_config.json`.
        device: of torch; by default the GPU where there is one.

    Attributes:
        model: the torch model, in evaluation mode.
        pixels: how frames become its input; `pixels.shape` is what the indexer must hand over.
        context: longer texts are cut to so many tokens.
        dim: D, the width of the joint space.

    Raises:
        MissingPackage: torch or transformers is not installed.
        UsageError: the checkpoint is not of a known family, or a file of it is missing or broken.
    """

    def __init__(self, folder: Path, device: str | None = None) -> None:
        config = read_config(folder)
        self._family = FAMILIES[config["model_type"]]
        torch = load_torch()
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = _load_model(folder).to(self.device)
        self._tokenizer = _load_tokenizer(folder)
        self.pixels: Pixels = read_pixels(folder, config["model_type"], self.model.config)
        self.context = int(self.model.config.text_config.max_position_embeddings)
        self.dim = int(self.model.get_submodule(self._family.projection).out_features)

    @property
    def logit_scale(self) -> torch.Tensor:
        """The logarithm of the factor of cosines in training: a parameter of one number."""
        scale: torch.Tensor = self.model.logit_scale
        return scale

    @property
    def logit_bias(self) -> torch.Tensor | None:
        """What SigLIP adds to logits, else None."""
        bias: torch.Tensor | None = getattr(self.model, "logit_bias", None)
        return bias

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) RGB frames of `pixels.shape` to (F, D), not normalised."""
        torch = load_torch()
        out = []
        with torch.inference_mode(), exact(torch):
            for start in range(0, len(frames), FRAME_BATCH):
                batch = torch.tensor(frames[start : start + FRAME_BATCH], device=self.device)
                out.append(self.frame_features(batch).cpu().numpy())
        return np.concatenate(out)

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        """Encode (T,) texts to (T, D), not normalised; texts of like length go together."""
        torch = load_torch()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = np.empty((len(texts), self.dim), np.float32)
        with torch.inference_mode(), exact(torch):
            for start in range(0, len(order), TEXT_BATCH):
                rows = order[start : start + TEXT_BATCH]
                batch = self.tokens([texts[i] for i in rows])
                out[rows] = self.model.get_text_features(**batch).pooler_output.cpu().numpy()
        return out

    def frame_features(self, frames: torch.Tensor) -> torch.Tensor:
        """Encode (F, height, width, 3) uint8 on the device to (F, D), with gradients."""
        out = self.model.get_image_features(**self.pixels.inputs(frames))
        features: torch.Tensor = out.pooler_output
        return features

    def tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return the model's text inputs, each (B, L), on the device."""
        whole = self._family.whole_context
        encoded = self._tokenizer(
            [text.lower() for text in texts] if whole else list(texts),
            padding="max_length" if whole else True, padding_side="right",
            truncation=True, max_length=self.context,
            return_attention_mask=not whole, return_tensors="pt",
        )  # fmt: skip
        return {name: tensor.to(self.device) for name, tensor in encoded.items()}

    def knows(self, word: str) -> bool:
        """Return whether a word is one token behind a space."""
        # `tokenize` would turn off padding, under the hands of another thread that encodes.
        ids = self.tokens([f" {word}"])["input_ids"][0].tolist()
        return sum(token not in self._tokenizer.all_special_ids for token in ids) == 1

    def token_states(self, tokens: dict[str, torch.Tensor]) -> TokenStates:
        """Encode what `tokens` returned, token by token, with gradients."""
        torch = load_torch()
        states = self.model.text_model(**tokens)
        project = self.model.get_submodule(self._family.projection)
        pooled = states.pooler_output
        if not self._family.whole_context:  # else the tower has projected it already
            pooled = project(pooled)
        special = torch.tensor(self._tokenizer.all_special_ids, device=self.device)
        words = ~torch.isin(tokens["input_ids"], special)
        return TokenStates(project(states.last_hidden_state), words, pooled)


def load_torch() -> Any:
    """Import torch.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingPackage("packs from transformers need torch", INSTALL) from None
    return torch


def read_config(folder: Path) -> dict[str, Any]:
    """Read a checkpoint's `config.json`, without torch.

    Raises:
        UsageError: there is none, or the model is of no known family.
    """
    path = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
        kind = config.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path} cannot be read ({error})", "give the folder of a transformers checkpoint"
        ) from None
    if kind not in FAMILIES:
        raise UsageError(
            f"{path}: model type {kind!r} is not a dual encoder that unify knows",
            f"use a checkpoint of type {', '.join(FAMILIES)}",
        )
    return config


def _load_model(folder: Path) -> Any:
    torch, transformers = load_torch(), _load_transformers()
    safe = any(folder.glob("*.safetensors"))
    try:
        with _quiet(transformers):
            model, report = transformers.AutoModel.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=safe,
                weights_only=True,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:  # a broken file raises what its format's reader likes
        raise UsageError(
            f"the weights in {folder} cannot be loaded ({_first_line(error)})",
            "see that the folder holds the whole checkpoint, as safetensors",
        ) from None
    lacking = sorted(report["missing_keys"] or report["mismatched_keys"])
    if lacking:
        raise UsageError(
            f"the weights in {folder} lack {len(lacking)} tensors, such as {lacking[0]}",
            "give the folder of a whole dual encoder",
        )
    return model.eval()


def _load_tokenizer(folder: Path) -> Any:
    transformers = _load_transformers()
    try:
        with _quiet(transformers):
            return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except ImportError:  # SigLIP's first tokenizer
        raise MissingPackage(
            f"the tokenizer in {folder} needs sentencepiece", "pip install sentencepiece protobuf"
        ) from None
    except Exception as error:
        raise UsageError(
            f"the tokenizer in {folder} cannot be loaded ({_first_line(error)})",
            "see that the folder holds the whole checkpoint",
        ) from None


def _load_transformers() -> Any:
    # Read when the hub's library is first imported, on the way to transformers.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import transformers
    except ImportError:
        raise MissingPackage("packs from transformers need transformers", INSTALL) from None
    return transformers


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from writing bars and remarks to stderr; what matters is raised."""
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def exact(torch: Any) -> Iterator[None]:
    """Keep cuDNN from rounding float32 to TF32: the patch embedding is a convolution."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
