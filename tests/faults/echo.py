"""An ASGI application that answers with the headers it was sent, to see what a proxy makes of them."""

import json
from typing import Any

from dopeornope import web


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    said = [[name.decode("latin1"), value.decode("latin1")] for name, value in scope["headers"]]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


if __name__ == "__main__":
    web.main("tests.faults.echo:application")
