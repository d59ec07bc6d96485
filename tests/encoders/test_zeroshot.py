from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unify.encoders import zeroshot
from unify.encoders.evaluate import score, to_dense
from unify.encoders.heads import MOMENT_TERMS, HeadsFile, unit
from unify.encoders.zeroshot import (
    EXPANSION_TERMS,
    PROMPTS,
    SHOWN_TERMS,
    Space,
    TextHead,
    VideoHead,
    centred_space,
    default_calibration,
    rank_idf,
    read_space,
    stand_in_calibration,
    to_bytes,
    uncentred_space,
    word_queries,
)
from unify.engine.errors import UsageError

V, D = 300, 48
TERMS = [f"term{i}" for i in range(V)]
GAP = np.random.default_rng(9).normal(size=D).astype(np.float32)


def meaning(text: str) -> np.ndarray:
    """A direction for the last word of a text, a little off for every prompt."""
    word = np.random.default_rng(list(text.split(" ")[-1].encode())).normal(size=D)
    prompt = np.random.default_rng(list(text.encode())).normal(size=D)
    return (word + 0.3 * prompt).astype(np.float32)


def encode(texts) -> np.ndarray:
    """What texts mean, all of them to one side, as in a CLIP."""
    return np.stack([meaning(text) for text in texts]) + 2 * GAP


def show(*moments: list[int], frames: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Frames to another side, each showing one of its moment's terms; and the spans."""
    rng = np.random.default_rng(seed)
    rows = [
        meaning(TERMS[terms[i % len(terms)]]) + 0.2 * rng.normal(size=D) - 3 * GAP
        for terms in moments
        for i in range(frames)
    ]
    last = np.cumsum([frames] * len(moments))
    return np.stack(rows).astype(np.float32), np.stack([last - frames, last], axis=1)


@pytest.fixture(scope="module")
def space() -> Space:
    return uncentred_space(TERMS, encode)


@pytest.fixture(scope="module")
def centred(space: Space) -> Space:
    rng = np.random.default_rng(1)
    return centred_space(space, *show(*[rng.integers(0, V, 3).tolist() for _ in range(120)]))


def test_the_dictionary_is_normalised_centred_normalised(space):
    texts = [prompt.format(TERMS[7]) for prompt in PROMPTS]
    word = unit(unit(encode(texts)).mean(axis=0)[None])[0]
    expected = word - space.word_mean
    expected /= np.linalg.norm(expected)
    assert space.dictionary.shape == (V, D)
    assert np.abs(space.dictionary[7] - expected).max() < 1e-3  # kept as float16
    assert np.abs(space.dictionary @ space.word_mean).mean() < 0.1


def test_untrained_heads_are_the_zero_shot_projection(space):
    features, spans = show([3, 5], [8], [13, 21, 34])
    codes = VideoHead(space).encode(features, spans)
    frames = unit(features)
    for i, (first, last) in enumerate(spans):
        mean = frames[first:last].mean(axis=0)
        assert np.abs(codes.latents[i] - mean / np.linalg.norm(mean)).max() < 1e-6
        dense = np.maximum((frames[first:last] @ space.dictionary.T).max(axis=0), 0)
        dense[np.argsort(-dense, kind="stable")[MOMENT_TERMS:]] = 0
        dense /= np.linalg.norm(dense)
        assert np.abs(to_dense(codes.lexicon, V)[i] - dense).max() < 1e-6
    text = encode(["a term3"])[0]
    assert np.abs(TextHead(space).encode(text, []).latent - unit(text[None])[0]).max() < 1e-6


def test_centred_frames_show_their_terms_first(space, centred):
    features, spans = show([3, 5], [8, 13], [21, 34], seed=4)
    rows = VideoHead(centred).encode(features, spans).lexicon
    for i, terms in enumerate(([3, 5], [8, 13], [21, 34])):
        found, weights = rows.row(i)
        assert set(found[np.argsort(-weights)[:2]].tolist()) == set(terms)
    hubs = VideoHead(space).encode(features, spans).lexicon
    shared = set(hubs.row(0)[0].tolist()) & set(hubs.row(1)[0].tolist())
    assert len(shared) > len(set(rows.row(0)[0].tolist()) & set(rows.row(1)[0].tolist()))


def test_each_term_is_put_on_the_scale_of_its_own_scores(space):
    features, spans = show(*[[i % V] for i in range(150)])
    found = centred_space(space, features, spans)
    scores = VideoHead(found).best_scores(features, spans)
    assert np.allclose(found.term_mean, scores.mean(axis=0), atol=1e-5)
    usual = (scores - found.term_mean) / found.term_sd
    assert np.allclose(usual.std(axis=0)[found.term_sd > found.term_sd.min()], 1, atol=1e-3)
    assert np.allclose(found.frame_mean, unit(features).mean(axis=0), atol=1e-6)
    assert np.array_equal(found.text_mean, space.word_mean), "no sentences, then that of words"
    texts = encode(["a term1", "some term2"])
    assert np.allclose(
        centred_space(space, features, spans, texts).text_mean, unit(texts).mean(axis=0)
    )


def test_own_words_weigh_by_rarity_and_lead_the_expansion(space):
    head = TextHead(space)
    query = head.encode(encode(["a term250"])[0], [4, 250])
    weights = dict(zip(query.terms.tolist(), query.weights.tolist(), strict=True))
    assert weights[250] > weights[4] > 0
    others = [weight for term, weight in weights.items() if term not in (4, 250)]
    assert 0 < len(others) <= EXPANSION_TERMS
    assert max(others) < weights[4]
    assert (np.diff(query.terms.astype(int)) > 0).all()
    assert query.terms.dtype == np.uint16 and query.weights.dtype == np.float32


def test_without_own_words_the_nearest_terms_speak(space):
    query = TextHead(space).encode(encode(["a term30"])[0], [])
    assert query.terms[query.weights.argmax()] == 30
    assert len(query.terms) <= EXPANSION_TERMS


def test_an_unknown_word_is_added_to_its_nearest_terms(space):
    head, text = TextHead(space), encode(["on term99"])[0]
    near = encode(["term77"])
    plain, more = head.encode(text, [99]), head.encode(text, [99], near)

    def dense(query) -> np.ndarray:
        out = np.zeros(V)
        out[query.terms] = query.weights
        return out

    added = dense(more) - dense(plain)
    assert added.argmax() == 77
    assert np.count_nonzero(added > 1e-6) == 3
    assert added.sum() == pytest.approx(space.idf.max(), rel=1e-5), "as much as the rarest word"


def test_scores_of_an_index_are_the_dense_ones_cut_to_what_is_kept(centred):
    features, spans = show(*[[i, i + 1] for i in range(20)])
    codes = VideoHead(centred).encode(features, spans)
    queries = [TextHead(centred).encode(encode([f"a term{i}"])[0], [i]) for i in range(20)]
    found = score(queries, codes.latents, codes.lexicon, V, np.arange(20)).lexicon
    shown = VideoHead(centred)._weights(VideoHead(centred).best_scores(features, spans))
    for row in shown:
        row[np.argsort(-row, kind="stable")[MOMENT_TERMS:]] = 0
    shown /= np.linalg.norm(shown, axis=1, keepdims=True)
    asked = np.zeros((20, V))
    for i, query in enumerate(queries):
        asked[i, query.terms] = query.weights
    assert np.abs(found - asked @ shown.T).max() < 1e-4


def test_a_track_is_on_the_scale_of_the_moment(centred):
    features, _ = show([3, 5, 8])
    codes = VideoHead(centred).encode(np.repeat(features[:1], 9, axis=0), np.array([[0, 9]]))
    (terms, weights), (frame_terms, frame_weights) = codes.lexicon.row(0), codes.tracks.row(4)
    assert len(frame_terms) <= 16
    top = dict(zip(terms.tolist(), weights.tolist(), strict=True))
    for term, weight in zip(frame_terms.tolist(), frame_weights.tolist(), strict=True):
        assert weight == pytest.approx(top[term], rel=1e-4)


def test_long_videos_are_encoded_as_short_ones(centred):
    features, spans = show(*[[i % V] for i in range(200)])
    whole = VideoHead(centred).encode(features, spans)
    for i in (0, 70, 199):
        part = VideoHead(centred).encode(features[spans[i, 0] : spans[i, 1]], np.array([[0, 4]]))
        assert np.array_equal(part.lexicon.row(0)[0], whole.lexicon.row(i)[0])
        assert np.allclose(part.latents[0], whole.latents[i], atol=1e-6)


def test_calibration_without_captions(space, centred):
    features, spans = show(*[[i] for i in range(60)])
    codes = VideoHead(centred).encode(features, spans)
    found = default_calibration(codes, word_queries(centred)[1], V)
    counts = [int((codes.lexicon.row(i)[1] >= found.shows).sum()) for i in range(60)]
    assert abs(np.median(counts) - SHOWN_TERMS) <= 2
    assert np.allclose(found.latent_mean, codes.latents.mean(axis=0), atol=1e-3)
    assert found.sd_latent_floor > 0 and found.sd_lexicon_floor > 0
    before = stand_in_calibration(space)
    assert before.weak == -np.inf, "its means are not those of pictures"
    assert before.latent_cov.shape == (D, D) and before.term_var.min() > 0


def test_words_can_stand_for_moments_because_they_are_words(space):
    words, queries = word_queries(space)
    prompted = [[prompt.format(term) for prompt in PROMPTS] for term in TERMS]
    raw = unit(np.stack([unit(encode(texts)).mean(axis=0) for texts in prompted]))
    assert (words * raw).sum(axis=1).min() > 0.9
    assert all(i in query.terms for i, query in enumerate(queries))


def test_rare_words_weigh_more():
    idf = rank_idf(5000)
    assert idf.dtype == np.float32
    assert (np.diff(idf) > 0).all() and idf[0] > 1


def test_what_was_written_is_read(tmp_path: Path, space, centred, monkeypatch):
    path = tmp_path / "heads.safetensors"
    path.write_bytes(to_bytes(centred, stand_in_calibration(space)))
    file = HeadsFile(path)
    read = read_space(file, path)
    for name in Space.__slots__:
        assert np.array_equal(getattr(read, name), getattr(centred, name)), name
    assert file.calibration().weak == -np.inf
    monkeypatch.setattr(zeroshot, "RECIPE", zeroshot.RECIPE + 1)
    with pytest.raises(UsageError, match="another version"):
        read_space(file, path)
