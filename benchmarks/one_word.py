"""Ask for one word at a time, and report how often a right clip comes first.

    python benchmarks/one_word.py FOLDER [--pack NAME] [--words cat drums car surfing] [--json]

Protocol: FOLDER holds clips and `captions.tsv` (see `clips.py`). Each query is one word. Without
`--words` it is every term of the pack's lexicon that a caption names, in the caption's own
spelling, stop words left out. A clip is right when its caption names the term; others may show it
too, so the figure is a lower bound, the same for every mode. The gallery is every indexed clip.
Reported are the percentage of words whose first clip is right (P@1), and the mean reciprocal rank
of the first right clip. Nothing is chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from clips import MODES, read_captions

import unify
from unify.engine.fusion import Mode
from unify.engine.lexicon import Lexicon, words_of
from unify.engine.search import Searcher


def right_clips(captions: list[tuple[str, str]], lexicon: Lexicon) -> dict[str, set[str]]:
    """Return the word of each term that captions name, and the clips whose caption does."""
    words: dict[int, str] = {}
    clips: dict[int, set[str]] = {}
    for file, caption in captions:
        for word in words_of(caption):
            term = lexicon.lookup(word)
            if term is not None:
                words.setdefault(term, word)
                clips.setdefault(term, set()).add(file)
    return {word: clips[term] for term, word in words.items()}


def first_right(index: Searcher, word: str, right: set[str], mode: Mode) -> float:
    """Return the rank of the first right clip, infinity when none is found."""
    hits = index.search(word, index.backend.statistics().videos, mode=mode)
    names = [Path(hit.video).name for hit in hits]
    return next((rank for rank, name in enumerate(names, 1) if name in right), math.inf)


def measure(folder: Path, pack: str, words: Sequence[str] | None) -> dict[str, object]:
    """Build, search, and return all figures."""
    captions = read_captions(folder / "captions.tsv")
    with tempfile.TemporaryDirectory() as temporary:
        unify.build_index([folder], temporary, unify.BuildOptions(pack=pack))
        index = unify.open_index(temporary)
        named = right_clips(captions, index.encoder.lexicon)
        if words:
            lexicon = index.encoder.lexicon
            by_term = {lexicon.lookup(word): clips for word, clips in named.items()}
            named = {word: by_term.get(lexicon.lookup(word), set()) for word in words}
        asked = [word for word, clips in named.items() if clips]
        ranks = {
            mode: np.array([first_right(index, word, named[word], mode) for word in asked])
            for mode in MODES
        }
    return {
        "pack": pack,
        "words": len(asked),
        "no_right_clip": [word for word in named if word not in asked],
        "modes": {
            str(mode): {
                "P@1": round(100 * float((found == 1).mean()), 1),
                "MRR": round(float((1 / found).mean()), 3),
            }
            for mode, found in ranks.items()
        },
        "first": {
            str(mode): [w for w, rank in zip(asked, found.tolist(), strict=True) if rank == 1]
            for mode, found in ranks.items()
        },
    }


def table(figures: dict[str, object]) -> str:
    """Return the figures as markdown."""
    modes = figures["modes"]
    assert isinstance(modes, dict)
    rows = [f"| {mode} | {row['P@1']} | {row['MRR']} |" for mode, row in modes.items()]
    said = f"{figures['words']} words, pack {figures['pack']}"
    return "\n".join(["| mode | P@1 | MRR |", "|---|---|---|", *rows, "", said])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="One-word queries on captioned clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="mini")
    parser.add_argument("--words", nargs="+")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.folder, options.pack, options.words)
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else table(figures)) + "\n")


if __name__ == "__main__":
    main()
