"""The user's dictionary: names that a lexicon cannot know, and the words that say what they show.

    nailong = yellow dinosaur^2 dress     # all of them; commas may part them, too
    pets = cat OR dog                     # any of them
    snow leopard = leopard snow

A query is read as if the definition stood where the name does, in parentheses: it says how, and
`engine/query.py` does it. So nothing is indexed anew, and a name can be anything, the lexicon's own
words among it. Definitions are not looked into for names again. No I/O here, and no lexicon.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from unify.engine.atoms import MAX_BOOST, Atom, atoms_of
from unify.engine.errors import UsageError
from unify.engine.lexicon import plain

MAX_ENTRIES = 1000
MAX_TERMS = 16
_MAX_NAME = 64  # characters
_MAX_DEFINITION = 256
_INNER = " '\u2019-_&.\u00b7\u30fb\u200c\u200d"  # with what joins words in other scripts
_FORM = "write it as in: nailong = yellow dinosaur dress, or as in: pets = cat OR dog"


def name_words(text: str) -> tuple[str, ...]:
    """Return the words that names are compared by: of any script, without case or punctuation.

    >>> name_words("The T-Rex's"), name_words("奶龙!")
    (('the', 't', 'rex'), ('奶龙',))
    """
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in plain(text))
    words = (word.strip("'").removesuffix("'s") for word in "".join(kept).split())
    return tuple(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and what it stands for.

    Attributes:
        name: as it was written.
        definition: as it was written.
        terms: its words and phrases, some of them with a boost.
        either: whether any of the terms is enough.
    """

    name: str
    definition: str
    terms: tuple[Atom, ...]
    either: bool

    @classmethod
    def read(cls, text: str) -> Entry:
        """Read `NAME = DEFINITION`.

        Raises:
            UsageError: it is not of this form.

        >>> entry = Entry.read('"nailong" = yellow, dinosaur^2')
        >>> entry.name, entry.words, entry.either
        ('nailong', ('yellow', 'dinosaur^2'), False)
        """
        name, equals, definition = text.partition("=")
        if not equals:
            raise UsageError(f"no = in {_short(text)}", _FORM)
        name = " ".join(name.replace('"', " ").split())
        if not _worded(name) or len(name) > _MAX_NAME or name_words(name) == ("or",):
            raise UsageError(
                f"{_short(name)} is no name", f"use words alone, of {_MAX_NAME} characters at most"
            )
        definition = " ".join(definition.split())
        terms, either = _terms(name, definition)
        return cls(name, definition, terms, either)

    @property
    def words(self) -> tuple[str, ...]:
        """The terms as they may be written in a query."""
        return tuple(
            (f'"{term.text}"' if term.kind == "quoted" else term.text)
            + ("" if term.boost is None else f"^{term.boost:g}")
            for term in self.terms
        )

    def record(self) -> dict[str, Any]:
        """Return it as JSON fields."""
        return {
            "name": self.name,
            "definition": self.definition,
            "terms": list(self.words),
            "either": self.either,
        }

    @property
    def itself(self) -> bool:
        """Whether it stands for its own name, that is: the name is read as it is written."""
        return plain(self.name) == plain(self.definition)


@dataclass(frozen=True, slots=True)
class Name(Atom):
    """A name in a query, in place of the atoms that write it."""

    entry: Entry = field(kw_only=True)

    def meant(self) -> list[Atom]:
        """Return what stands in its place: each term counts as much more as the name does."""
        return [
            replace(term, boost=_product(term.boost, self.boost), position=self.position)
            for term in self.entry.terms
        ]


@dataclass(frozen=True)
class Dictionary:
    """Entries; of two with the same name the later one holds."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, text: str, source: str = "the dictionary") -> Dictionary:
        """Read a text of one entry a line; what stands behind `#` is a comment.

        Args:
            text: the lines.
            source: what to call it where it cannot be read.

        Raises:
            UsageError: a line cannot be read, a name is defined twice, or there are too many.
        """
        found: dict[tuple[str, ...], int] = {}
        entries = []
        for number, entry in numbered(text, source):
            first = found.setdefault(name_words(entry.name), number)
            if first != number:
                raise UsageError(
                    f"{source}, line {number}: {entry.name!r} is defined in line {first} already",
                    "remove one of the lines",
                )
            entries.append(entry)
        if len(entries) > MAX_ENTRIES:
            raise UsageError(f"{source} has {len(entries):,} names", f"keep {MAX_ENTRIES:,}")
        return cls(tuple(entries))

    def __or__(self, other: Dictionary) -> Dictionary:
        """Return both; where both have a name, that of the other holds."""
        return Dictionary((*self.entries, *other.entries)) if other.entries else self

    def get(self, name: str) -> Entry | None:
        """Return the entry of a name."""
        return self._known.get(name_words(name))

    def terms(self, words: Iterable[str]) -> list[str]:
        """Return words and phrases, names replaced by the terms that they stand for."""
        found = ((word, self.get(word)) for word in words)
        return [
            term
            for word, entry in found
            for term in ([term.text for term in entry.terms] if entry else [word])
        ]

    def fold(self, atoms: Sequence[Atom]) -> list[Atom]:
        """Return atoms with a `Name` in place of those that write one, the longest name first.

        A name of several words is found where they stand loose one after the other, or in quotes;
        signs and boosts of single ones part them.
        """
        if not self.entries:
            return list(atoms)
        # `-7up` is no operator, for none stands before a digit; it must not be read as `7up`.
        words = [() if atom.text[:1] in "+-~" else name_words(atom.text) for atom in atoms]
        folded: list[Atom] = []
        start = 0
        while start < len(atoms):
            entry, end = self._longest_at(atoms, words, start)
            first = atoms[start]
            folded += (
                atoms[start:end]
                if entry is None or entry.itself
                else [
                    Name(first.sign, entry.name, first.position, "word", first.boost, entry=entry)
                ]
            )
            start = end
        return folded

    def _longest_at(
        self, atoms: Sequence[Atom], words: Sequence[tuple[str, ...]], start: int
    ) -> tuple[Entry | None, int]:
        """Return the longest name that begins at an atom, and where it ends."""
        found: tuple[Entry | None, int] = None, start + 1
        name: tuple[str, ...] = ()
        for end in range(start + 1, len(atoms) + 1):
            inner = words[end - 1]
            together = end == start + 1 or (_loose(atoms[start]) and _loose(atoms[end - 1]))
            if not inner or not together or len(name) + len(inner) > self._most_words:
                break
            name += inner
            if name in self._known:
                found = self._known[name], end
        return found

    @cached_property
    def _known(self) -> dict[tuple[str, ...], Entry]:
        return {name_words(entry.name): entry for entry in self.entries}

    @cached_property
    def _most_words(self) -> int:
        return max(map(len, self._known), default=0)


NO_NAMES = Dictionary()


def numbered(text: str, source: str) -> Iterator[tuple[int, Entry]]:
    """Yield the entries of a text with the numbers of their lines, from 1.

    Raises:
        UsageError: a line cannot be read.
    """
    for number, line in enumerate(text.split("\n"), 1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        try:
            yield number, Entry.read(written)
        except UsageError as error:
            raise UsageError(f"{source}, line {number}: {error.message}", error.hint) from None


def _terms(name: str, definition: str) -> tuple[tuple[Atom, ...], bool]:
    """Return what a definition holds, and whether OR joins it.

    Raises:
        UsageError: it cannot be read.
    """
    atoms = list(atoms_of(definition[:_MAX_DEFINITION].replace(",", " ")))
    terms = tuple(atom for atom in atoms if not atom.is_or)
    if not terms or len(definition) > _MAX_DEFINITION or len(terms) > MAX_TERMS:
        raise UsageError(
            f"the definition of {name!r} has {len(terms)} words of {len(definition)} characters",
            f"use 1 to {MAX_TERMS} of at most {_MAX_DEFINITION} in all",
        )
    if fault := next((found for term in terms if (found := _fault(term))), ""):
        raise UsageError(f"the definition of {name!r} {fault}", _FORM)
    joined = [atom.is_or for atom in atoms] == [i % 2 == 1 for i in range(2 * len(terms) - 1)]
    if len(terms) < len(atoms) and not joined:
        raise UsageError(f"the definition of {name!r} has OR between some of its words", _FORM)
    return terms, len(terms) < len(atoms)


def _fault(term: Atom) -> str:
    """Return what a definition does that it cannot, or ""."""
    if term.sign or not _worded(term.text):
        return f"holds {_short(term.sign + term.text)}, which is no word"
    if term.boost is not None and not 0 < term.boost <= MAX_BOOST:
        return f"counts {term.text} {term.boost:g} times, not up to {MAX_BOOST:g}"
    return ""


def _worded(text: str) -> bool:
    """Whether a text is words, also such as `t-rex`, and begins with one."""
    inner = (c in _INNER or unicodedata.category(c)[0] in "LMN" for c in text)
    return text[:1].isalnum() and all(inner) and bool(name_words(text))


def _loose(atom: Atom) -> bool:
    return atom.kind == "word" and not atom.sign and atom.boost is None and not atom.is_or


def _product(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return one * other


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
