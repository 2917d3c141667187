"""Whose a round is, without a player's key being stored."""

import hashlib
import hmac
import uuid


def holder_of(key: uuid.UUID, round_id: str) -> str:
    """What binds a round to a player's key without storing the key."""
    return hashlib.sha256(f"{key.hex}:{round_id}".encode()).hexdigest()


def is_held(key: uuid.UUID, round_id: str, holder: str) -> bool:
    """Whether a round with this holder was opened for this key."""
    return hmac.compare_digest(holder_of(key, round_id), holder)
