"""How a Celery worker listens to the broker: Celery's own way, less what nothing here uses, with a watch.

A worker asks RabbitMQ for jobs a moment before it listens to the connection; a job that comes in that moment
is done there and then. If the broker hangs up meanwhile, Celery 5.7 drops the error, or kombu quietly opens
another connection on which no job is asked for: the worker would wait for ever, also when the broker is back.
Nothing else would notice, because there are no heartbeats (`settings.py`).
"""

import logging
from typing import Any

from amqp.exceptions import RecoverableConnectionError
from celery.bootsteps import StartStopStep
from celery.worker import consumer

log = logging.getLogger(__name__)

BETWEEN_LOOKS_S = 5.0
# Declares 28 queues for tasks that start later, of which there are none: the sweeper looks after times.
_UNUSED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
assert _UNUSED in consumer.Consumer.Blueprint.default_steps, "Celery calls this step otherwise now"


class Watch(StartStopStep):
    """Has the worker connect anew where the connection is gone on which it asked for jobs."""

    requires = (consumer.Tasks,)

    def start(self, c: Any) -> None:
        if c.hub is not None:  # without an event loop every read is one that fails aloud
            # Celery cancels the timers of a connection that it gives up.
            c.timer.call_repeatedly(BETWEEN_LOOKS_S, _look, (c,))


def _look(c: Any) -> None:
    if c.task_consumer.channel.connection is None or not c.connection.connected:
        log.warning("The broker hung up unheard.")  # Celery tells of the error by its class only
        raise RecoverableConnectionError


class Consumer(consumer.Consumer):
    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc,valid-type]  # a class all the same
        default_steps = [
            *(step for step in consumer.Consumer.Blueprint.default_steps if step != _UNUSED),
            Watch,
        ]
