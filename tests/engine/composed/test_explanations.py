"""What carried an answer is what its score loses without it."""

import numpy as np

from search.engine.composed.explanations import Reason, explain, tell
from search.engine.composed.graph import (
    ATTRIBUTE,
    CANDIDATE,
    CAPTION,
    DESCRIBES,
    IMAGE,
    KEPT,
    NODE_TYPES,
    RELATIONS,
    STATES,
    UNWANTED,
    WANTED,
    make_graph,
)
from search.engine.composed.retriever import GraphRetriever
from search.engine.composed.rgcn import GraphNetwork, ask
from search.engine.composed.vocabulary import Attribute

BLACK, RED, LONG = range(3)
ATTRIBUTES = [Attribute("colour", "black"), Attribute("colour", "red"), Attribute("sleeve", "long")]
UNITS = 16


def make_retriever():
    """One layer by hand: a node is the mean of its attributes, unwanted ones turned; nothing is composed."""
    eye, nothing = np.eye(UNITS, dtype=np.float32), np.zeros((UNITS, UNITS), np.float32)
    heard = {DESCRIBES: eye, WANTED: eye, KEPT: eye, UNWANTED: -eye}
    weights = {f"layers.0.relations.{it.name}.weight": heard.get(it, nothing) for it in RELATIONS}
    for kind in NODE_TYPES:
        weights |= {f"inputs.{kind}.weight": eye, f"inputs.{kind}.bias": np.zeros(UNITS, np.float32)}
        weights |= {f"layers.0.own.{kind}.weight": nothing, f"layers.0.own.{kind}.bias": nothing[0]}
    return GraphRetriever(GraphNetwork(weights, layers=1), make_composition(), np.array([1, 0], np.float32))


def make_composition():
    """All of its weights are nought."""
    shapes = {"convolution.weight": (64, 5, 3), "convolution.bias": (64,), "shares": (2,)}
    for name in ("image", "text"):
        shapes |= {f"{name}.{at}.weight": (16, 16) for at in (0, 2)}
        shapes |= {f"{name}.{at}.bias": (16,) for at in (0, 2)}
    for name, width in (("mix", 32), ("mix_convolved", 1024)):
        shapes |= {f"{name}.0.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes |= {f"{name}.2.weight": (16, width), f"{name}.4.weight": (16, 16)}
        shapes |= {f"{name}.{at}.bias": (16,) for at in (2, 4)}
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def make_world():
    labelled = {0: [RED, LONG], 1: [BLACK, LONG], 2: [RED]}
    pairs = [(attribute, image) for image, own in labelled.items() for attribute in own]
    graph = make_graph({IMAGE: 3, ATTRIBUTE: 3, CAPTION: 0}, {DESCRIBES: pairs})
    features = {
        IMAGE: np.ones((3, UNITS), np.float32),
        ATTRIBUTE: np.eye(3, UNITS, dtype=np.float32),
        CAPTION: np.empty((0, UNITS), np.float32),
    }
    asked = ask(
        np.ones((1, UNITS), np.float32),
        {CANDIDATE: [[0, 0]], WANTED: [[BLACK, 0]], KEPT: [[LONG, 0]], UNWANTED: [[RED, 0]]},
    )
    return graph, features, asked


def test_what_was_asked_for_and_what_was_kept_carry_the_answer():
    retriever, (graph, features, asked) = make_retriever(), make_world()
    states = retriever.network.embed(graph, features)
    found = explain(retriever, graph, features, states, asked, 0, 1)
    weights = {(reason.relation, reason.source): reason.weight for reason in found.asked}
    assert set(weights) == {(CANDIDATE, 0), (WANTED, BLACK), (KEPT, LONG), (UNWANTED, RED)}
    assert {reason.source for reason in found.asked[:2]} == {BLACK, RED}
    assert weights[WANTED, BLACK] > 0.1
    assert abs(weights[CANDIDATE, 0]) < 1e-6  # this network does not look at pictures
    assert {(reason.relation, reason.source) for reason in found.answered} == {
        (DESCRIBES, BLACK),
        (DESCRIBES, LONG),
    }


def test_a_weight_is_what_the_score_loses_when_the_request_lacks_the_edge():
    retriever, (graph, features, asked) = make_retriever(), make_world()
    states = retriever.network.embed(graph, features)
    gallery = retriever.gallery(states)
    lacking = ask(asked.features, {KEPT: [[LONG, 0]], UNWANTED: [[RED, 0]], CANDIDATE: [[0, 0]]})
    scores = [retriever.query(each, np.array([0]), states)[0] @ gallery.T for each in (asked, lacking)]
    lost = [each[1] - each.mean() for each in scores]
    found = explain(retriever, graph, features, states, asked, 0, 1)
    [reason] = [reason for reason in found.asked if reason.relation == WANTED]
    np.testing.assert_allclose(reason.weight, lost[0] - lost[1], atol=1e-5)


def test_reasons_are_told_in_words_and_only_those_that_speak_for_the_answer():
    reasons = [
        Reason(WANTED, BLACK, 0.5), Reason(CANDIDATE, 0, 0.4), Reason(STATES, LONG, 0.1),
        Reason(KEPT, LONG, 0.1), Reason(UNWANTED, RED, -0.2),
    ]  # fmt: skip
    assert tell(reasons, ATTRIBUTES, answer=[ATTRIBUTES[BLACK]]) == [
        "You asked for colour: black; it has it.",
        "It looks like your item.",
        "People say that it is sleeve: long.",
        "Your item has sleeve: long, which you did not change; this item is not labelled so.",
    ]


def test_every_relation_that_leads_to_a_caption_or_an_image_can_be_told():
    led = [relation for relation in RELATIONS if relation.target in (CAPTION, IMAGE)]
    assert all(tell([Reason(relation, 0, 1.0)], ATTRIBUTES, answer=[]) for relation in led)
