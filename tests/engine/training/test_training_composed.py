"""The graph and what it is held against learn; interactions work without learning any more."""

import numpy as np
import pytest
import torch

from search.engine.composed.baselines import BASELINES
from search.engine.composed.composed_measures import count_hits, rank_targets
from search.engine.composed.graph import (
    ATTRIBUTE,
    CAPTION,
    IMAGE,
    LIKES,
    like_pairs,
)
from search.engine.composed.retriever import find_best, normalise, read_retriever, write_retriever
from search.engine.composed.rgcn import ask
from search.engine.errors import ArtifactDamaged
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.composed_graph import read_graph_module
from search.engine.training.composed_learner import BaselineLearner, GraphLearner
from search.engine.training.composed_samples import Interactions
from search.engine.training.composed_settings import BaselineSettings, GraphSettings
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import fit
from search.engine.training.samples import Division
from tests.engine.composed.composed_worlds import make_world

CPU = torch.device("cpu")
QUICK = {"rate": 3e-3, "validate_every": 60, "checkpoint_every": 60, "batch": 96, "averaging": 0.9}
LIKED = 6


@pytest.fixture(scope="module")
def plain():
    return make_world(160, 700)


def learn(learner, settings, checkpoint=None, report=lambda progress: None):
    fit(learner, settings, checkpoint=checkpoint or CheckpointFile(None, {}), report=report, device=CPU)
    return learner


def learn_graph(world, interactions=None, checkpoint=None, report=lambda progress: None, **changed):
    settings = GraphSettings(**QUICK | {"steps": 60, "units": 32} | changed)
    more = () if interactions is None else (interactions,)
    return learn(GraphLearner(world.samples, settings, *more), settings, checkpoint, report)


def recall(ranks, k=10):
    return count_hits(ranks, k).mean()


def ask_graph(retriever, world, rows, graph=None, texts=None, edges=None):
    """The ranks of the targets of some captions."""
    samples = world.samples
    graph = graph or samples.graph
    captions = np.empty((0, samples.texts.shape[1]), np.float32) if texts is None else texts
    features = {IMAGE: samples.images, ATTRIBUTE: samples.attributes, CAPTION: captions}
    states = retriever.network.embed(graph, features)
    asked = ask(samples.texts, {**samples.edges, **(edges or {})}).of(rows)
    scores = retriever.query(asked, samples.references[rows], states) @ retriever.gallery(states).T
    return rank_targets(scores, samples.references[rows], samples.targets[rows])


@pytest.mark.parametrize("model", BASELINES)
def test_every_baseline_finds_more_than_chance(plain, model):
    settings = BaselineSettings(**QUICK | {"steps": 180, "width": 32})
    learner = learn(BaselineLearner(model, plain.samples, settings), settings)
    with torch.inference_mode():
        found = learner.judge(learner.module, plain.samples.division.held_out)
    assert found["r10"] > 1.3 * 10 / 160


def test_numpy_finds_what_torch_finds_from_a_file_that_is_whole(plain, tmp_path):
    learner, rows = learn_graph(plain), plain.samples.division.held_out
    with torch.inference_mode():
        theirs = learner.judge(learner.module, rows)
    path = tmp_path / "graph"
    write_retriever(path, read_graph_module(learner.module))
    ranks = ask_graph(read_retriever(path), plain, rows)
    assert recall(ranks) == pytest.approx(theirs["r10"], abs=0.02)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactDamaged):
        read_retriever(path)


def like(world, rows):
    """For each caption the images most like its target; never the target itself."""
    samples = world.samples
    alike = samples.images @ samples.images.T
    return np.array(
        [
            find_best(alike[target], LIKED, without=(target, reference))
            for reference, target in zip(samples.references[rows], samples.targets[rows], strict=True)
        ]
    )


def test_likes_of_answers_raise_recall_for_their_request_without_training(plain):
    samples = plain.samples
    taught = samples.division.learned[:60]
    nothing = np.empty((0, 2), np.int64)
    interactions = Interactions(nothing, taught, like(plain, taught))
    retriever = read_graph_module(learn_graph(plain, interactions, steps=120).module)
    rows = samples.division.held_out[:40]
    before = ask_graph(retriever, plain, rows)
    liked, pairs = like(plain, rows), {}
    for node, (row, images) in enumerate(zip(rows, liked, strict=True)):
        for relation, edges in like_pairs(node, int(samples.references[row]), images).items():
            pairs[relation] = np.concatenate([pairs.get(relation, nothing), edges])
    nodes = ask(samples.texts, samples.edges).of(rows)
    pairs |= {relation: edges.pairs() for relation, edges in nodes.edges.items() if relation != LIKES}
    graph = samples.graph.adding(pairs, {**samples.graph.counts, CAPTION: len(rows)})
    likes = np.array([(image, row) for row, images in zip(rows, liked, strict=True) for image in images])
    after = ask_graph(retriever, plain, rows, graph, samples.texts[rows], {LIKES: likes})
    assert np.median(after) < np.median(before)
    assert recall(after) > recall(before)


def test_a_run_that_was_stopped_ends_with_the_same_weights(plain, tmp_path):
    taught = plain.samples.division.learned[:20]
    stated = np.argwhere(plain.true)[:50]
    interactions = Interactions(stated, taught, like(plain, taught))
    whole = learn_graph(plain, interactions, steps=8, checkpoint_every=3)

    def stop(progress):
        if progress.step == 5:
            raise InterruptedError

    checkpoint = CheckpointFile(tmp_path / "run", {"of": "graph"})
    with pytest.raises(InterruptedError):
        learn_graph(plain, interactions, checkpoint, stop, steps=8, checkpoint_every=3)
    again = learn_graph(plain, interactions, checkpoint, steps=8, checkpoint_every=3)
    for name, weights in whole.module.state_dict().items():
        assert torch.equal(weights, again.module.state_dict()[name]), name


def test_too_few_captions_are_told(plain):
    samples = plain.samples
    few = type(samples)(**{**vars(samples), "division": Division(*(np.arange(2),) * 3)})
    with pytest.raises(TrainingFailed, match="captions to learn from"):
        GraphLearner(few, GraphSettings())


def test_a_graph_of_another_catalogue_is_refused(plain):
    samples = plain.samples
    with pytest.raises(TrainingFailed, match="another catalogue"):
        GraphLearner(type(samples)(**{**vars(samples), "images": samples.images[:-1]}), GraphSettings())


def test_vectors_of_length_one_stay_so():
    vectors = normalise(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0]])
