"""Makes the pre-defined lexicon: which words become terms, and which forms fold into them.

    python -m unify.encoders.wordlist --data DIR --out encoders/packs/mini/lexicon.txt

Words of the training captions, then everyday words (`general_words`); stop words dropped; plural
and verb forms folded to one term where the base is itself a known word. Never run on captions
that are evaluated on. The file's format is that of `unify.engine.lexicon`.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from unify.encoders.general_words import GENERAL_WORDS
from unify.engine.lexicon import words_of

MIN_COUNT = 5  # in the training captions

_STOP_WORDS = """
    a about above across after again against ago all almost along already also although always am
    among amongst an and another any anybody anyone anything are aren't around as at away be because
    been before behind being below beside besides between beyond both but by can can't could
    couldn't did didn't do does doesn't doing don't done during each either else etc even ever every
    everybody everyone everything for from further had has hasn't have haven't having he he's her
    here hers herself him himself his how however i i'm if ii iii in inside into is isn't it it's
    its itself just let let's like lot lots made make makes making many may maybe me might more most
    much must my myself near neither next no nobody none nor not nothing now of off often on once
    one ones only onto or other others our ours ourselves out outside over own per perhaps quite
    rather really same several shall she she's should since so some somebody somehow someone
    something sometimes somewhere still such than that that's the their theirs them themselves then
    there there's these they they're this those though through throughout thus till to together too
    toward towards under until unto up upon us use used uses using various very via was wasn't way
    we well were what what's whatever when where whether which while who who's whole whom whose why
    will with within without won't would wouldn't yes yet you you're your yours yourself
    down th st nd rd ok teh ti thi wth
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

# Forms that no rule finds, and rules that would go wrong (a word that stands for itself).
IRREGULAR = {
    form: base
    for base, forms in {
        "man": "men", "woman": "women womans", "child": "children childs", "person": "persons",
        "foot": "feet", "tooth": "teeth", "goose": "geese", "mouse": "mice", "ox": "oxen",
        "leaf": "leaves", "knife": "knives", "wolf": "wolves", "shelf": "shelves", "calf": "calves",
        "wife": "wives", "loaf": "loaves", "scarf": "scarves", "policeman": "policemen",
        "fireman": "firemen", "fisherman": "fishermen", "cactus": "cacti", "run": "ran",
        "sit": "sat", "stand": "stood", "ride": "rode ridden riding", "drive": "drove driven",
        "write": "wrote written", "sing": "sang sung", "swim": "swam swum", "begin": "began begun",
        "drink": "drank drunk", "ring": "rang rung", "throw": "threw thrown", "fly": "flew flown",
        "blow": "blew blown", "grow": "grew grown", "draw": "drew drawn", "know": "knew known",
        "eat": "ate eaten", "fall": "fell fallen", "give": "gave given", "take": "took taken",
        "speak": "spoke spoken", "break": "broke broken", "wear": "wore worn", "tear": "tore torn",
        "hold": "held", "catch": "caught", "teach": "taught", "buy": "bought", "bring": "brought",
        "fight": "fought", "think": "thought", "build": "built", "go": "goes went gone",
        "say": "said",
        "tell": "told", "sell": "sold", "feed": "fed", "meet": "met", "lead": "led", "win": "won",
        "shoot": "shot", "slide": "slid", "hide": "hid hidden", "bite": "bit bitten", "dig": "dug",
        "hang": "hung", "swing": "swung", "spin": "spun", "stick": "stuck", "sleep": "slept",
        "sweep": "swept", "keep": "kept", "leave": "left", "bend": "bent", "send": "sent",
        "spend": "spent", "lie": "lay lying lain", "tie": "tying", "die": "dying",
        "see": "saw seen",
        "come": "came", "become": "became", "get": "got gotten", "show": "shown", "dive": "dove",
        "leap": "leapt", "kneel": "knelt", "light": "lit", "forget": "forgot", "sew": "sewn",
        "gray": "grey", "color": "colour colours", "colorful": "colourful",
        "donut": "doughnut doughnuts",
        "tv": "television televisions televison", "airplane": "aeroplane",
        "photo": "photograph photos",
        "video": "videos", "tomato": "tomatoes", "potato": "potatoes", "hero": "heroes",
        "ski": "skis skiing skied", "moustache": "mustache", "tshirt": "tshirts",
    }.items()
    for form in forms.split()
}  # fmt: skip
_STANDALONE = """
    building painting drawing wedding ceiling evening morning clothing meeting lightning during
    pudding earring icing frosting dressing filling topping housing engineering seed need feed
    weed speed breed bleed shed sled hundred red bed glasses pants shorts jeans sunglasses
    clothes news bus gas dress grass glass lens goods christmas chess tennis species series
    gymnastics athletics headphones bagpipes goggles binoculars scissors pliers pajamas leggings
    stairs woods fries chips drums mass class boss cross moss cactus octopus circus bass kiss
    plus minus virus anything ping king ring wing sing bring sling string spring swing sting
    thing bowling boxing wrestling fencing darts billiards cards arms training pong beijing
    viking duckling sibling feeding something nothing sacred naked wicked beloved embed biped
    indeed exceed succeed number counter tired earrings interesting amazing exciting boring
    rings politics graphics mechanics physics sports alias mercedes always perhaps james
    spiderman wales paris texas dallas vegas las los lotus venus jesus minecraft
"""
STANDALONE = frozenset(_STANDALONE.split())

VOWELS = "aeiou"


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
        if word in IRREGULAR:
            return IRREGULAR[word]
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
    general = {word for words in GENERAL_WORDS.values() for word in words.split()}
    counts = Counter(word for caption in captions for word in words_of(caption))
    known = counts + Counter(dict.fromkeys(general, 1))
    known = Counter({w: n for w, n in known.items() if n >= 3 or w in general})
    totals: Counter[str] = Counter()
    forms: dict[str, set[str]] = {}
    for word in sorted(known):
        bare = word.removesuffix("'s")
        if not bare.isalpha() or len(bare) < 2 or bare in STOP_WORDS:
            continue
        term = fold(bare, known)
        if term in STOP_WORDS or len(term) < 2:
            continue
        totals[term] += known[word]
        forms.setdefault(term, set()).update({word, bare, *_inflections(term)} - {term})
    kept = {fold(word, known) for word in general} - STOP_WORDS
    rows = [(term, n) for term, n in totals.items() if n >= minimum or term in kept]
    rows.sort(key=lambda row: (-row[1], row[0]))
    terms = {term for term, _ in rows}
    return [(term, sorted(forms[term] - terms - STOP_WORDS)) for term, _ in rows]


def _inflections(term: str) -> Iterator[str]:
    """Yield forms of a term that the captions may lack (`zebras`, `swam`)."""
    yield from (form for form, base in IRREGULAR.items() if base == term)
    if term.endswith(("ss", "x", "z", "ch", "sh")):
        yield term + "es"
    elif term in STANDALONE or term.endswith("s"):
        return
    elif term.endswith("y") and term[-2] not in VOWELS:
        yield term[:-1] + "ies"
    else:
        yield term + "s"


def format_lexicon(rows: Iterable[tuple[str, list[str]]]) -> str:
    """Return the text of a lexicon file."""
    return "".join(f"{term}\t{' '.join(forms)}".rstrip() + "\n" for term, forms in rows)


def main() -> None:
    """Write the lexicon file."""
    from unify.encoders.data import read_training_items

    parser = argparse.ArgumentParser(description="Make the lexicon from training captions.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    items = read_training_items(options.data)
    captions = [caption for item in items if not item.held_out for caption in item.captions]
    options.out.write_text(format_lexicon(make_lexicon(captions)), "utf-8")


if __name__ == "__main__":
    main()
