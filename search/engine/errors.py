"""The engine's named errors: every one carries a sentence a person can act on."""


class EngineError(Exception):
    """Base of the engine's errors; `str(error)` is a sentence that may be shown to an operator."""


class ImageRejected(EngineError):
    """A picture that will not be taken in.

    `code` is stable and meant for programs: empty, truncated, too-large, animated-too-large,
    unsupported-format, bad-shape, bad-box, out-of-memory, too-slow, crashed, unreadable.
    `message` says what is wrong and what to do about it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ArtifactDamaged(EngineError):
    """A stored file whose bytes are not the ones that were written; rebuild it."""


class DiskFull(EngineError):
    """A file could not be written because the disk, the quota or the file size limit is exhausted."""


class VectorsRejected(EngineError):
    """Vectors of the wrong shape or type, or with a value that is not a finite number."""


class StoreBusy(EngineError):
    """Another process is writing the same vectors."""


class TripletsRejected(EngineError):
    """A file of triplets that is not as it was published; the sentence names file, line and remedy."""
