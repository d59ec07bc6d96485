"""A query taken into its smallest parts: words, phrases in quotes, parentheses, with their signs.

Which of them belong together, and what they mean, is for `engine/query.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 4096
MAX_BOOST = 100.0

_TOKEN = re.compile(  # a sign is an operator only at the start of a word and before a letter
    r'(?P<sign>(?<![^\s(])[+~-](?=["(]|[^\W\d_]))?'
    r'(?:"(?P<quoted>[^"]+)"|(?P<paren>[()])|(?P<word>[^\s()"]+))'
)
_WEIGHT = re.compile(r"\^(-?\d+(?:\.\d+)?)(?=[\s)]|$)")


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a query.

    Attributes:
        sign: `+`, `-`, `~` or "".
        text: a word, what stands in quotes, or a parenthesis.
        position: offset in the query text.
        kind: `word`, `quoted`, `(` or `)`.
        boost: the factor of `^`.
    """

    sign: str
    text: str
    position: int
    kind: str
    boost: float | None = None

    @property
    def is_or(self) -> bool:
        """Whether it may join its neighbours."""
        return (self.kind, self.text) == ("word", "OR")


def atoms_of(text: str) -> Iterator[Atom]:
    """Yield the atoms of a text, filters not told from words.

    >>> [(atom.sign, atom.text, atom.boost) for atom in atoms_of('+dog "red car"^2')]
    [('+', 'dog', None), ('', 'red car', 2.0)]
    """
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        sign, at = match["sign"] or "", match.start()
        if match["quoted"] is not None:
            atom = Atom(sign, " ".join(match["quoted"].split()), at, "quoted")
        elif match["paren"]:
            atom = Atom(sign, match["paren"], at, match["paren"])
        else:
            weighted = _WEIGHT.search(match["word"])
            word = match["word"][: weighted.start()] if weighted else match["word"]
            boost = float(weighted[1]) if weighted and word else None
            atom = Atom(sign, word or match["word"], at, "word", boost)
        if atom.kind == "quoted" and (weighted := _WEIGHT.match(text, position)):
            atom = Atom(sign, atom.text, at, "quoted", float(weighted[1]))
            position = weighted.end()
        yield atom
