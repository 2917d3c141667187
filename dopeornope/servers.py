"""Whether the servers that service mode needs answer, and what to do about one that does not.

Asked at a start (`check_servers`), and for `/health/ready` (dopeornope/readiness.py).
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from dopeornope.celery import app
from dopeornope.service_needs import NEEDS
from dopeornope.starting import CannotStart

PATIENCE_SECONDS = 5


def check_servers() -> None:
    """Raises ``CannotStart`` naming every server that does not answer, its reason and the remedy."""
    asked: dict[str, tuple[str, Callable[[], None]]] = {
        "DATABASE": (_database_address(), ask_database),
        "BROKER": (settings.CELERY_BROKER_URL, partial(ask_broker, within_s=PATIENCE_SECONDS)),
        "CHANNEL_LAYER": (_layer_address(), partial(ask_channel_layer, within_s=PATIENCE_SECONDS)),
    }
    silent = []
    for name, (address, ask) in asked.items():
        try:
            ask()
        except Exception as error:  # every client library has exceptions of its own, and all mean the same
            silent.append(_complain(name, address, error))
    if silent:
        raise CannotStart("\n".join(silent))


def ask_database() -> None:
    """Raises what Django raises where the database does not answer; the connection is closed again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def ask_broker(*, within_s: int) -> None:
    """Raises ``kombu.exceptions.OperationalError`` where the broker does not answer."""
    with app.connection_for_write(connect_timeout=within_s) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=within_s)


def ask_channel_layer(*, within_s: int) -> None:
    """Raises ``redis.RedisError`` where the layer's Redis does not answer. Not for the layer in memory."""
    address = _layer_address()
    with redis.Redis.from_url(address, socket_connect_timeout=within_s, socket_timeout=within_s) as layer:
        layer.ping()


def _database_address() -> str:
    database = settings.DATABASES["default"]
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgresql://{database['HOST']}{port}/{database['NAME']}"


def _layer_address() -> str:
    layer: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
    return str(layer["CONFIG"]["hosts"][0]["address"])


def _complain(name: str, address: str, error: Exception) -> str:
    """One paragraph; passwords stay out of it."""
    _, what, example = NEEDS[name]
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, DatabaseError) and "does not exist" in reason:
        remedy = f"Make it with: createdb {parts.path.strip('/')}"
    else:
        remedy = f"Start it, or name one that answers: DOPEORNOPE_{name}={example}"
    return f"{what} does not answer at {parts.scheme}://{host}{parts.path} ({reason}). {remedy}"
