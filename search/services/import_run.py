"""One pass over a source: what is new or changed is decoded and stored, what stands is left alone."""

import hashlib
from collections.abc import Iterator

from search.catalogues.rows import MAX_KEY, MAX_LABEL, Importer, Rejection, Row
from search.engine.errors import ImageRejected
from search.engine.images import Box
from search.engine.normaliser import Normaliser, Outcome
from search.models import Catalogue
from search.services.item_writer import ItemWriter, Pending
from search.services.job_context import JobContext


def import_rows(context: JobContext, catalogue: Catalogue, importer: Importer) -> ItemWriter:
    """Store every row of the source. Raises what JobContext raises, and DiskFull."""
    run = _Run(context, catalogue, importer)
    with Normaliser() as normaliser:
        for outcome in normaliser.map(run.pictures()):
            run.take(outcome)
            run.report()
    run.writer.flush()
    return run.writer


class _Run:
    def __init__(self, context: JobContext, catalogue: Catalogue, importer: Importer) -> None:
        self._context, self._importer = context, importer
        self.writer = ItemWriter(context, catalogue, importer.aspects())
        # What stood before counts as done from the start, so the time left is judged by new work alone.
        self._stood, self._fresh = len(self.writer.known), 0
        self._total = max(importer.total or 0, self._stood)
        self.report()

    def report(self) -> None:
        rejected = self.writer.tally.rejected.total()
        message = f"{rejected:,} rows rejected" if rejected else ""
        done = self._stood + self._fresh + rejected
        self._context.progress(min(done, self._total), self._total, message)

    def pictures(self) -> Iterator[tuple[tuple[Pending, bool], bytes, Box | None]]:
        """((row, whether this is its second view), bytes, box) of every row that is not stored already."""
        for row in self._importer.prepare(self._wanted()):
            try:
                data = row.image()
                lifestyle = row.lifestyle() if row.lifestyle else None
            except ImageRejected as error:
                self.writer.reject(Rejection(row.number, row.key, error.code, error.message))
                continue
            except OSError as error:
                reason = error.strerror or str(error)
                message = f"Its picture cannot be read: {reason}. Check that it exists and may be read."
                self.writer.reject(Rejection(row.number, row.key, "unreadable", message))
                continue
            source = _source_hash(row, data)
            if not row.fingerprint and self.writer.is_unchanged(row, source):
                self.report()
                continue
            pending = Pending(row, source)
            yield (pending, False), data, row.box
            if lifestyle is not None:
                yield (pending, True), lifestyle, None

    def take(self, outcome: Outcome[tuple[Pending, bool]]) -> None:
        """Store a row when the last of its pictures has come."""
        pending, is_second = outcome.key
        if outcome.rejection is not None:
            if not pending.is_rejected:
                code, message = outcome.rejection.code, outcome.rejection.message
                self.writer.reject(Rejection(pending.row.number, pending.row.key, code, message))
            pending.is_rejected = True
        elif is_second:
            pending.lifestyle = outcome.image
        else:
            pending.image = outcome.image
        is_last = is_second or pending.row.lifestyle is None
        if is_last and not pending.is_rejected:
            self._fresh += pending.row.key not in self.writer.known
            self.writer.accept(pending)

    def _wanted(self) -> Iterator[Row]:
        """Rows that may have to be read, without those that stand and say so without being read."""
        for row in self._importer.rows():
            rejection = row if isinstance(row, Rejection) else self._refusal(row)
            if rejection is not None:
                self.writer.reject(rejection)
                continue
            assert isinstance(row, Row)
            if row.fingerprint and self.writer.is_unchanged(row, _source_hash(row, b"")):
                self.report()
                continue
            yield row

    def _refusal(self, row: Row) -> Rejection | None:
        if not 0 < len(row.key) <= MAX_KEY or "\0" in row.key:
            message = f"Its key must have 1 to {MAX_KEY} characters and no NUL."
            return Rejection(row.number, row.key[:MAX_KEY], "bad-name", message)
        if row.category is not None and len(row.category) > MAX_LABEL:
            message = f"Its category has {len(row.category)} characters; at most {MAX_LABEL} are kept."
            return Rejection(row.number, row.key, "label-too-long", message)
        if not self.writer.announce(row.key):
            message = "An earlier row has the same key. Give each row a key of its own."
            return Rejection(row.number, row.key, "duplicate-key", message)
        return None


def _source_hash(row: Row, data: bytes) -> str:
    """sha256 of the fingerprint, or of the bytes, and of the box that is cut out of them."""
    digest = hashlib.sha256(row.fingerprint.encode() or data)
    if row.box is not None:
        digest.update(repr(row.box).encode())
    return digest.hexdigest()
