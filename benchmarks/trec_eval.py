"""Score runs against judgements, as TREC does.

    unify search --queries captions.txt --format trec > run.txt
    python benchmarks/trec_eval.py QRELS RUN... [--measures "R@10 nDCG@10 RR"] [--moments]

QRELS has TREC's four columns: query id, 0, document, grade. Its documents are videos as a run
names them, percent-encoded, unless `--moments` is given: then they carry the time too (see
`cli/trec.py`). Without it a video counts once, at its best moment. Measures are those of
ir-measures (https://ir-measur.es); the mean is over all judged queries, also those without a hit.
Queries that nobody judged are told and left out, as trec_eval does; a run with no judged query, or
no judged document, is an error: its ids are others than those of the judgements.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from unify.cli.trec import RunLine, read_run
from unify.engine.errors import MissingPackage, UsageError

MEASURES = "R@1 R@5 R@10 RR nDCG@10"


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Return grades by query and document.

    Raises:
        UsageError: a line has not four columns with a whole grade, or there is none.
    """
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            query, _, document, grade = line.split()
            found.setdefault(query, {})[document] = int(grade)
        except ValueError:
            where = f"{path}, line {number}"
            raise UsageError(
                f"{where}: {line.strip()!r} is no judgement", "query_id 0 document grade"
            ) from None
    if not found:
        raise UsageError(f"{path} holds no judgement", "check the file")
    return found


def scores(lines: Iterable[RunLine], moments: bool) -> dict[str, dict[str, float]]:
    """Return the best score by query and document; a document is a video without its times."""
    found: dict[str, dict[str, float]] = {}
    for line in lines:
        document = line.document if moments else line.document.rpartition("#")[0] or line.document
        kept = found.setdefault(line.query, {})
        kept[document] = max(line.score, kept.get(document, line.score))
    return found


def evaluate(
    qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]], measures: Sequence[str]
) -> dict[str, float]:
    """Return the mean of each measure over the judged queries.

    Raises:
        MissingPackage: ir-measures is not installed.
        UsageError: it does not know a measure.
    """
    try:
        import ir_measures
    except ImportError:
        raise MissingPackage(
            "ir-measures is not installed", "pip install 'unify-search[bench]'"
        ) from None
    try:
        asked = [ir_measures.parse_measure(name) for name in measures]
    except (NameError, ValueError) as error:
        raise UsageError(f"{error}", "see https://ir-measur.es") from None
    judged = {query: run.get(query, {}) for query in qrels}
    found = ir_measures.calc_aggregate(asked, qrels, judged)
    return {str(measure): float(found[measure]) for measure in asked}


def check(qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]], path: Path) -> None:
    """Say which queries are not judged.

    Raises:
        UsageError: none is, or no document that was found is: the ids do not match.
    """
    judged = run.keys() & qrels.keys()
    if run and not judged:
        raise UsageError(
            f"{path}: no query of it is judged (such as {next(iter(run))!r})",
            f"the judgements have such as {next(iter(qrels))!r}",
        )
    known = {document for grades in qrels.values() for document in grades}
    found = {document for query in judged for document in run[query]}
    if found and not known & found:
        raise UsageError(
            f"{path}: no document of it is judged (such as {min(found)!r})",
            f"the judgements have such as {min(known)!r}; --moments keeps times",
        )
    if len(judged) < len(run):
        sys.stderr.write(f"{path}: {len(run) - len(judged)} of {len(run)} queries not judged\n")


def table(figures: dict[str, dict[str, float]]) -> str:
    """Return the figures of each run as markdown."""
    names = list(next(iter(figures.values())))
    return "\n".join(
        [
            f"| run | {' | '.join(names)} |",
            "|---" * (len(names) + 1) + "|",
            *(
                f"| {run} | {' | '.join(f'{found[name]:.4f}' for name in names)} |"
                for run, found in figures.items()
            ),
        ]
    )


def main() -> None:
    """Score every run."""
    parser = argparse.ArgumentParser(description="Score TREC runs.")
    parser.add_argument("qrels", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--measures", default=MEASURES)
    parser.add_argument("--moments", action="store_true", help="judgements are of moments")
    options = parser.parse_args()
    qrels = read_qrels(options.qrels)
    figures = {}
    for path in options.runs:
        run = scores(read_run(path), options.moments)
        check(qrels, run, path)
        figures[str(path)] = evaluate(qrels, run, options.measures.split())
    sys.stdout.write(table(figures) + "\n")


if __name__ == "__main__":
    main()
