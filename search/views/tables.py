"""Tables in the answer to a request: small ones whole, large ones piece by piece."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from search.selectors.table_files import FORMATS, Table


class StreamedTable(StreamingHttpResponse):
    """An answer whose pieces are made in the thread for synchronous code, one when the one before is sent.

    Django would put them all together first. Between two pieces that thread serves others.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
            if piece:
                yield piece


def answer_table(table: Table, *, name: str, suffix: str) -> HttpResponse:
    """A small table as a file ``name.suffix``; its suffix, one of `FORMATS`, says how it is written."""
    format = FORMATS[suffix]
    answer = HttpResponse(b"".join(format.write(table)), content_type=format.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return answer


def stream_table(request: HttpRequest, table: Table, *, name: str, suffix: str) -> StreamedTable:
    """A table of any length as such a file; pieces are read while it is sent, and none for a HEAD."""
    format = FORMATS[suffix]
    pieces = () if request.method == "HEAD" else format.write(table)
    answer = StreamedTable(pieces, content_type=format.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return answer
