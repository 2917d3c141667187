"""Tells whether a file holds safetensors by its header alone, without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from search.engine.encoders.base import WeightsDamaged

_LENGTH = struct.Struct("<Q")
_MOST_HEADER = 100 << 20  # the format's own limit
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def check_safetensors(path: Path) -> None:
    """Raise WeightsDamaged, with the remedy, for a file that is none, a pickle above all."""
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH.size)
            length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else 0
            header = json.loads(file.read(length)) if 0 < length <= _MOST_HEADER else None
    except OSError as error:
        raise WeightsDamaged(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except (ValueError, RecursionError):
        header = None
    if isinstance(header, dict):
        return
    if start.startswith(_PICKLES):  # so do some lengths of headers: 640 is 80 02 in bytes
        raise WeightsDamaged(
            f"{path} holds a pickle, which could run code when it is read. Convert it to safetensors where "
            "you trust it; 'manage.py download_weights' fetches published weights."
        )
    raise WeightsDamaged(f"{path} is no safetensors file. Give one of the backbone's weights.")
