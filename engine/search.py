"""From a sentence to hits: parse, encode, plan, execute, and say why.

Knows a `QueryEncoder` and a `Backend`, not which ones.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeVar
from weakref import proxy

import numpy as np

from unify.engine.answer import Answer
from unify.engine.backend import Allowed, Backend, Condition, Fetched
from unify.engine.errors import DamagedIndex, QueryError
from unify.engine.execute import execute
from unify.engine.fusion import Fuse, Fusion, Mode, fuse
from unify.engine.hits import make_hits, with_reasons
from unify.engine.interpret import Interpreter
from unify.engine.options import Options
from unify.engine.planner import Plan, Structure, Wanted, make_plan
from unify.engine.pooling import read_pool
from unify.engine.ports import QueryEncoder
from unify.engine.postings import pool
from unify.engine.query import Hard, ParsedQuery
from unify.engine.said import said_ids, with_said
from unify.engine.types import EncodedQuery, UInt16
from unify.engine.wording import SearchedTerm

BATCH = 128  # queries that share scans

_Made = TypeVar("_Made")


class Searcher:
    """Answers queries over one snapshot with one pack."""

    def __init__(self, backend: Backend, encoder: QueryEncoder) -> None:
        self.backend = backend
        self.encoder = encoder
        # Weakly, for its caches refer to themselves: files would stay open until Python tidies up.
        weakly = proxy(backend)
        self.interpreter = Interpreter(encoder, lambda terms: weakly.postings_count(terms))

    def search(self, query: str, k: int = 10, **options: Any) -> Answer:
        """Find the moments that a query describes.

        Args:
            query: a plain sentence, or the language of `engine/query.py`.
            k: how many hits.
            options: further fields of `Options`.

        Raises:
            QueryError: the query is empty, too long, or a hard condition names an unknown word.
            UsageError: an option has a value that it cannot have.
        """
        chosen = Options(k=k, **options)
        started = time.perf_counter()
        parsed = chosen.parse(query)
        return self._answer(self._prepare(parsed, self.encode(parsed), chosen, started), chosen)

    def search_many(
        self, queries: Sequence[str], k: int = 10, **options: Any
    ) -> Iterator[Answer | QueryError]:
        """Answer queries in order, sharing work between those of a batch.

        A batch is encoded at once, queries that fetch from the same moments to the same depth
        share one scan over the latents, and the rest runs on all processors, a query on each. So
        answers are those of `search`, but scores may differ from its own in the last digits.

        Args:
            queries: as of `search`.
            k: how many hits.
            options: further fields of `Options`.

        Yields:
            the answer of each query, or what is wrong with it.

        Raises:
            UsageError: an option has a value that it cannot have; told when the first answer is
                asked for.
        """
        chosen = Options(k=k, **options)
        for start in range(0, len(queries), BATCH):
            yield from self._batch(queries[start : start + BATCH], chosen)

    def _batch(self, queries: Sequence[str], options: Options) -> Iterator[Answer | QueryError]:
        started = time.perf_counter()
        ready = [_or_error(partial(options.parse, query)) for query in queries]
        parsed = [query for query in ready if isinstance(query, ParsedQuery)]
        encoded = iter(self.interpreter.encode(parsed))
        prepared = [
            query
            if isinstance(query, QueryError)
            else _or_error(partial(self._prepare, query, next(encoded), options, started))
            for query in ready
        ]
        good = [query for query in prepared if isinstance(query, _Prepared)]
        latents = self._shared_latents(good)
        alone = [
            replace(query, plan=replace(query.plan, threads=1, latent_threads=1)) for query in good
        ]
        answers = iter(
            pool().map(lambda pair: self._answer(pair[0], options, pair[1]),
                       zip(alone, latents, strict=True))
        )  # fmt: skip
        for query in prepared:
            yield query if isinstance(query, QueryError) else next(answers)

    def _shared_latents(self, batch: Sequence[_Prepared]) -> list[Fetched | None]:
        """Return what each query's latent side fetches first, where one scan serves several."""
        found: list[Fetched | None] = [None] * len(batch)
        sharing = defaultdict(list)
        for place, query in enumerate(batch):
            plan = query.plan
            if plan.latent and plan.structure is not Structure.SCAN:
                same = (id(query.allowed.rows), plan.first_depth, plan.approximate)
                sharing[same].append(place)
        for (_, depth, approximate), places in sharing.items():
            if len(places) > 1:
                latents = np.stack(
                    [q for p in places if (q := batch[p].encoded.latent) is not None]
                )
                fetched = self.backend.latent_topk(
                    latents, depth, batch[places[0]].allowed, not approximate, threads=1
                )
                for place, side in zip(places, fetched, strict=True):
                    found[place] = side
        return found

    def _prepare(
        self, parsed: ParsedQuery, encoded: EncodedQuery, options: Options, started: float
    ) -> _Prepared:
        """Look up conditions and make the plan."""
        encoded, idle = self.interpreter.chosen(parsed, encoded, options)
        shown = encoded
        with damage():
            conditions = self.conditions(parsed.hard, options.subtitles)
        if encoded.latent is None and not (len(encoded.terms) or conditions or parsed.filters):
            raise QueryError("the query holds no word", "say what to look for in words")
        times = {"encode": 1000 * (time.perf_counter() - started)}
        started = time.perf_counter()
        calibration = self.encoder.calibration
        fusion = fuse(
            encoded, calibration, Mode(options.mode), Fusion(options.fusion), options.weights
        )
        wanted = Wanted(
            options.k + options.offset, not options.moments, options.exact, options.budget,
            options.budget_ms, options.threshold, read_pool(options.pool),
        )  # fmt: skip
        with damage():
            if options.subtitles and self.speaks:  # on top of a fusion made of what shows
                encoded = self._with_said(parsed, encoded)
            allowed = self.backend.allowed(parsed.filters, conditions, calibration.shows)
            plan = make_plan(self.backend, encoded, fusion, allowed, wanted)
        times["plan"] = 1000 * (time.perf_counter() - started)
        return _Prepared(parsed, shown, encoded, idle, fusion, allowed, plan, times)

    def _answer(
        self, prepared: _Prepared, options: Options, latent: Fetched | None = None
    ) -> Answer:
        """Run a plan and say what was found."""
        query, times = prepared.encoded, prepared.times_ms
        with damage():
            outcome = execute(
                prepared.plan, self.backend, query, prepared.fusion, prepared.allowed, latent
            )
            times |= outcome.times_ms
            started = time.perf_counter()
            scored = query.latent is not None or len(query.terms) > 0
            weak = self.encoder.calibration.weak if options.calibrated and scored else -math.inf
            hits = make_hits(
                self.backend, self.encoder.lexicon, query, prepared.fusion, outcome, weak,
                options.offset, prepared.plan.pool > 1, options.reasons,
            )  # fmt: skip
            missing = self._missing(prepared)
            replaced = self.interpreter.replaced(prepared.parsed, prepared.shown)
        times["explain"] = 1000 * (time.perf_counter() - started)
        return Answer(
            hits, prepared.parsed, prepared.plan, outcome, missing, times, prepared.shown, query,
            replaced, prepared.idle,
        )  # fmt: skip

    def with_reasons(self, found: Answer) -> Answer:
        """Return an answer whose hits tell their terms, of one without `Options.reasons`."""
        started = time.perf_counter()
        with damage():
            hits = with_reasons(self.backend, self.encoder.lexicon, found)
        explain = found.times_ms["explain"] + 1000 * (time.perf_counter() - started)
        return replace(found, hits=hits, times_ms=found.times_ms | {"explain": explain})

    def run(self, parsed: ParsedQuery, encoded: EncodedQuery, options: Options) -> Answer:
        """Answer a query that is encoded already, be it by `encode` or from a stored moment.

        Args:
            parsed: its text, conditions and filters.
            encoded: what both sides look for.
            options: how.

        Raises:
            QueryError: a hard condition names an unknown word, or there is nothing to look for.
        """
        prepared = self._prepare(parsed, encoded, options, time.perf_counter())
        return self._answer(prepared, options)

    def encode(self, parsed: ParsedQuery) -> EncodedQuery:
        """Encode a query with its wishes and boosts; see `Interpreter.encode`."""
        return self.interpreter.encode([parsed])[0]

    def searched(self, found: Answer) -> tuple[SearchedTerm, ...]:
        """Return the terms that an answer was looked for by, the heaviest first."""
        return self.interpreter.searched(found.parsed, found.query)

    def split(self, found: Answer) -> tuple[str, ...]:
        """Return the phrases in quotes that were read word by word, for they are no terms."""
        return self.interpreter.split(found.parsed)

    def conditions(self, hard: Sequence[Hard], subtitles: bool) -> list[Condition]:
        """Return hard conditions in term ids; with subtitles, what is said meets them, too.

        Raises:
            QueryError: one names a word that the lexicon lacks, or a phrase that is no term.
        """
        conditions = [one for each in hard for one in self.interpreter.conditions(each)]
        if not (subtitles and self.speaks):
            return conditions
        said = [self._said(condition.terms).tolist() for condition in conditions]
        return [
            replace(condition, terms=(*condition.terms, *more))
            for condition, more in zip(conditions, said, strict=True)
        ]

    @cached_property
    def speaks(self) -> bool:
        """Whether any word is said in any moment."""
        size = len(self.encoder.lexicon)
        said = np.arange(size, 2 * size, dtype=np.uint16)
        return bool(self.backend.postings_count(said).any())

    def _with_said(self, parsed: ParsedQuery, encoded: EncodedQuery) -> EncodedQuery:
        """Ask for the words of the query in what is said, too."""
        words = self.interpreter.own(parsed)
        size, shows = len(self.encoder.lexicon), self.encoder.calibration.shows
        return with_said(encoded, self._said(words), size, shows)

    def _said(self, words: Collection[int]) -> UInt16:
        """Return the ids of words as said, of those that any moment says."""
        ids = said_ids(words, len(self.encoder.lexicon))
        return ids[self.backend.postings_count(ids) > 0]

    def _missing(self, prepared: _Prepared) -> tuple[str, ...]:
        lexicon = self.encoder.lexicon
        words = np.array(sorted(self.interpreter.named(prepared.parsed)), np.uint16)
        none = words[self.backend.postings_count(words) == 0].tolist()
        said = set(prepared.encoded.terms.tolist())
        return tuple(lexicon.terms[word] for word in none if word + len(lexicon) not in said)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A query that is ready to run."""

    parsed: ParsedQuery
    shown: EncodedQuery
    encoded: EncodedQuery
    idle: tuple[str, ...]
    fusion: Fuse
    allowed: Allowed
    plan: Plan
    times_ms: dict[str, float]


@contextmanager
def damage() -> Iterator[None]:
    """Turn what values out of range in a file lead to into one clear line.

    Raises:
        DamagedIndex: an index, a key or a shape is one that cannot be.
    """
    try:
        yield
    except (IndexError, KeyError, ValueError) as error:
        raise DamagedIndex(
            f"the index holds values out of range ({error})", "see where: unify index verify"
        ) from error


def _or_error(make: Callable[[], _Made]) -> _Made | QueryError:
    """Return what is made, or the error that says why it is not."""
    try:
        return make()
    except QueryError as error:
        return error
