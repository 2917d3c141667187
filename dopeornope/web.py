"""`python -m dopeornope.web SOCKET SECONDS`: a web process on a listening socket that is open already.

uvicorn's own `--fd` takes any socket for a Unix one and so leaves Nagle's algorithm on: on a connection that
is kept, the second half of every answer then waits some 40 ms for the visitor to acknowledge the first.
"""

import socket
import sys

import uvicorn

LARGEST_FRAME = 65_536  # bytes a page may send over its socket; pages send nothing
# Of one web process, open pages included. Who comes after that is told to come back.
MOST_CONNECTIONS = 2000
# After its last answer. The proxy gives a connection up sooner (deploy/nginx/upstream.conf).
KEPT_OPEN_SECONDS = 5


def main(application: str = "dopeornope.asgi:application") -> None:
    """Serve until asked to end; then finish the requests under way, for so many seconds at most."""
    number, finish_seconds = map(int, sys.argv[1:])
    config = uvicorn.Config(
        application,
        proxy_headers=False,  # what a proxy says about a visitor is for the application to judge
        server_header=False,
        access_log=False,
        log_level="warning",
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,  # frames have 50 bytes
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEPT_OPEN_SECONDS,
        timeout_graceful_shutdown=finish_seconds,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=number)])


if __name__ == "__main__":
    main()
