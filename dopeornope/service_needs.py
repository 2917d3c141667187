"""What service mode cannot do without: servers that all its processes share, and a key they all know."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.core.exceptions import ImproperlyConfigured

# Variable: what the embedded mode has instead, what service mode needs, and how that is written.
NEEDS: Final = {
    "SECRET_KEY": (None, "a key that all processes share", "$(openssl rand -base64 48)"),
    "DATABASE": ("sqlite", "PostgreSQL", "postgresql://dopeornope:PASSWORD@127.0.0.1:5432/dopeornope"),
    "BROKER": ("filesystem", "RabbitMQ or Redis", "amqp://dopeornope:PASSWORD@127.0.0.1:5672/dopeornope"),
    "CHANNEL_LAYER": ("memory", "Redis", "redis://127.0.0.1:6379/1"),
}


def refuse_unshared(given: Mapping[str, str]) -> None:
    """Raise ``ImproperlyConfigured`` naming every variable that is missing, or that names nothing shared.

    SQLite and the broker's folder serve one machine, the memory layer one process. Even where the first two
    could be shared by a few processes, a second machine would silently play a game of its own.
    """
    wanting = [name for name, (alone, _, _) in NEEDS.items() if _is_alone(given.get(name, ""), alone)]
    if wanting:
        names = ", ".join(f"DOPEORNOPE_{name}" for name in wanting)
        raise ImproperlyConfigured(
            f"Service mode runs several processes, so it also needs {names}:\n{describe_needs(wanting)}"
        )


def describe_needs(names: Iterable[str] = tuple(NEEDS)) -> str:
    """Examples of these variables, one a line, and the way round them all."""
    lines = ["  DOPEORNOPE_MODE=service"]
    lines += [f"  DOPEORNOPE_{name}={NEEDS[name][2]}   # {NEEDS[name][1]}" for name in names]
    return "\n".join([*lines, "One machine without servers is played with: make play"])


def _is_alone(value: str, alone: str | None) -> bool:
    return not value or (alone is not None and value.split(":")[0] == alone)
