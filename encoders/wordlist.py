"""Makes the pre-defined lexicon: which words become terms, and which forms fold into them.

    python -m unify.encoders.wordlist --data DIR --out encoders/packs/mini/lexicon.txt
    python -m unify.encoders.wordlist --vocabulary bert --tokenizer tokenizer.json --out FILE

`words`: words of the training captions, then everyday words (`general_words`); stop words dropped;
plural and verb forms and common misspellings folded to one term. Never run on captions that are
evaluated on. `bert`: the pieces of a tokenizer, as the paper's lexicon has them. The file's format
is that of `unify.engine.lexicon`. It must not know how terms are weighted or learned.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from unify.encoders.general_words import GENERAL_VERBS, GENERAL_WORDS
from unify.encoders.word_forms import FORMS, FORMS_OF, STANDALONE, STOP_WORDS
from unify.engine.errors import UsageError
from unify.engine.lexicon import words_of

MIN_COUNT = 5  # in the training captions

VOWELS = "aeiou"
# Verbs of one syllable, one vowel and one consonant at the end.
_DOUBLES = re.compile("(?:un|out|over)?[^aeiou]+u?[aeiou][^aeiouwxy]")
_UNUSED = re.compile(r"\[unused\d+\]")


def bases(word: str) -> Iterator[str]:
    """Yield what a word may be a form of, likeliest first.

    >>> list(bases("running"))[0], list(bases("ponies"))[0], list(bases("taped"))
    ('run', 'pony', ['tape'])
    """
    if len(word) < 4 or word in STANDALONE:
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        yield word[:-1]
    if word.endswith("ied"):
        yield word[:-3] + "y"
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 2 and any(v in stem for v in VOWELS + "y"):
            yield from _verb_bases(stem)


def _verb_bases(stem: str) -> Iterator[str]:
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in VOWELS:
        yield stem[:-1]
    yield stem + "e"
    # English doubles the consonant of `hop` in `hopping`: `hoping` can only be `hope`.
    groups = re.findall("[aeiou]+", stem)
    closed = stem[-1] not in VOWELS + "wxy" and stem[-2] in VOWELS and stem[-3:-2] not in [*VOWELS]
    if not (closed and len(groups) == 1):
        yield stem


def fold(word: str, known: Mapping[str, int]) -> str:
    """Return the term that a word becomes: its likeliest base among the known words, or itself.

    Between the candidates of one ending the commoner wins, so that `riding` is `ride` and not
    `rid`, and `picking` is `pick`.
    """
    for _ in range(2):  # `paintings` -> `painting`, `fillings` -> `filling`
        if word in FORMS:
            return FORMS[word]
        found = [base for base in bases(word) if len(base) > 1 and base in known]
        if not found:
            return word
        word = max(found, key=lambda base: known[base])
    return word


def make_lexicon(captions: Iterable[str], minimum: int = MIN_COUNT) -> list[tuple[str, list[str]]]:
    """Return (term, other forms) by falling count.

    Args:
        captions: training captions.
        minimum: a term is kept when all its forms together occur this often, or when it is
            among the general words.
    """
    verbs = _listed(GENERAL_VERBS)
    general = _listed(GENERAL_WORDS) | verbs
    counts = Counter(word for caption in captions for word in words_of(caption))
    known = counts + Counter(dict.fromkeys(general, 1))
    known = Counter(
        {w: n for w, n in known.items() if (n >= 3 or w in general) and w not in STOP_WORDS}
    )
    totals: Counter[str] = Counter()
    forms: dict[str, set[str]] = {}
    for word in sorted(known):
        bare = word.removesuffix("'s")
        if not bare.isalpha() or len(bare) < 2 or bare in STOP_WORDS:
            continue
        term = fold(bare, known)
        of_stop_word = term == bare and any(base in STOP_WORDS for base in bases(bare))
        if term in STOP_WORDS or len(term) < 2 or of_stop_word:
            continue
        totals[term] += known[word]
        inflected = [*_inflections(term), *(_verb_forms(term) if term in verbs else ())]
        own = {form for form in inflected if fold(form, known) in (form, term)}
        forms.setdefault(term, set()).update({word, bare, *own} - {term})
    kept = {fold(word, known) for word in general} - STOP_WORDS
    rows = [(term, n) for term, n in totals.items() if n >= minimum or term in kept]
    rows.sort(key=lambda row: (-row[1], row[0]))
    terms = {term for term, _ in rows}
    return [(term, sorted(forms[term] - terms - STOP_WORDS)) for term, _ in rows]


def _listed(groups: Mapping[str, str]) -> set[str]:
    return {word for words in groups.values() for word in words.split()}


def _inflections(term: str) -> Iterator[str]:
    """Yield forms of a term that the captions may lack (`zebras`, `swam`)."""
    yield from FORMS_OF.get(term, ())
    if term.endswith(("ss", "x", "z", "ch", "sh")):
        yield term + "es"
    elif term in STANDALONE or term.endswith("s"):
        return
    elif term.endswith("y") and term[-2] not in VOWELS:
        yield term[:-1] + "ies"
    else:
        yield term + "s"


def _verb_forms(verb: str) -> Iterator[str]:
    """Yield the regular forms of a verb in -ing and -ed, spelled as English does.

    >>> [list(_verb_forms(verb)) for verb in ("hop", "weld", "unzip", "bake")]
    [['hopping', 'hopped'], ['welding', 'welded'], ['unzipping', 'unzipped'], ['baking', 'baked']]
    """
    if _DOUBLES.fullmatch(verb):
        yield from (verb + verb[-1] + "ing", verb + verb[-1] + "ed")
    elif verb.endswith(("ee", "oe", "ye")):
        yield from (verb + "ing", verb + "d")
    elif verb.endswith("ie"):
        yield from (verb[:-2] + "ying", verb + "d")
    elif verb.endswith("e"):
        yield from (verb[:-1] + "ing", verb + "d")
    elif verb.endswith("y") and verb[-2] not in VOWELS:
        yield from (verb + "ing", verb[:-1] + "ied")
    else:
        yield from (verb + "ing", verb + "ed")


def bert_vocabulary(tokenizer: Path) -> list[str]:
    """Return the pieces of a BERT tokenizer that are terms, in the order of their ids.

    All but the special tokens, `[unusedN]`, and what is not ASCII: 27,623 of the 30,522 pieces of
    bert-base-uncased, as in VDR (https://github.com/jzhoubu/vdr). Pieces that continue a word keep
    their `##`, so that no written word means them.

    Args:
        tokenizer: a `tokenizer.json` of kind WordPiece.

    Raises:
        UsageError: the file is no such tokenizer.
    """
    try:
        content = json.loads(tokenizer.read_text("utf-8"))
        special = {token["content"] for token in content["added_tokens"]}
        ids: dict[str, int] = content["model"]["vocab"]
        kind = content["model"]["type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{tokenizer} is no tokenizer ({type(error).__name__})",
            "give the tokenizer.json of a BERT checkpoint",
        ) from None
    if kind != "WordPiece":
        raise UsageError(f"{tokenizer} is of kind {kind}", "give a WordPiece tokenizer.json")
    pieces = sorted(ids.keys() - special, key=lambda piece: ids[piece])
    return [piece for piece in pieces if piece.isascii() and not _UNUSED.fullmatch(piece)]


def format_lexicon(rows: Iterable[tuple[str, list[str]]]) -> str:
    """Return the text of a lexicon file."""
    return "".join(f"{term}\t{' '.join(forms)}".rstrip() + "\n" for term, forms in rows)


def training_captions(folder: Path) -> list[str]:
    """Return the captions that are not held out, of a data set or of a folder's `*-train` sets."""
    from unify.encoders.datasets import TRAIN, held_out, read_dataset

    sets = [read_dataset(path, TRAIN) for path in sorted(folder.glob("*-train")) or [folder]]
    items = [item for data in sets for item in data.items if not held_out(data.name, item.name)]
    return [caption for item in items for caption in item.captions]


def main() -> None:
    """Write the lexicon file."""
    parser = argparse.ArgumentParser(description="Make a lexicon file.")
    parser.add_argument("--vocabulary", choices=("words", "bert"), default="words")
    parser.add_argument("--data", type=Path, help="training captions, for `words`")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json, for `bert`")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    needed = options.tokenizer if options.vocabulary == "bert" else options.data
    if needed is None:
        parser.error("`words` needs --data, and `bert` needs --tokenizer")
    if options.vocabulary == "bert":
        rows = [(piece, list[str]()) for piece in bert_vocabulary(needed)]
    else:
        rows = make_lexicon(training_captions(needed))
    options.out.write_text(format_lexicon(rows), "utf-8")


if __name__ == "__main__":
    main()
