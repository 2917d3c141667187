"""What results depend on besides data and versions: the code itself, as far as some modules reach."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLLOWED = "search.engine"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def hash_sources(modules: Sequence[str], *, root: Path = _ROOT) -> str:
    """The sha256 of what these modules do, and all modules of the engine that they import, step by step.

    Comments, docstrings and layout change nothing. Raises FileNotFoundError for a module that there is not.
    """
    trees: dict[str, ast.Module] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in trees:
            trees[name] = _parse(_file_of(name, root))
            waiting += [found for found in _list_imports(trees[name]) if _is_module(found, root)]
    digest = hashlib.sha256()
    for name, tree in sorted(trees.items()):
        digest.update(f"{name}\n{ast.dump(tree)}\n".encode())
    return digest.hexdigest()


@lru_cache
def hash_own_sources(*modules: str) -> str:
    """`hash_sources` of the running installation, whose files are read once."""
    return hash_sources(modules)


def _file_of(name: str, root: Path) -> Path:
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_module(name: str, root: Path) -> bool:
    return name.startswith(f"{_FOLLOWED}.") and _file_of(name, root).exists()


def _parse(file: Path) -> ast.Module:
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return tree


def _list_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)  # some are modules
