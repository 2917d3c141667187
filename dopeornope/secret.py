"""The signing key: given by the operator, or made at the first embedded start and kept in a file."""

import contextlib
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 32


def read_or_make_secret(given: str, file: Path) -> str:
    """The key to sign with.

    Raises ``ImproperlyConfigured`` when the key is too short. Service mode never comes here without one.
    """
    if given:
        if len(given) < SHORTEST:
            raise ImproperlyConfigured(
                f"DOPEORNOPE_SECRET_KEY is too short: it must have at least {SHORTEST} characters."
            )
        return given
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        # Linked into place whole: a process that starts beside this one never reads half a key.
        draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return _read(file)


def _read(file: Path) -> str:
    key = file.read_text().strip()
    if len(key) < SHORTEST:
        raise ImproperlyConfigured(
            f"{file} holds no usable key: delete it, and a new one is made (open sittings end)."
        )
    return key
