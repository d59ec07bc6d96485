"""Two processes train one model with a language model's head: after every step it is the same.

Each has another number of masked tokens. torch's launcher starts this file itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from tests.encoders.processes import on_two_processes  # noqa: E402
from tests.encoders.tiny import recipe, write_data, write_towers  # noqa: E402
from unify.encoders.corpus import read_corpus  # noqa: E402
from unify.encoders.distributed import joined  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.train import Trainer  # noqa: E402
from unify.engine.lexicon import Lexicon  # noqa: E402


def work(folder: Path) -> None:
    """What each process does: train, and save its own model and its own mean of the weights."""
    made = recipe(folder, epochs=1, ground_share=0.3)
    with joined() as group:
        start, lexicon = open_start(made), Lexicon.read(made.lexicon)
        corpus = read_corpus(made, start, lexicon, group)
        torch.manual_seed(0)
        model = start.model(made, corpus.data.part(corpus.train), lexicon.terms)
        assert model.term_of_piece is not None
        first = model.text_lexicon.dense.weight.detach().clone()
        torch.manual_seed(group.rank)  # other dropout on each
        kept = Trainer(made, model, corpus, group).run()
        found = {f"model.{name}": value.clone() for name, value in model.state_dict().items()}
        found |= {f"kept.{name}": value.clone() for name, value in kept.state_dict().items()}
        save_file(found | {"first": first}, folder / f"rank-{group.rank}.safetensors")


def test_both_processes_end_with_the_same_weights(tmp_path):
    from tests.encoders.checkpoints import save_bert
    from unify.encoders.export import export_mlm
    from unify.encoders.wordlist import bert_vocabulary

    write_towers(tmp_path / "towers")
    export_mlm(save_bert(tmp_path / "bert"), tmp_path / "towers")
    write_data(tmp_path / "world-train", items=64)
    pieces = bert_vocabulary(tmp_path / "towers" / "tokenizer.json")
    (tmp_path / "lexicon.txt").write_text("".join(f"{piece}\n" for piece in pieces))
    on_two_processes(__file__, tmp_path)
    one, other = (load_file(tmp_path / f"rank-{rank}.safetensors") for rank in (0, 1))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    assert not torch.equal(one["model.text_lexicon.dense.weight"], one["first"]), "it was trained"


if __name__ == "__main__":
    work(Path(sys.argv[1]))
