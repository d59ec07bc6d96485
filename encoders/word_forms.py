"""English word forms: stop words, irregular and misspelled forms, words that only look inflected.

Only data, chosen by hand: `unify.encoders.wordlist` folds and merges it, and evaluation leaves
the stop words out. It must not know captions or lexicons.
"""

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
FORMS_OF: dict[str, list[str]] = {}
for _form, _term in FORMS.items():
    FORMS_OF.setdefault(_term, []).append(_form)

# Words that end like a form and are none, or that mean something else than their base.
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
