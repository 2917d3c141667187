"""The learners of composed retrievers: of the graph with its interactions, and of what it is held against."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from search.engine.composed.baselines import BASELINES
from search.engine.composed.composed_measures import count_hits, rank_targets
from search.engine.composed.graph import (
    ATTRIBUTE,
    CAPTION,
    IMAGE,
    LIKES,
    OF_CAPTIONS,
    Graph,
    Pairs,
    Relation,
    like_pairs,
    metadata_pairs,
)
from search.engine.composed.rgcn import Asked, ask
from search.engine.training.composed_graph import (
    Averages,
    GraphModule,
    TorchStates,
    average_graph,
)
from search.engine.training.composed_samples import (
    NO_INTERACTIONS,
    ComposedSamples,
    Interactions,
    draw_columns,
)
from search.engine.training.composed_settings import BaselineSettings, GraphSettings
from search.engine.training.loop import State, initialise
from search.engine.training.samples import Rows, draw_rows

HEARD = 0.5  # the chance that a step hears of an interaction: it must do without them, too


class GraphLearner:
    """Teaches the graph's network, and both interactions as relations.

    A step draws which interactions have happened; a share of its captions are such as have liked answers.
    Raises TrainingFailed where there is too little to learn from.
    """

    def __init__(
        self,
        samples: ComposedSamples,
        settings: GraphSettings,
        interactions: Interactions = NO_INTERACTIONS,
    ) -> None:
        samples.require()
        self._samples, self._settings, self._interactions = samples, settings, interactions
        self._features = {
            IMAGE: torch.from_numpy(samples.images),
            ATTRIBUTE: torch.from_numpy(samples.attributes),
            CAPTION: torch.from_numpy(samples.texts[interactions.captions]),
        }
        self._asked = ask(samples.texts, samples.edges)
        self._plain = average_graph(samples.graph)
        # Captions that somebody liked answers to are nodes; what they stand on leads to them.
        self._bound = samples.graph.adding(
            self._edges_of_nodes(), {**samples.graph.counts, CAPTION: len(interactions.captions)}
        )
        widths = {kind: features.shape[1] for kind, features in self._features.items()}
        self.module = initialise(lambda: GraphModule(widths, units=settings.units), settings.seed)

    @property
    def validation(self) -> Rows:
        """See `Learner`."""
        return self._samples.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`; nothing."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`: links and compositions in equal parts."""
        settings, samples = self._settings, self._samples
        draws = np.random.default_rng([settings.seed, step])
        rows = draw_rows(samples.division.learned, settings.batch, seed=settings.seed, step=step)
        graph, heard = self._interact(draws)
        if len(heard):
            count = round(settings.liked_share * len(rows))
            rows = np.concatenate([rows[count:], self._interactions.captions[draws.choice(heard, count)]])
        asked = self._with_likes(rows, heard)
        columns, places = draw_columns(samples.targets[rows], settings.negatives, len(samples.images), draws)
        with torch.autocast("cpu", enabled=False):
            states = self.module.convolutions.embed(average_graph(graph), self._features)
            captions = self._embed_asked(self.module, asked, states)
            linked, composed = self.module.losses(
                states[-1][IMAGE],
                captions,
                *(torch.from_numpy(part[rows]) for part in (samples.references, samples.targets)),
                torch.from_numpy(columns),
                torch.from_numpy(places),
            )
        return cast(Tensor, 0.5 * linked + 0.5 * composed)

    def judge(self, module: Any, rows: Rows) -> dict[str, float]:
        """See `Learner`: recall over the whole gallery, without any interaction."""
        samples = self._samples
        nothing = torch.empty((0, samples.texts.shape[1]))
        with torch.autocast("cpu", enabled=False):
            states = module.convolutions.embed(self._plain, {**self._features, CAPTION: nothing})
            captions = self._embed_asked(module, self._asked.of(rows), states)
            references = torch.from_numpy(samples.references[rows])
            queries = module.queries(states[-1][IMAGE], captions, references)
            scores = queries @ functional.normalize(states[-1][IMAGE], dim=1).T
        ranks = rank_targets(scores.numpy(), samples.references[rows], samples.targets[rows])
        return {f"r{k}": float(count_hits(ranks, k).mean()) for k in (10, 50)}

    def state(self) -> State:
        """See `Learner`; nothing."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""

    def _edges_of_nodes(self) -> dict[Relation, Pairs]:
        """What leads to captions that are nodes, besides likes."""
        rows = self._interactions.captions
        return {relation: self._asked.edges[relation].rows(rows).pairs() for relation in OF_CAPTIONS}

    def _interact(self, draws: Generator) -> tuple[Graph, Rows]:
        """The graph after some interactions, and which captions (by node) got likes."""
        interactions, references = self._interactions, self._samples.references
        heard = np.flatnonzero(draws.random(len(interactions.captions)) < HEARD)
        attributes = draws.random(len(self._samples.attributes)) < HEARD
        stated = interactions.stated[attributes[interactions.stated[:, 1]]]
        pairs = metadata_pairs(stated[draws.random(len(stated)) < draws.uniform(HEARD, 1)])
        for node in heard.tolist():
            liked = like_pairs(node, int(references[interactions.captions[node]]), interactions.liked[node])
            for relation, edges in liked.items():
                pairs[relation] = np.concatenate([pairs.get(relation, np.empty((0, 2), np.int64)), edges])
        return self._bound.adding(pairs), heard

    def _with_likes(self, rows: Rows, heard: Rows) -> Asked:
        """The captions of some rows; those that got likes hear of them, as their nodes do."""
        asked, interactions = self._asked.of(rows), self._interactions
        node_of = {int(interactions.captions[node]): node for node in heard.tolist()}
        pairs = [
            (image, place)
            for place, row in enumerate(rows.tolist())
            if row in node_of
            for image in interactions.liked[node_of[row]]
        ]
        likes = ask(asked.features, {LIKES: np.array(pairs, np.int64).reshape(-1, 2)}).edges[LIKES]
        return Asked(asked.features, {**asked.edges, LIKES: likes})

    def _embed_asked(self, module: Any, asked: Asked, states: TorchStates) -> Tensor:
        means = {
            relation: Averages(edges, len(states[0][relation.source]))
            for relation, edges in asked.edges.items()
        }
        captions: Tensor = module.convolutions.embed_asked(torch.from_numpy(asked.features), means, states)
        return captions


class BaselineLearner:
    """Teaches a model by name (`BASELINES`) by softmax over a batch's targets and others.

    Raises TrainingFailed where there is too little to learn from.
    """

    def __init__(self, model: str, samples: ComposedSamples, settings: BaselineSettings) -> None:
        samples.require()
        self._samples, self._settings = samples, settings
        self._images, self._texts = torch.from_numpy(samples.images), torch.from_numpy(samples.texts)
        widths = samples.images.shape[1], samples.texts.shape[1], settings.width
        self.module = initialise(lambda: BASELINES[model](*widths), settings.seed)

    @property
    def validation(self) -> Rows:
        """See `Learner`."""
        return self._samples.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`; nothing."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings, samples = self._settings, self._samples
        rows = draw_rows(samples.division.learned, settings.batch, seed=settings.seed, step=step)
        draws = np.random.default_rng([settings.seed, step])
        columns, places = draw_columns(samples.targets[rows], settings.negatives, len(samples.images), draws)
        references, texts = self._images[samples.references[rows]], self._texts[rows]
        with torch.autocast("cpu", enabled=False):
            logits = self.module.queries(references, texts) @ self.module.candidates(self._images[columns]).T
            own = torch.from_numpy(columns[None, :] == samples.references[rows][:, None])
            missed = functional.cross_entropy(logits.masked_fill(own, -torch.inf), torch.from_numpy(places))
            loss: Tensor = missed + self.module.own_loss(
                references, texts, self._images[samples.targets[rows]]
            )
        return loss

    def judge(self, module: Any, rows: Rows) -> dict[str, float]:
        """See `Learner`: recall over the whole gallery."""
        samples = self._samples
        with torch.autocast("cpu", enabled=False):
            queries = module.queries(self._images[samples.references[rows]], self._texts[rows])
            scores = queries @ module.candidates(self._images).T
        ranks = rank_targets(scores.numpy(), samples.references[rows], samples.targets[rows])
        return {f"r{k}": float(count_hits(ranks, k).mean()) for k in (10, 50)}

    def state(self) -> State:
        """See `Learner`; nothing."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""
