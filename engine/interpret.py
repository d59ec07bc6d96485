"""From a parsed query to what both sides look for: encoded, respelled, boosted, narrowed.

The same query means the same over any index, but for one thing: where a slip of spelling is as near
to two words, it is read as the one that the index holds more often. What else is stored it must not
know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from unify.engine.atoms import MAX_BOOST
from unify.engine.backend import Condition
from unify.engine.errors import QueryError
from unify.engine.lexicon import plain, words_of
from unify.engine.options import Options
from unify.engine.ports import QueryEncoder
from unify.engine.query import Hard, ParsedQuery
from unify.engine.types import EncodedQuery, Int64, UInt16
from unify.engine.wording import (
    NEAR,
    WISH,
    Origin,
    Replaced,
    SearchedTerm,
    respelled,
    spelled_like,
    strongest,
    with_terms,
    without_terms,
)

_REMEMBERED = 1024  # words
_CANDIDATES = 12  # terms near a word, of which those that the sentence was given stand for it


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A word that the lexicon lacks, the word it is a slip of or "", and the terms near it."""

    word: str
    spelled: str
    near: tuple[int, ...]


class Interpreter:
    """Encodes queries with one pack, and says what became of their words.

    Args:
        encoder: the pack.
        often: returns (n,) numbers of moments that hold each of (n,) terms.
    """

    def __init__(self, encoder: QueryEncoder, often: Callable[[UInt16], Int64]) -> None:
        self.encoder = encoder
        self._often = often
        self._replacement = lru_cache(_REMEMBERED)(self._replace)
        self._near = lru_cache(_REMEMBERED)(self._look_near)

    def encode(self, parsed: Sequence[ParsedQuery]) -> list[EncodedQuery]:
        """Encode queries together, each with its phrases, wishes and boosts.

        A boosted term that the encoder left out gets the mean weight of the others, or 1. Boosts
        of one term multiply, up to `MAX_BOOST`: more could overflow.
        """
        spoken = [any(letter.isalnum() for letter in query.text) for query in parsed]
        texts = [self._text(query) for query, some in zip(parsed, spoken, strict=True) if some]
        encoded = iter(self.encoder.encode_queries(texts) if texts else [])
        silent = EncodedQuery(None, np.zeros(0, np.uint16), np.zeros(0, np.float32))
        return [
            self._boosted(
                query, self._wished(query, self._phrased(query, next(encoded) if some else silent))
            )
            for query, some in zip(parsed, spoken, strict=True)
        ]

    def replaced(self, parsed: ParsedQuery, query: EncodedQuery) -> tuple[Replaced, ...]:
        """Return the words that the lexicon lacks, and which terms of a query stand for each.

        They are those that the pack puts nearest to the word alone and added to the sentence. It
        is not asked for more: of a word that it never saw it guesses ("man" for "spelunking").
        """
        unknown = self._unknown(parsed)
        if not unknown:
            return ()
        own = self.own(parsed)
        weights = dict(zip(query.terms.tolist(), query.weights.tolist(), strict=True))
        words, told = self.encoder.lexicon.terms, []
        for each in unknown:
            near = [t for t in each.near if t in weights and (each.spelled or t not in own)]
            terms = sorted(((words[term], weights[term]) for term in near[:NEAR]), key=_heaviest)
            told.append(Replaced(each.word, each.spelled, tuple(terms)))
        return tuple(told)

    def chosen(
        self, parsed: ParsedQuery, query: EncodedQuery, options: Options
    ) -> tuple[EncodedQuery, tuple[str, ...]]:
        """Leave out the terms that the options switch off.

        Returns:
            the query, and the words to drop that it was not looked for by anyway.

        Raises:
            QueryError: a word to drop is not in the lexicon.
        """
        if not options.expand:
            kept = np.array(sorted(self._kept(parsed, query)), np.uint16)
            added = np.setdiff1d(query.terms, kept)
            query = without_terms(query, added)
        if not options.drop:
            return query, ()
        dropped = {w: self._dropped(options.dictionary.terms((w,))) for w in options.drop}
        idle = tuple(w for w in options.drop if not np.isin(dropped[w], query.terms).any())
        return without_terms(query, np.concatenate(list(dropped.values()))), idle

    def searched(self, parsed: ParsedQuery, query: EncodedQuery) -> tuple[SearchedTerm, ...]:
        """Return the terms that are looked for in pictures, the heaviest first."""
        own, kept = self.own(parsed), self._kept(parsed, query)
        order = np.argsort(-query.weights, kind="stable")
        words = self.encoder.lexicon.terms
        return tuple(
            SearchedTerm(
                words[term],
                weight,
                Origin.OWN if term in own else Origin.NEAR if term in kept else Origin.ADDED,
            )
            for term, weight in zip(
                query.terms[order].tolist(), query.weights[order].tolist(), strict=True
            )
            if term < len(words)
        )

    def own(self, parsed: ParsedQuery) -> set[int]:
        """Return the ids of the terms that a query names, slips of spelling put right."""
        texts = [*parsed.wishes, *(each.spelled for each in self._unknown(parsed))]
        ids = self.named(parsed).union(self.encoder.lexicon.term_ids(" ".join(texts)))
        return ids.union(*(self.terms(phrase) for phrase, _ in parsed.boosts))

    def named(self, parsed: ParsedQuery) -> set[int]:
        """Return the ids of the terms in a sentence; a phrase that is one counts as that alone."""
        ids = set(self.encoder.lexicon.term_ids(self._loose(parsed)))
        return ids.union(self._whole(parsed).values())

    def split(self, parsed: ParsedQuery) -> tuple[str, ...]:
        """Return the phrases in quotes that are no term, and so are read word by word."""
        whole = self._whole(parsed)
        return tuple(phrase for phrase in parsed.phrases if phrase not in whole)

    def terms(self, phrase: str) -> list[int]:
        """Return the term of a phrase, or the terms of its words."""
        whole = self.encoder.lexicon.lookup(phrase)
        return self.encoder.lexicon.term_ids(phrase) if whole is None else [whole]

    def conditions(self, hard: Hard) -> list[Condition]:
        """Return a hard condition in term ids; `+"red car"` needs both words to show.

        Raises:
            QueryError: it names a word that the lexicon lacks, or a phrase that is no term.
        """
        lexicon, terms = self.encoder.lexicon, []
        for phrase in hard.phrases:
            whole = lexicon.lookup(phrase)
            words = words_of(phrase)
            if whole is None and len(words) > 1:
                if hard.negated or len(hard.phrases) > 1:
                    raise QueryError(
                        f"{phrase!r} is no term of the lexicon", "use single words", hard.position
                    )
                alone = [replace(hard, phrases=(word,)) for word in words]
                return [condition for word in alone for condition in self.conditions(word)]
            term = lexicon.lookup(words[0]) if whole is None and words else whole
            if term is None:
                which = f", which {hard.name!r} stands for," if hard.name else ""
                raise QueryError(
                    f"{phrase!r}{which} is not in the lexicon", self._advice(phrase), hard.position
                )
            terms.append(term)
        return [Condition(tuple(terms), hard.negated)]

    def _advice(self, phrase: str) -> str:
        near = self.encoder.lexicon.suggest(phrase)
        plain = "drop the operator to search for it as a plain word"
        return f"did you mean {', '.join(near)}? or {plain}" if near else plain

    def _kept(self, parsed: ParsedQuery, query: EncodedQuery) -> set[int]:
        """Return the ids of the terms that stand for words of a query."""
        near = [term for each in self.replaced(parsed, query) for term, _ in each.terms]
        near += [term for wish in parsed.wishes for term, _ in self._near(wish, parsed.respell)]
        return self.own(parsed).union(*map(self.terms, near))

    def _whole(self, parsed: ParsedQuery) -> dict[str, int]:
        """Return the phrases in quotes that are terms."""
        found = ((phrase, self.encoder.lexicon.lookup(phrase)) for phrase in parsed.phrases)
        return {phrase: term for phrase, term in found if term is not None}

    def _loose(self, parsed: ParsedQuery) -> str:
        """Return the sentence without phrases that are terms."""
        text = parsed.text
        for phrase in self._whole(parsed):
            text = text.replace(phrase, " ", 1)
        return text

    def _phrased(self, parsed: ParsedQuery, query: EncodedQuery) -> EncodedQuery:
        """Look for a phrase that is a term in place of its words, with the most that one weighs."""
        whole = self._whole(parsed)
        if not whole:
            return query
        loose = self.encoder.lexicon.term_ids(self._loose(parsed))
        dense = np.zeros(len(self.encoder.lexicon), np.float32)
        dense[query.terms] = query.weights
        usual = float(query.weights.mean()) if len(query.weights) else 1.0
        words = {term: self.encoder.lexicon.term_ids(phrase) for phrase, term in whole.items()}
        for term, parts in words.items():
            dense[term] = max(dense[term], dense[parts].max(initial=0.0)) or usual
        dense[[part for parts in words.values() for part in parts if part not in loose]] = 0.0
        terms = np.flatnonzero(dense).astype(np.uint16)
        return EncodedQuery(query.latent, terms, dense[terms])

    def _text(self, parsed: ParsedQuery) -> str:
        slips = [(each.word, each.spelled) for each in self._unknown(parsed) if each.spelled]
        return respelled(parsed.text, slips)

    def _unknown(self, parsed: ParsedQuery) -> list[_Unknown]:
        words = self.encoder.unknown_words(" ".join([self._loose(parsed), *parsed.wishes]))
        return [self._replacement(word, parsed.respell) for word in words]

    def _replace(self, word: str, respell: bool) -> _Unknown:
        lexicon = self.encoder.lexicon
        spelled = self._slip_of(word) if respell else ""
        if spelled:
            return _Unknown(word, spelled, tuple(lexicon.term_ids(spelled)))
        encoded = self.encoder.encode_query(word)
        near = [term for term, _ in strongest(lexicon, encoded, _CANDIDATES)]
        return _Unknown(word, "", tuple(id_ for term in near for id_ in self.terms(term)))

    def _slip_of(self, word: str) -> str:
        """Return the term that a word is a slip of, or ""; a word that the pack knows is none."""
        known = self.encoder.knows(plain(word).removesuffix("'s"))
        return "" if known else spelled_like(self.encoder.lexicon, word, self._often)

    def _look_near(self, wish: str, respell: bool) -> tuple[tuple[str, float], ...]:
        lexicon = self.encoder.lexicon
        unknown = self.encoder.unknown_words(wish) if respell else []
        read = [(word, self._slip_of(word)) for word in unknown]
        slips = [(word, spelled) for word, spelled in read if spelled]
        encoded = self.encoder.encode_query(respelled(wish, slips))
        return tuple(
            (term, WISH * weight) for term, weight in strongest(lexicon, encoded, 1 + NEAR)
        )

    def _wished(self, parsed: ParsedQuery, query: EncodedQuery) -> EncodedQuery:
        terms = [term for wish in parsed.wishes for term in self._near(wish, parsed.respell)]
        return with_terms(query, self.encoder.lexicon, terms)

    def _boosted(self, parsed: ParsedQuery, encoded: EncodedQuery) -> EncodedQuery:
        if not parsed.boosts:
            return encoded
        size = len(self.encoder.lexicon)
        usual = float(encoded.weights.mean()) if len(encoded.weights) else 1.0
        dense = np.zeros(size, np.float32)
        dense[encoded.terms] = encoded.weights
        factors: dict[int, float] = {}
        for phrase, factor in parsed.boosts:
            for term in self.terms(phrase):
                product = factors.get(term, 1.0) * factor
                factors[term] = max(-MAX_BOOST, min(product, MAX_BOOST))
        for term, factor in factors.items():
            dense[term] = (dense[term] or usual) * factor
        terms = np.flatnonzero(dense).astype(np.uint16)
        return EncodedQuery(encoded.latent, terms, dense[terms])

    def _dropped(self, words: Sequence[str]) -> UInt16:
        ids: list[int] = []
        for word in words:
            found = self.terms(word)
            if not found:
                raise QueryError(f"{word!r} is not in the lexicon", "drop terms of the query")
            ids += found
        return np.array(ids, np.uint16)


def _heaviest(weighed: tuple[str, float]) -> float:
    """Return what to sort (term, weight) by, so that the heaviest come first."""
    return -weighed[1]
