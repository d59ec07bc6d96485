r"""The pre-defined lexicon: which words there are, and which term a written word means.

One function maps a word to a term for training, evaluation, indexing and queries alike
(`Lexicon.lookup`), so that they cannot drift apart. The file is one line a term:
the term, then the other written forms that mean it, separated by tabs or spaces
(`run\truns running ran`). In it `_` stands for a space: `hot_dog hot_dogs` is a term of two words,
which `lookup` knows and which a query names in quotes; `term_ids` reads a text word by word.
Folding is decided when the file is made; here it is a dictionary.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from unify.engine.errors import UsageError
from unify.engine.types import MAX_TERMS

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def words_of(text: str) -> list[str]:
    """Split text into lower-case words, in order.

    >>> words_of("A man's dog, RUNNING!")
    ['a', "man's", 'dog', 'running']
    """
    return WORD.findall(plain(text))


def plain(text: str) -> str:
    """Return text in lower case, without accents, with straight apostrophes.

    >>> plain("Café Straße — it’s")
    "cafe strasse — it's"
    """
    spread = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


class Lexicon:
    """V terms, each a word or several, with the written forms that fold into it."""

    def __init__(self, terms: Sequence[str], forms: Sequence[Sequence[str]] = ()) -> None:
        if len(terms) > MAX_TERMS:
            raise ValueError(f"a lexicon holds at most {MAX_TERMS:,} terms, not {len(terms):,}")
        self.terms = tuple(terms)
        self._ids = {term: i for i, term in enumerate(self.terms)}
        if len(self._ids) != len(self.terms):
            raise ValueError("a term stands twice in the lexicon")
        for i, others in enumerate(forms):
            for form in others:
                self._ids.setdefault(form, i)

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        """Read a lexicon file.

        Raises:
            UsageError: it has more terms than can be stored, or one of them twice.
        """
        lines = path.read_text("utf-8").splitlines()
        rows = [[w.replace("_", " ") for w in line.split()] for line in lines if line.strip()]
        try:
            return cls([row[0] for row in rows], [row[1:] for row in rows])
        except ValueError as error:
            raise UsageError(f"{path}: {error}", "use a pack with another lexicon") from None

    def __len__(self) -> int:
        return len(self.terms)

    def lookup(self, word: str) -> int | None:
        """Return the term id of a written word or phrase, or None when the lexicon lacks it."""
        word = plain(word)
        found = self._ids.get(word)
        return self._ids.get(word.removesuffix("'s")) if found is None else found

    def term_ids(self, text: str) -> list[int]:
        """Return the term ids of the words of a text that the lexicon has, in order.

        >>> Lexicon(["run", "dog"], [["runs", "running"], ["dogs"]]).term_ids("Dogs running by")
        [1, 0]
        """
        found = (self.lookup(word) for word in words_of(text))
        return [i for i in found if i is not None]

    def suggest(self, word: str, n: int = 3) -> list[str]:
        """Return the terms spelled most like `word`, best first."""
        matches = difflib.get_close_matches(plain(word), self._ids, n=4 * n, cutoff=0.7)
        return list(dict.fromkeys(self.terms[self._ids[m]] for m in matches))[:n]
