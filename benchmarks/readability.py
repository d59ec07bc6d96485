"""Look at the five strongest terms of each clip: are they words for what it shows?

    python benchmarks/readability.py FOLDER [--pack NAME] [--judged FILE] [--every N] [--json]

Protocol: FOLDER holds clips and `captions.tsv` (see `clips.py`). A clip's terms are those of
`unify terms`: the strongest weight of any of its moments. *Named* counts the terms that the clip's
one caption names, over all clips: a lower bound, for a caption says little of what a clip shows.
*Right* counts the terms of every N-th clip, in the order of their names, which the caption names
or of which FILE says, with the columns file, term and verdict, that the caption has a synonym
(`synonym`) or that a person who watched the clip saw it (`seen`). A term without a verdict is
wrong. Nothing is chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clips import read_captions, read_rows

import unify
from unify.engine.explain import video_terms
from unify.engine.lexicon import Lexicon

STRONGEST = 5
NAMED, SYNONYM, SEEN, WRONG = "named", "synonym", "seen", "wrong"
RIGHT = (NAMED, SYNONYM, SEEN)
MARKS = {NAMED: "**", SYNONYM: "**", SEEN: "*"}  # of markdown


@dataclass(frozen=True, slots=True)
class Row:
    """One term of one clip."""

    file: str
    term: str
    verdict: str


def read_verdicts(path: Path) -> dict[tuple[str, str], str]:
    """Return the verdict of each (file, term)."""
    return {(row["file"], row["term"]): row["verdict"] for row in read_rows(path)}


def judge(
    file: str, caption: str, terms: list[str], lexicon: Lexicon,
    verdicts: dict[tuple[str, str], str],
) -> list[Row]:  # fmt: skip
    """Give each term of a clip its verdict; what the caption names needs none."""
    named = {lexicon.terms[i] for i in lexicon.term_ids(caption)}
    return [
        Row(file, term, NAMED if term in named else verdicts.get((file, term), WRONG))
        for term in terms
    ]


def share(rows: list[Row], verdicts: tuple[str, ...]) -> float:
    """Return the share of terms with one of some verdicts."""
    return round(sum(row.verdict in verdicts for row in rows) / max(1, len(rows)), 3)


def measure(
    folder: Path, pack: str, verdicts: dict[tuple[str, str], str], every: int
) -> dict[str, object]:
    """Index the clips and return the figures and the list."""
    captions = dict(read_captions(folder / "captions.tsv"))
    with tempfile.TemporaryDirectory() as temporary:
        unify.build_index([folder], temporary, unify.BuildOptions(pack=pack))
        index = unify.open_index(temporary)
        lexicon = index.encoder.lexicon
        rows: dict[str, list[Row]] = {}
        for file in sorted(captions):
            found = video_terms(index.backend, lexicon, str(folder / file), STRONGEST)
            terms = [track.term for track in found]
            rows[file] = judge(file, captions[file], terms, lexicon, verdicts)
    judged = [row for file in list(rows)[::every] for row in rows[file]]
    return {
        "pack": pack,
        "clips": len(rows),
        "named": share([row for found in rows.values() for row in found], (NAMED,)),
        "judged_clips": len(list(rows)[::every]),
        "right": share(judged, RIGHT),
        "terms": [[row.file, row.term, row.verdict] for row in judged],
    }


def table(figures: dict[str, object]) -> str:
    """Return the figures as markdown: a line a clip, right terms in bold."""
    terms = figures["terms"]
    assert isinstance(terms, list)
    lines: dict[str, list[str]] = {}
    for file, term, verdict in terms:
        mark = MARKS.get(verdict, "")
        lines.setdefault(file, []).append(f"{mark}{term}{mark}")
    return "\n".join(
        [
            f"Named by the one caption: {figures['named']:.0%} of the terms of {figures['clips']} "
            f"clips. Right: {figures['right']:.0%} of those of {figures['judged_clips']} clips "
            f"(bold: the caption or a synonym; italic: seen in the clip; plain: wrong). "
            f"Pack {figures['pack']}.",
            "",
            "| clip | five strongest terms |",
            "|---|---|",
            *(f"| {file} | {', '.join(found)} |" for file, found in lines.items()),
        ]
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Judge the strongest terms of captioned clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="mini")
    parser.add_argument("--judged", type=Path, help="a TSV of verdicts")
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    verdicts = read_verdicts(options.judged) if options.judged else {}
    figures = measure(options.folder, options.pack, verdicts, options.every)
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else table(figures)) + "\n")


if __name__ == "__main__":
    main()
