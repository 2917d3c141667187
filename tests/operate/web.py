"""Web processes as in production, and a plain way to ask them anything."""

import http.client
from collections.abc import Mapping

from tests.faults.servers import Server


class Web(Server):
    """Answers read whole, headers in lower case; what the processes logged."""

    def ask(
        self, path: str, *, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and text, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body or None, headers=dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read().decode()
        finally:
            connection.close()

    def log(self) -> str:
        return "".join(file.read_text() for file in sorted(self.folder.glob("web-*.log")))
