"""What service mode cannot do without: shared servers and a key. And what it does not start with."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.core.exceptions import ImproperlyConfigured

# Variable: what the embedded mode has instead, what service mode needs, and how that is written.
NEEDS: Final = {
    "SECRET_KEY": (None, "a key that all processes share", "$(openssl rand -base64 48)"),
    "DATABASE": ("sqlite", "PostgreSQL", "postgresql://dopeornope:PASSWORD@127.0.0.1:5432/dopeornope"),
    "BROKER": ("filesystem", "RabbitMQ or Redis", "amqp://dopeornope:PASSWORD@127.0.0.1:5672/dopeornope"),
    "CHANNEL_LAYER": ("memory", "Redis", "redis://127.0.0.1:6379/1"),
}
# Keys that everybody knows: Django's own for beginners, and words of examples, however often repeated.
KNOWN_KEYS: Final = re.compile(
    r"django-insecure-.*|((change[-_ ]?me|secret|password)[-_ ]?)+|(.)\3*", re.IGNORECASE
)


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


def refuse_unsafe(*, key: str, debug: bool, hosts: Collection[str]) -> None:
    """Raise ``ImproperlyConfigured`` naming every variable that would open a public site, and its remedy."""
    remedies = []
    if KNOWN_KEYS.fullmatch(key):
        remedies.append(
            f"DOPEORNOPE_SECRET_KEY is one that anybody can guess: set it to {NEEDS['SECRET_KEY'][2]}"
        )
    if debug:
        remedies.append("DOPEORNOPE_DEBUG=1 shows settings and code to whoever finds an error: remove it")
    if "*" in hosts:
        remedies.append(
            "DOPEORNOPE_HOSTS=* lets a request choose the site's name, also in the links it makes: "
            "list the names under which the site is reached"
        )
    if remedies:
        raise ImproperlyConfigured("Service mode does not start like this:\n  " + "\n  ".join(remedies))


def describe_needs(names: Iterable[str] = tuple(NEEDS)) -> str:
    """Examples of these variables, one a line, and the way round them all."""
    lines = ["  DOPEORNOPE_MODE=service"]
    lines += [f"  DOPEORNOPE_{name}={NEEDS[name][2]}   # {NEEDS[name][1]}" for name in names]
    return "\n".join([*lines, "One machine without servers is played with: make play"])


def _is_alone(value: str, alone: str | None) -> bool:
    return not value or (alone is not None and value.split(":")[0] == alone)
