"""A small wardrobe without pictures: vectors show attributes through noise, predictions have errors."""

from dataclasses import dataclass

import numpy as np

from search.engine.composed.composed_measures import QUERIES, split_captions
from search.engine.composed.graph import (
    ATTRIBUTE,
    CANDIDATE,
    CAPTION,
    DESCRIBES,
    IMAGE,
    KEPT,
    SHOWS,
    UNWANTED,
    WANTED,
    make_graph,
)
from search.engine.composed.requests import read_request
from search.engine.composed.sentences import draw_sentences
from search.engine.composed.vocabulary import phrases_of
from search.engine.training.composed_samples import ComposedSamples
from search.engine.training.samples import Division
from tests.engine.composed.wardrobe_words import VOCABULARY, make_captions, make_items

SENTENCES = draw_sentences(1, buckets=1024, hidden=48, width=64)


@dataclass(frozen=True)
class World:
    """Samples, and what is true of the items: (n, attributes)."""

    samples: ComposedSamples
    true: np.ndarray
    captions: list[str]


def make_world(
    count=300, captions=1500, *, noise=0.8, right=0.85, unlabelled=(), width=64, seed=0, sentences=SENTENCES
):
    """``noise`` of vectors by what they show; ``unlabelled`` attributes are never predicted."""
    draws, items = np.random.default_rng(seed), make_items(count, seed)
    true = np.zeros((count, len(VOCABULARY)), bool)
    for place, item in enumerate(items):
        true[place, [VOCABULARY.place(attribute) for attribute in item]] = True
    predicted = [predict(item, items, right, draws) for item in items]
    predicted = [[it for it in item if VOCABULARY.place(it) not in unlabelled] for item in predicted]
    pairs, texts = make_captions(items, captions, seed=seed + 1)
    references, targets = pairs.T
    learned, held_out = split_captions(
        references, targets, np.zeros(count, bool), QUERIES, share=0.25, seed=seed
    )
    return World(
        ComposedSamples(
            images=show(true, width, noise, draws),
            attributes=sentences.encode([phrases_of(attribute)[0] for attribute in VOCABULARY.attributes]),
            texts=sentences.encode(texts),
            references=references,
            targets=targets,
            edges=lead_to_captions(texts, references, predicted),
            graph=join(predicted),
            division=Division(np.delete(learned, np.s_[::6]), learned[::6], held_out),
        ),
        true,
        texts,
    )


def show(true, width, noise, draws):
    """Vectors of length one: attributes through a drawn map, and something that no attribute says."""
    seen = true @ draws.normal(size=(true.shape[1], width))
    own = draws.normal(size=seen.shape) * np.sqrt(true.sum(axis=1, keepdims=True))
    vectors = seen + noise * own
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def predict(item, items, right, draws):
    """An item's attributes, some of them taken from another item of its kind."""
    alike = [other for other in items if other[0] == item[0]]
    other = {it.aspect: it for it in alike[int(draws.integers(len(alike)))]}
    return [it if draws.random() < right else other.get(it.aspect, it) for it in item]


def lead_to_captions(texts, references, attributes):
    pairs = {relation: [] for relation in (CANDIDATE, WANTED, UNWANTED, KEPT)}
    for caption, (text, reference) in enumerate(zip(texts, references.tolist(), strict=True)):
        change = read_request(text, VOCABULARY).of(attributes[reference], VOCABULARY)
        pairs[CANDIDATE].append((reference, caption))
        for relation, found in ((WANTED, change.wanted), (UNWANTED, change.unwanted), (KEPT, change.kept)):
            pairs[relation] += [(VOCABULARY.place(attribute), caption) for attribute in found]
    return {relation: np.array(found, np.int64).reshape(-1, 2) for relation, found in pairs.items()}


def join(attributes):
    """The graph of images and their attributes."""
    pairs = [(VOCABULARY.place(it), image) for image, item in enumerate(attributes) for it in item]
    describes = np.array(pairs, np.int64).reshape(-1, 2)
    counts = {IMAGE: len(attributes), ATTRIBUTE: len(VOCABULARY), CAPTION: 0}
    return make_graph(counts, {DESCRIBES: describes, SHOWS: describes[:, ::-1]})
