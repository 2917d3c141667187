"""Vectors of sentences: drawn or learned, in numpy as in torch, and kept in a file that is whole."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.sentences import (
    SENTENCE_ENCODERS,
    draw_sentences,
    hash_pieces,
    read_sentences,
    write_sentences,
)
from search.engine.errors import ArtifactDamaged
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.composed_sentences import (
    Lessons,
    SentenceLearner,
    make_lessons,
    read_sentence_network,
)
from search.engine.training.composed_settings import SentenceSettings
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import fit
from tests.engine.composed.wardrobe_words import VOCABULARY, make_captions, make_items

CPU = torch.device("cpu")
DRAWN = draw_sentences(3, buckets=512, hidden=16, width=24)


def make_taught(count=700):
    items = make_items(300)
    pairs, texts = make_captions(items, count)
    told = [(text, items[a], items[b]) for text, (a, b) in zip(texts, pairs, strict=True)]
    return make_lessons(told, VOCABULARY)


def learn(lessons, checkpoint=None, report=lambda progress: None, **changed):
    settings = SentenceSettings(**{"steps": 120, "validate_every": 60, "checkpoint_every": 40} | changed)
    learner = SentenceLearner(lessons, settings)
    fitted = fit(
        learner, settings, checkpoint=checkpoint or CheckpointFile(None, {}), report=report, device=CPU
    )
    return learner, fitted


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_texts_have_vectors_of_length_one_or_none(texts):
    vectors = DRAWN.encode(texts)
    assert vectors.shape == (len(texts), 24)
    lengths = np.linalg.norm(vectors, axis=1)
    worded = np.array([len(hash_pieces(text)) > 0 for text in texts], bool)
    np.testing.assert_allclose(lengths[worded], 1, atol=1e-5)
    assert np.isfinite(vectors).all()


def test_sentences_that_share_words_are_nearer_and_order_matters():
    one, other, far, turned = DRAWN.encode(
        ["red with long sleeves", "red with longer sleeves", "a wide brim", "with long sleeves red"]
    )
    assert one @ other > one @ far
    assert one @ turned < 0.999


def test_learning_tells_changes_even_of_texts_it_has_not_seen():
    lessons = make_taught()
    _, fitted = learn(lessons)
    shares = lessons.changes.mean(axis=0)
    assert fitted.measures["first"] > 3 * shares.max()


def test_numpy_gives_the_vectors_that_torch_gave():
    lessons = make_taught(200)
    learner, _ = learn(lessons, steps=10)
    texts = list(lessons.texts[:20])
    with torch.inference_mode():
        theirs = learner.module.encode([hash_pieces(text) for text in texts]).numpy()
    np.testing.assert_allclose(read_sentence_network(learner.module).encode(texts), theirs, atol=1e-5)


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path):
    lessons, checkpoint = make_taught(200), CheckpointFile(tmp_path / "run", {"of": "sentences"})
    whole, _ = learn(lessons, steps=24, checkpoint_every=6)

    def stop(progress):
        if progress.step == 15:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        learn(lessons, checkpoint, stop, steps=24, checkpoint_every=6)
    again, _ = learn(lessons, checkpoint, steps=24, checkpoint_every=6)
    for name, weights in whole.module.state_dict().items():
        assert torch.equal(weights, again.module.state_dict()[name]), name


def test_too_few_captions_are_told():
    with pytest.raises(TrainingFailed, match="captions"):
        learn(Lessons(("black",), np.zeros((1, 2), np.float32)))


def test_an_encoder_is_kept_in_a_file_that_is_whole(tmp_path):
    path = tmp_path / "sentences"
    write_sentences(path, DRAWN)
    texts = ["black", "not black"]
    assert (SENTENCE_ENCODERS["hashed"](path).encode(texts) == DRAWN.encode(texts)).all()
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ArtifactDamaged):
        read_sentences(path)
