"""Redis as a broker: kombu's transport, made safe against a Redis that dies before an acknowledgement.

kombu 5.7 counts a message whose acknowledgement could not be sent as one that is still held. A worker that
may hold one message then asks for no other, and because it asks for nothing it never notices that its
connection is gone: it waits for ever, also when Redis is back. Here such a message is let go of: the worker
asks for the next one, finds the connection broken, and Celery opens a new one. What a Redis that survived
delivers again is harmless, because the job's row says that it has ended.
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Holds no message that was acknowledged or rejected in vain."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel
