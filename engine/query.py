"""The query language: a plain sentence, and a few operators for those who want them.

    a man cooking pasta          plain words need no syntax; nothing in them is an error
    +pasta  -beach               must show or be said / must neither show nor be said
    pasta^2  pasta^0.5           counts more or less
    ~pasta                       a wish: moments that show it, or what is near it, come first
    (street OR road)             at least one must show; also `street OR road`
    -(a OR b)  -(a b)  +(a b)    a sign before a parenthesis: none of them; all of them
    "stop sign"                  a term of several words, where the lexicon has it
    path:holiday  len:>30  len:10-60  after:2024-05  before:2025     filters on the video

Operators are *hard*: they need a word that the lexicon knows, and say so when it does not.
Unbalanced quotes, parentheses without a sign, a lone `OR`, unknown prefixes and filters without
a value are plain words.
The latent side reads the sentence without operators, filters, wishes and excluded terms; a term
with a negative weight (`beach^-1`) lowers the lexicon score only.

No I/O here, and no lexicon: `hard` holds words, which the searcher looks up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from unify.engine.atoms import MAX_BOOST, MAX_CHARACTERS, Atom, atoms_of
from unify.engine.dictionary import NO_NAMES, Dictionary, Entry, Name
from unify.engine.errors import QueryError

FILTERS = ("path", "len", "after", "before")

_FILTER = re.compile(
    rf'(?<!\S)(?P<key>{"|".join(FILTERS)}):(?:"(?P<quoted>[^"]+)"|(?P<value>[^\s"]\S*))'
)
_LENGTH = re.compile(r"(?P<op>>=|<=|>|<)?(?P<low>\d+(?:\.\d+)?)(?P<unit>[smh]?)"
                     r"(?:-(?P<high>\d+(?:\.\d+)?)(?P<high_unit>[smh]?))?$")  # fmt: skip
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Hard:
    """A condition on what shows or is said: any of the phrases, or (negated) none of them.

    Attributes:
        phrases: words or quoted phrases.
        negated: true for `-`.
        position: offset of the condition in the query text.
        name: the name of the user's dictionary that was written in its place, or "".
    """

    phrases: tuple[str, ...]
    negated: bool
    position: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on the video; None or an infinity means no condition.

    Attributes:
        paths: parts that the video's path must contain, case ignored; all of them.
        min_s: least duration in seconds.
        max_s: greatest duration in seconds.
        after: earliest recording time, seconds since 1970 UTC, inclusive.
        before: latest recording time, exclusive.
    """

    paths: tuple[str, ...] = ()
    min_s: float = 0.0
    max_s: float = float("inf")
    after: float = float("-inf")
    before: float = float("inf")

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query, taken apart.

    Attributes:
        text: the plain sentence that the encoder reads; may be empty.
        hard: conditions that all must hold.
        boosts: (word or phrase, factor) of `^`, in order.
        wishes: words or phrases of `~`, which the sentence is read without.
        phrases: what stands in quotes in the sentence, of several words.
        filters: conditions on the video.
        respell: whether slips of spelling may be put right.
        defined: names of the user's dictionary in it, which were read as their definitions.
    """

    text: str
    hard: tuple[Hard, ...] = ()
    boosts: tuple[tuple[str, float], ...] = ()
    filters: Filters = field(default_factory=Filters)
    wishes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    respell: bool = True
    defined: tuple[Entry, ...] = ()


def parse(text: str, respell: bool = True, dictionary: Dictionary = NO_NAMES) -> ParsedQuery:
    """Parse a query.

    Args:
        text: what was typed.
        respell: whether those who read it may put slips of spelling right.
        dictionary: names that are read as their definitions.

    Raises:
        QueryError: it is empty, too long, a filter has a value that cannot be read, or a name
            stands where its definition cannot.

    >>> query = parse("a +red car -dog path:trip len:>30")
    >>> query.text, [(h.phrases, h.negated) for h in query.hard], query.filters.paths
    ('a red car', [(('red',), False), (('dog',), True)], ('trip',))
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            f"the query has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read",
            "shorten it",
        )
    text = text.encode("utf-8", "replace").decode()  # bytes of a terminal that are no text
    if not text.strip():
        raise QueryError("the query is empty", 'say what to look for, as in: unify search "a dog"')
    filters = _filters(text)
    rest = _FILTER.sub(lambda match: " " * len(match.group()), text)
    atoms = dictionary.fold(list(atoms_of(rest)))
    defined = tuple(dict.fromkeys(atom.entry for atom in atoms if isinstance(atom, Name)))
    whole = len(text) + sum(len(atom.entry.definition) for atom in atoms if isinstance(atom, Name))
    if whole > MAX_CHARACTERS:
        raise QueryError(
            f"the query has {whole:,} characters with what its names stand for, at most "
            f"{MAX_CHARACTERS:,} are read", "shorten it",
        )  # fmt: skip
    read = _read(atoms)
    for phrase, factor in read.boosts:
        if abs(factor) > MAX_BOOST:
            raise QueryError(f"{phrase}^{factor:g} counts too much", f"use at most {MAX_BOOST:g}")
    return ParsedQuery(
        " ".join(read.words), tuple(read.hard), tuple(read.boosts), filters, tuple(read.wishes),
        tuple(dict.fromkeys(read.phrases)), respell, defined,
    )  # fmt: skip


@dataclass(slots=True)
class _Read:
    """What atoms say: plain words, hard conditions, boosts, wishes, and phrases among the words."""

    words: list[str] = field(default_factory=list)
    hard: list[Hard] = field(default_factory=list)
    boosts: list[tuple[str, float]] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)


def _read(atoms: list[Atom]) -> _Read:
    read = _Read()
    i = 0
    while i < len(atoms):
        sign, position = atoms[i].sign, atoms[i].position
        found, joined, i = _group(atoms, i)
        name = found[0].text if len(found) == 1 and isinstance(found[0], Name) else ""
        for group, either in _meant(found, sign, joined):
            if sign == "~":
                read.wishes += [atom.text for atom in group]
            elif either:
                phrases = tuple(atom.text for atom in group)
                read.hard.append(Hard(phrases, sign == "-", position, name))
            elif sign:
                read.hard += [Hard((atom.text,), sign == "-", position, name) for atom in group]
            if sign not in ("-", "~"):
                spoken = [atom for atom in group if atom.boost is None or atom.boost >= 0]
                read.words += [atom.text for atom in spoken]
                read.phrases += [a.text for a in spoken if a.kind == "quoted" and " " in a.text]
            if sign != "-":
                read.boosts += [(a.text, a.boost) for a in group if a.boost is not None]
    return read


def _meant(group: list[Atom], sign: str, either: bool) -> Iterator[tuple[list[Atom], bool]]:
    """Yield a group in parts, names replaced by what they stand for, and whether OR joins a part.

    Raises:
        QueryError: a name stands for several words together, where one of several is asked for.
    """
    parts = [
        (atom.meant(), atom.entry.either) if isinstance(atom, Name) else ([atom], False)
        for atom in group
    ]
    for atom, (terms, any_) in zip(group, parts, strict=True):
        if len(terms) > 1 and not any_ and (sign == "-" or (either and sign != "~")):
            words = " OR ".join(term.text for term in terms)
            raise QueryError(
                f"{atom.text!r} stands for several words together", f"write out what you mean: "
                f"one of them, or ({words})", atom.position,
            )  # fmt: skip
    if either:
        yield [term for terms, _ in parts for term in terms], True
    else:
        yield from parts


def _group(atoms: list[Atom], start: int) -> tuple[list[Atom], bool, int]:
    """Return the atoms that belong together from `start`, whether OR joins them, and their end.

    A parenthesis without a sign that holds no OR, or does not close, is punctuation.
    """
    if atoms[start].kind == ")":
        return [], False, start + 1
    if atoms[start].kind != "(":
        return _alternatives(atoms, start)
    inside, either, end = _alternatives(atoms, start + 1)
    if either and end < len(atoms) and atoms[end].kind == ")":
        return inside, True, end + 1
    if not atoms[start].sign:
        return [], False, start + 1
    end = next((i for i in range(start + 1, len(atoms)) if atoms[i].kind in "()"), start)
    inside = atoms[start + 1 : end]
    mixed = any(atom.sign or atom.is_or for atom in inside)
    if not inside or mixed or atoms[end].kind != ")":
        raise QueryError(
            "cannot read the parenthesis", "write -(a OR b) or -(a b)", atoms[start].position
        )
    return inside, False, end + 1


def _alternatives(atoms: list[Atom], start: int) -> tuple[list[Atom], bool, int]:
    """Return the words joined by OR that begin at `start`: at most one when there is no OR."""
    group: list[Atom] = []
    i = start
    while i < len(atoms) and atoms[i].kind in ("word", "quoted"):
        group.append(atoms[i])
        i += 1
        joined = i + 1 < len(atoms) and atoms[i].is_or
        if not (joined and atoms[i + 1].kind in ("word", "quoted")):
            break
        i += 1
    return group, len(group) > 1, i


def _filters(text: str) -> Filters:
    paths: list[str] = []
    low, high = 0.0, float("inf")
    after, before = float("-inf"), float("inf")
    for match in _FILTER.finditer(text):
        key, at = match["key"], match.start()
        value = match["quoted"] if match["quoted"] is not None else match["value"]
        if key == "path":
            paths.append(value)
        elif key == "len":
            span = _length(value, at)
            low, high = max(low, span[0]), min(high, span[1])
        elif key == "after":
            after = max(after, _date(key, value, at))
        else:
            before = min(before, _date(key, value, at))
    return Filters(tuple(paths), low, high, after, before)


def _length(value: str, position: int) -> tuple[float, float]:
    """Return the least and greatest seconds of `>30`, `<=2m`, `10-60` (open ends: strict)."""
    match = _LENGTH.match(value)
    if not match or bool(match["op"]) == bool(match["high"]):
        raise QueryError(
            f"cannot read the length {value!r}", "write len:>30, len:<2m or len:10-60", position
        )
    seconds = float(match["low"]) * _SECONDS[match["unit"]]
    if match["high"]:
        return seconds, float(match["high"]) * _SECONDS[match["high_unit"]]
    strict = 1e-9 * max(seconds, 1.0) if "=" not in match["op"] else 0.0
    if match["op"].startswith(">"):
        return seconds + strict, float("inf")
    return 0.0, seconds - strict


def _date(key: str, value: str, position: int) -> float:
    """Return the first instant (UTC) of `2024`, `2024-05` or `2024-05-31`."""
    for layout in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return datetime.strptime(value, layout).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise QueryError(
        f"cannot read the date {value!r}", f"write {key}:2024, {key}:2024-05 or {key}:2024-05-31",
        position,
    )  # fmt: skip
