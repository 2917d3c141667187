"""The graph's network in torch, and how it learns links and compositions, in equal parts.

Schlichtkrull et al. (ESWC 2018) without bases; what is averaged over neighbours is a sparse product with a
row-normalised matrix per relation, whose transpose carries gradients back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from search.engine.composed.baselines import LENGTH, ComposeAE
from search.engine.composed.graph import CAPTION, NODE_TYPES, RELATIONS, Edges, Graph, Relation
from search.engine.composed.retriever import GraphRetriever
from search.engine.composed.rgcn import LAYERS, UNITS, GraphNetwork, edges_to

TorchStates = list[dict[str, Tensor]]


class Averages:
    """Row-normalised edges of a relation as a sparse matrix, and its transpose."""

    def __init__(self, edges: Edges, sources: int) -> None:
        degrees = edges.degrees
        targets = np.repeat(np.arange(len(degrees)), degrees)
        shares = (1 / np.maximum(degrees, 1))[targets].astype(np.float32)
        order = np.argsort(edges.sources, kind="stable")
        starts = np.searchsorted(edges.sources[order], np.arange(sources + 1))
        self.matrix = _csr(edges.starts, edges.sources, shares, (len(degrees), sources))
        self.transposed = _csr(starts, targets[order], shares[order], (sources, len(degrees)))
        self.is_empty = not len(edges.sources)


class _Average(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, averages: Averages) -> Tensor:
        ctx.averages = averages
        return averages.matrix @ states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.averages.transposed @ gradient.contiguous(), None


def average(averages: Averages, states: Tensor) -> Tensor:
    """The mean state of each target's sources, (targets, d)."""
    return cast(Tensor, _Average.apply(states, averages))  # type: ignore[no-untyped-call]


class GraphConvolutions(nn.Module):
    """See `search.engine.composed.rgcn`: the same names, the same sums."""

    def __init__(self, widths: Mapping[str, int], *, layers: int = LAYERS, units: int = UNITS) -> None:
        super().__init__()
        self.inputs = nn.ModuleDict({kind: nn.Linear(widths[kind], units) for kind in NODE_TYPES})
        self.layers = nn.ModuleList(_Layer(units) for _ in range(layers))

    def embed(
        self, means: Mapping[str, Mapping[Relation, Averages]], features: Mapping[str, Tensor]
    ) -> TorchStates:
        """States by layer and type; ``means`` are the relations that lead to each type."""
        states: TorchStates = [{kind: self.inputs[kind](features[kind]) for kind in NODE_TYPES}]
        for number in range(len(self.layers)):
            states.append(
                {
                    kind: self._convolve(number, kind, states[-1][kind], means[kind], states[-1])
                    for kind in NODE_TYPES
                }
            )
        return states

    def embed_asked(
        self, features: Tensor, means: Mapping[Relation, Averages], states: TorchStates
    ) -> Tensor:
        """The embeddings of captions with incoming edges only, (q, units)."""
        own: Tensor = self.inputs[CAPTION](features)
        for number in range(len(self.layers)):
            own = self._convolve(number, CAPTION, own, means, states[number])
        return own

    def _convolve(
        self,
        number: int,
        kind: str,
        own: Tensor,
        means: Mapping[Relation, Averages],
        states: dict[str, Tensor],
    ) -> Tensor:
        layer = cast(_Layer, self.layers[number])
        moved: Tensor = layer.own[kind](own)
        for relation, averages in means.items():
            if not averages.is_empty:
                heard = average(averages, states[relation.source])
                moved = moved + layer.relations[relation.name](heard)
        return moved if number == len(self.layers) - 1 else moved.relu()


class _Layer(nn.Module):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.own = nn.ModuleDict({kind: nn.Linear(units, units) for kind in NODE_TYPES})
        self.relations = nn.ModuleDict(
            {relation.name: nn.Linear(units, units, bias=False) for relation in RELATIONS}
        )


class GraphModule(nn.Module):
    """Convolutions, ComposeAE upon them, and the length that each objective gives its vectors."""

    def __init__(self, widths: Mapping[str, int], *, layers: int = LAYERS, units: int = UNITS) -> None:
        super().__init__()
        self.convolutions = GraphConvolutions(widths, layers=layers, units=units)
        self.composition = ComposeAE(units, units, units)
        self.lengths = nn.Parameter(torch.full((2,), LENGTH))

    def losses(
        self,
        images: Tensor,
        captions: Tensor,
        references: Tensor,
        targets: Tensor,
        columns: Tensor,
        places: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Of links, and of compositions.

        From embeddings of all images (n, u) and of a batch of captions (b, u); ``columns`` (c,) are the
        images to rank among, ``places`` (b,) where the targets stand in them. No reference is an answer.
        """
        candidates, own = images[columns], columns[None, :] == references[:, None]
        composed = self.composition(images[references], captions)

        def miss(queries: Tensor, length: Tensor) -> Tensor:
            logits = self._score(queries, candidates, length).masked_fill(own, -torch.inf)
            return functional.cross_entropy(logits, places)

        def rank(queries: Tensor, sources: Tensor) -> Tensor:
            logits = self._score(queries, sources, self.lengths[1])
            return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))

        turned = miss(composed, self.lengths[1])
        extra = self.composition.own_loss(images[references], captions, images[targets], rank)
        return miss(captions, self.lengths[0]), turned + extra

    def queries(self, images: Tensor, captions: Tensor, references: Tensor) -> Tensor:
        """(b, units), as `GraphRetriever.query`."""
        composed = functional.normalize(self.composition(images[references], captions), dim=1)
        linked, turned = self.lengths.square()
        return cast(Tensor, linked * functional.normalize(captions, dim=1) + turned * composed)

    def _score(self, queries: Tensor, candidates: Tensor, length: Tensor) -> Tensor:
        alike: Tensor = functional.normalize(queries, dim=1) @ functional.normalize(candidates, dim=1).T
        return alike * length**2


def average_graph(graph: Graph) -> dict[str, dict[Relation, Averages]]:
    """The relations that lead to each type of node, ready to be averaged over."""
    return {
        kind: {
            relation: Averages(edges, graph.counts[relation.source])
            for relation, edges in edges_to(graph, kind).items()
        }
        for kind in NODE_TYPES
    }


def read_graph_module(module: GraphModule) -> GraphRetriever:
    """What a trained module holds, for numpy."""

    def arrays(part: nn.Module) -> dict[str, Any]:
        return {
            name: tensor.detach().cpu().float().numpy().copy() for name, tensor in part.state_dict().items()
        }

    composition = {
        name: array for name, array in arrays(module.composition).items() if not name.startswith("decode")
    }
    lengths = module.lengths.detach().cpu().square().numpy().copy()
    layers = len(module.convolutions.layers)
    return GraphRetriever(GraphNetwork(arrays(module.convolutions), layers), composition, lengths)


def _csr(starts: Any, places: Any, values: Any, shape: tuple[int, int]) -> Tensor:
    crow, columns, shares = (
        torch.from_numpy(np.ascontiguousarray(part)) for part in (starts, places, values)
    )
    return torch.sparse_csr_tensor(crow, columns, shares, size=shape, check_invariants=False)
