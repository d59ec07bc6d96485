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
from unify.engine.errors import UsageError
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
    down th st nd rd ok teh ti thi wth thier theire ther alot somthing didn doesn isn couldn wasn
    infront someones somone eachother im dont etc cannot accross
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

# Forms that no rule finds, or that a rule gives to another word.
_IRREGULAR = {
    "man": "men aman", "woman": "women", "child": "children childrens", "person": "persons",
    "foot": "feet", "tooth": "teeth", "goose": "geese", "mouse": "mice", "louse": "lice",
    "ox": "oxen", "leaf": "leaves", "knife": "knives", "wolf": "wolves", "shelf": "shelves",
    "calf": "calves", "wife": "wives", "loaf": "loaves", "scarf": "scarves", "elf": "elves",
    "thief": "thieves", "hoof": "hooves", "half": "halves", "dwarf": "dwarves", "cactus": "cacti",
    "fungus": "fungi", "trousers": "trouser", "run": "ran", "sit": "sat", "stand": "stood",
    "ride": "rode ridden riding", "drive": "drove driven", "write": "wrote written",
    "sing": "sang sung", "swim": "swam swum", "begin": "began begun", "drink": "drank drunk",
    "ring": "rang rung", "sink": "sank sunk", "throw": "threw thrown", "fly": "flew flown",
    "blow": "blew blown", "grow": "grew grown", "draw": "drew drawn", "know": "knew known",
    "eat": "ate eaten", "fall": "fell fallen", "give": "gave given", "take": "took taken",
    "shake": "shook shaken", "wake": "woke woken", "speak": "spoke spoken", "break": "broke broken",
    "steal": "stole stolen", "choose": "chose chosen", "freeze": "froze", "weave": "wove woven",
    "wear": "wore worn", "tear": "tore torn", "hold": "held", "catch": "caught", "teach": "taught",
    "buy": "bought", "bring": "brought", "fight": "fought", "think": "thought", "find": "found",
    "build": "built", "burn": "burnt", "deal": "dealt", "go": "goes went gone", "say": "said",
    "tell": "told", "sell": "sold", "feed": "fed", "bleed": "bled", "flee": "fled", "meet": "met",
    "lead": "led", "win": "won", "shoot": "shot", "slide": "slid", "hide": "hid hidden",
    "bite": "bitten", "beat": "beaten", "dig": "dug", "hang": "hung", "swing": "swung",
    "sting": "stung", "spin": "spun", "stick": "stuck", "cling": "clung", "sleep": "slept",
    "sweep": "swept", "weep": "wept", "creep": "crept", "keep": "kept", "bend": "bent",
    "send": "sent", "spend": "spent", "lie": "lay lays laying laid lying lain",
    "tie": "tying", "die": "dying", "see": "seen", "come": "came", "become": "became",
    "get": "got gotten", "show": "shown",
    "leap": "leapt", "kneel": "knelt", "light": "lit", "sew": "sewn", "sow": "sown", "mow": "mown",
    "lose": "lost", "shine": "shone", "shrink": "shrank shrunk", "strike": "struck",
    "stride": "strode", "dive": "diving", "breathe": "breathing breathed",
    "bathe": "bathing bathed", "add": "adding added", "dye": "dyeing", "saw": "saws sawing sawed",
    "browse": "browses browsing browsed", "judge": "judgement judgment",
}  # fmt: skip

# Other spellings of a word: British, and what people mistype (as often as 5 times in captions).
_SPELLINGS = {
    "gray": "grey", "color": "colour colours", "colorful": "colourful",
    "donut": "doughnut doughnuts", "airplane": "aeroplane aeroplanes", "aluminum": "aluminium",
    "armor": "armour armoured", "barbecue": "barbeque bbq", "catalog": "catalogue",
    "center": "centre", "cozy": "cosy", "curb": "kerb", "favorite": "favourite", "fiber": "fibre",
    "harbor": "harbour harbours", "jewelry": "jewellery", "meter": "metre metres", "mold": "mould",
    "moustache": "mustache", "mom": "mum", "neighbor": "neighbour neighbours", "omelette": "omelet",
    "pajamas": "pyjamas", "plow": "plough ploughs ploughing", "smolder": "smoulder",
    "theater": "theatre theatres", "tire": "tyre tyres", "vapor": "vapour", "whiskey": "whisky",
    "yogurt": "yoghurt", "program": "programme programm programs programmes",
    "practice": "practise practised practising", "racket": "racquet rackets racquets",
    "tv": "television televisions televison", "photo": "photograph photos", "tshirt": "tshirts",
    "video": "videos vedio vidoe vieo", "tomato": "tomatoes", "hero": "heroes",
    "potato": "potatoes potatoe", "mango": "mangoes", "volcano": "volcanoes",
    "mosquito": "mosquitoes", "buffalo": "buffaloes", "ski": "skis skiing skied",
    "advertisement": "advertisment", "afraid": "affraid", "amateur": "amatuer",
    "audience": "audiance", "bicycle": "bycycle", "black": "balck", "carry": "carring",
    "chili": "chille chilli chile chillies chilies chillis", "cut": "cuting",
    "chill": "chilling chilled", "commercial": "commerical", "conversation": "coversation",
    "different": "diffrent", "dine": "dinning dining", "discuss": "discusing",
    "explain": "explaing explaning explayning", "fashion": "fasion", "feud": "fued",
    "field": "feild", "foreign": "foriegn", "frisbee": "frizbee", "glove": "glooves",
    "guitar": "guitor", "hamster": "hampster", "ingredient": "ingrediants",
    "kitchen": "kitchenthere", "lose": "loosing", "motorcycle": "motorcyle", "origami": "oragami",
    "paste": "pasting", "perform": "preform preforming perfoming", "person": "perosn",
    "piece": "peice", "play": "palying playingg", "raccoon": "racoon", "ride": "ridding ryding",
    "recipe": "receipe receipee recepie", "restaurant": "restaraunt", "road": "raod",
    "rappel": "repelling", "rifle": "riffle", "rubik": "rubic rubicks rubiks rubix rubrics",
    "sandwich": "sandwhich", "sit": "siting", "skate": "sketing", "skier": "skiier",
    "soldier": "solider", "speech": "speach", "stir": "stiring", "swim": "swiming",
    "session": "secssion", "outstretched": "outstreached", "universe": "univers",
    "tennis": "tennise", "vehicle": "vehical", "volkswagen": "volkswagon",
    "volleyball": "voleyball vollyball", "woman": "womans", "wrestle": "wresting",
}  # fmt: skip
_MEN = """
    fire fisher police camera sports sales business gentle crafts fore horse mail noble handy
    post snow stunt super swords watch weather work milk door hang
"""
FORMS = {
    form: term
    for table in (_IRREGULAR, _SPELLINGS, {f"{stem}man": f"{stem}men" for stem in _MEN.split()})
    for term, forms in table.items()
    for form in forms.split()
}
_FORMS_OF: dict[str, list[str]] = {}
for _form, _term in FORMS.items():
    _FORMS_OF.setdefault(_term, []).append(_form)
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
    reed steed tweed rugged united left crooked checkered stranded inning outing fasting mugging
    bedding railing stocking stockings stuffing bunting herring starling darling sterling
    trousers overalls tights suspenders slacks clogs briefs cleats blinds spectacles checkers
    plains rapids barracks gallows crossroads headquarters mars braces craps blues vocals sweets
    cans credits bangs spurs handcuffs ribs zeus medusa
"""
STANDALONE = frozenset(_STANDALONE.split())

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
    yield from _FORMS_OF.get(term, ())
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
