"""Spaces as an embedding job leaves them."""

from pathlib import Path
from typing import Any

from search.engine.vectors import StoredVectors, VectorStore


def stored(folder: Path, vectors: Any, name: str = "vectors") -> StoredVectors:
    """(n, d) vectors in a file of their own."""
    with VectorStore(folder / name, count=len(vectors), dimensions=vectors.shape[1], facts={}) as store:
        store.write(range(len(vectors)), vectors)
        return store.finish()
