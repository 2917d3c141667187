"""What can be wrong with the server of vectors; each with a sentence for people."""

from search.engine.errors import EngineError


class VectorsAway(EngineError):
    """The server does not answer, or not in time."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("The server of vectors does not answer.")
        self.retry_after_s = retry_after_s


class NotLoaded(EngineError):
    """A build that is not on the server, or not any more."""


class ServerUnfit(EngineError):
    """A server on which no vectors can be kept, or not these; the sentence names the remedy."""
