"""Values that options of `unify search` take, named here so that no engine need be imported."""

from __future__ import annotations

from enum import StrEnum


class ModeName(StrEnum):
    """The values of `--mode`."""

    fused = "fused"
    latent = "latent"
    lexicon = "lexicon"


class FormatName(StrEnum):
    """The values of `--format`."""

    text = "text"
    json = "json"
    trec = "trec"


class SortName(StrEnum):
    """The values of `--sort`."""

    score = "score"
    time = "time"


class FusionName(StrEnum):
    """The values of `--fusion`."""

    affine = "affine"
    rrf = "rrf"
    sum = "sum"
    server = "server"
