from __future__ import annotations

import readability
from readability import Row, judge, share, table

from unify.engine.lexicon import Lexicon

WORDS = Lexicon(["dog", "pet", "grass"], [["dogs"], [], []])


def test_a_caption_names_any_form_of_a_term():
    rows = judge("a.mp4", "Two dogs", ["dog", "pet"], WORDS, {})
    assert [row.verdict for row in rows] == ["named", "wrong"]


def test_verdicts_are_of_one_clip_and_term(tmp_path):
    file = tmp_path / "judged.tsv"
    file.write_text("file\tterm\tverdict\na.mp4\tpet\tsynonym\nb.mp4\tgrass\tseen\n", "utf-8")
    verdicts = readability.read_verdicts(file)
    rows = judge("a.mp4", "a dog", list(WORDS.terms), WORDS, verdicts)
    assert [row.verdict for row in rows] == ["named", "synonym", "wrong"]


def test_shares_and_table():
    rows = [Row("a", "dog", "named"), Row("a", "pet", "synonym"), Row("a", "car", "wrong")]
    assert share(rows, readability.RIGHT) == 0.667
    assert share([], readability.RIGHT) == 0
    terms = [["a", "dog", "named"], ["a", "grass", "seen"], ["a", "car", "wrong"]]
    figures = {"named": 0.5, "clips": 3, "judged_clips": 1, "right": 0.667, "pack": "mini"}
    assert "| a | **dog**, *grass*, car |" in table(figures | {"terms": terms})
