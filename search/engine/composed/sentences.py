"""Vectors of sentences, in numpy: hashed pieces of words, and two layers that training chose.

A sentence is the set of its words, of its pairs of neighbouring words (so that "no red" is not "red") and of
three-letter pieces of words (so that "sleeved" is near "sleeve"); each is hashed to a row of a table. This is
fastText's bag of n-grams (Bojanowski et al., "Enriching Word Vectors with Subword Information", TACL 2017).
`search.engine.training.composed_sentences` teaches it to tell the change that a caption asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.arrays import read_arrays, write_arrays
from search.engine.composed.tokens import tokenise
from search.engine.errors import ArtifactDamaged

Vectors = NDArray[np.float32]

BUCKETS = 1 << 13
HIDDEN = 96
WIDTH = 128
_PIECE = 3
_ARRAYS = ("table", "weights", "biases")


class SentenceEncoder(Protocol):
    """Turns sentences into vectors of length one."""

    @property
    def width(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, width); equal texts have equal vectors."""
        ...


@dataclass(frozen=True, eq=False)
class HashedSentences:
    """``table`` (buckets, hidden), then ``weights`` (width, hidden) and ``biases`` (width,)."""

    table: Vectors
    weights: Vectors
    biases: Vectors

    @property
    def width(self) -> int:
        """See `SentenceEncoder`."""
        return len(self.biases)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `SentenceEncoder`."""
        hidden = np.zeros((len(texts), self.table.shape[1]), np.float32)
        for row, text in enumerate(texts):
            if len(buckets := hash_pieces(text, len(self.table))):
                hidden[row] = self.table[buckets].sum(axis=0) / np.sqrt(np.float32(len(buckets)))
        vectors = np.tanh(hidden) @ self.weights.T + self.biases
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def hash_pieces(text: str, buckets: int = BUCKETS) -> NDArray[np.int64]:
    """The buckets of a sentence's words, pairs of words and pieces of words; the same on every machine."""
    words = [token.word for token in tokenise(text)]
    pieces = [f"word {word}" for word in words]
    pieces += [f"pair {one} {other}" for one, other in zip(["", *words], [*words, ""], strict=True)]
    for word in words:
        framed = f"<{word}>"
        pieces += [framed[at : at + _PIECE] for at in range(len(framed) - _PIECE + 1)]
    hashes = [int.from_bytes(blake2b(piece.encode(), digest_size=8).digest(), "big") for piece in pieces]
    return np.array([number % buckets for number in hashes], np.int64) if words else np.empty(0, np.int64)


def draw_sentences(
    seed: int, *, buckets: int = BUCKETS, hidden: int = HIDDEN, width: int = WIDTH
) -> HashedSentences:
    """An encoder that has learned nothing: sentences that share pieces are near each other."""
    draws = np.random.default_rng(seed)
    return HashedSentences(
        table=draws.normal(0, 0.3, (buckets, hidden)).astype(np.float32),
        weights=draws.normal(0, hidden**-0.5, (width, hidden)).astype(np.float32),
        biases=np.zeros(width, np.float32),
    )


def write_sentences(path: Path, encoder: HashedSentences) -> None:
    """Keep an encoder in a file. Raises DiskFull."""
    write_arrays(path, {name: getattr(encoder, name) for name in _ARRAYS}, {"kind": "hashed-sentences"})


def read_sentences(path: Path) -> HashedSentences:
    """The encoder in a file. Raises ArtifactDamaged, FileNotFoundError."""
    arrays, facts = read_arrays(path)
    if facts.get("kind") != "hashed-sentences" or set(arrays) != set(_ARRAYS):
        raise ArtifactDamaged(f"{path} holds no encoder of sentences. Train it again.")
    return HashedSentences(*(arrays[name] for name in _ARRAYS))


# Encoders by name: each is made from the file that holds its weights.
SENTENCE_ENCODERS: Mapping[str, Callable[[Path], SentenceEncoder]] = {"hashed": read_sentences}
