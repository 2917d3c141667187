"""What Celery is told about each broker: files, RabbitMQ or Redis. They only carry hints."""

from pathlib import Path
from typing import Any, Final

from kombu import Exchange, Queue

# As in `search.models.Queue`, which cannot be imported before the settings are read.
QUEUES: Final = ("io", "ml")
# A hint is worthless after its job was tried three times; RabbitMQ drops what it has delivered this often.
DELIVERY_LIMIT: Final = 5
# After it Redis delivers again what no worker has acknowledged: longer jobs are hinted twice, harmlessly.
VISIBILITY_SECONDS: Final = 3600
# Who hints or acknowledges waits no longer for any answer of a broker that hangs; answers take milliseconds.
PATIENCE_SECONDS: Final = 5.0
# Visitors wait for a web process, and the sweeper sends what it gives up. RabbitMQ's client waits thrice:
# for the answer, and for those to the closing of its channel and of its connection.
WEB_PATIENCE_SECONDS: Final = 0.6


def list_queues(broker: str) -> list[Queue] | None:
    """Quorum queues on RabbitMQ: they outlive a node and count deliveries. Elsewhere a name is enough.

    The exchange is a topic exchange, because Celery complains about any other beside a quorum queue.
    """
    if not broker.startswith("amqp"):
        return None
    exchange = Exchange("dopeornope", type="topic")
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}
    return [Queue(name, exchange, routing_key=name, queue_arguments=arguments) for name in QUEUES]


def patience_of(process: str) -> float:
    """Seconds that this kind of process waits for one answer of a broker."""
    return WEB_PATIENCE_SECONDS if process == "web" else PATIENCE_SECONDS


def list_transport_options(broker: str, *, folder: Path, patience: float) -> dict[str, Any]:
    """For kombu; ``folder`` is where the embedded mode's messages lie, ``patience`` as in `patience_of`."""
    if broker.startswith("filesystem"):
        return {"data_folder_in": str(folder), "data_folder_out": str(folder), "polling_interval": 0.1}
    if broker.startswith("redis"):
        return {
            "visibility_timeout": VISIBILITY_SECONDS,
            "global_keyprefix": "dopeornope:",
            "socket_timeout": patience,
            "socket_connect_timeout": patience,
            "socket_keepalive": True,
        }
    # A hint counts as sent when the queue holds it, not when it has left this machine.
    return {
        "confirm_publish": True,
        "read_timeout": patience,
        "write_timeout": patience,
    }
