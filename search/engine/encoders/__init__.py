"""Encoders: image -> vector. A registry, and one file per family."""

from search.engine.encoders.base import (
    BadEncoding,
    Device,
    Encoder,
    EncoderError,
    EncoderInfo,
    EncoderUnavailable,
    JointEncoder,
    UnknownEncoder,
    WeightsDamaged,
)
from search.engine.encoders.registry import (
    create_encoder,
    create_joint_encoder,
    find_encoder,
    group_by_network,
    list_encoders,
)

__all__ = [
    "BadEncoding",
    "Device",
    "Encoder",
    "EncoderError",
    "EncoderInfo",
    "EncoderUnavailable",
    "JointEncoder",
    "UnknownEncoder",
    "WeightsDamaged",
    "create_encoder",
    "create_joint_encoder",
    "find_encoder",
    "group_by_network",
    "list_encoders",
]
