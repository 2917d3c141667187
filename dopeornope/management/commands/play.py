"""`manage.py play`: from nothing, or from a folder of photos, to the running game, in one command."""

import contextlib
import http.client
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from dopeornope import embedded
from dopeornope.addresses import EVERYWHERE, in_address, list_hosts
from dopeornope.first_steps import has_operator, invite_operator, is_playable, request_game
from dopeornope.job_board import JobBoard
from dopeornope.supervisor import Supervisor
from search.catalogues.rows import CatalogueUnreadable
from search.models import Catalogue
from search.services.sweeping import free_lost_jobs

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Start the whole game: web, workers and sweeper, with the demo catalogue or one of your own."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--catalogue",
            type=lambda text: Path(text).expanduser(),
            metavar="PATH",
            help="a folder of images, or a table or zip",
        )
        parser.add_argument("--category", default="", metavar="COLUMN", help="what kind of thing an item is")
        parser.add_argument(
            "--group", default="", metavar="COLUMN", help="rows with one value stand on one side of the split"
        )
        parser.add_argument("--items", type=int, metavar="N", help="at most so many")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE != "embedded":
            raise CommandError("`play` is the embedded mode: unset DOPEORNOPE_MODE, or set it to embedded.")
        stopped = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            stopped.set()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        try:
            with (
                embedded.lock_home(settings.HOME),
                embedded.listen(options["host"], options["port"]) as listener,
            ):
                embedded.check_disk(settings.HOME)
                children = embedded.list_children(listener, host=options["host"])
                self._play(Game(options), Supervisor(children), stopped)
        except (embedded.NotPlayable, CatalogueUnreadable) as error:
            raise CommandError(str(error)) from error

    def _play(self, game: "Game", supervisor: Supervisor, stopped: threading.Event) -> None:
        console = Console()
        console.print("Dope or Nope is getting ready. Ctrl-C stops everything.")
        embedded.prepare_database()
        # Nobody else works in HOME: what stands as running was interrupted, and nobody's fault.
        free_lost_jobs(now=timezone.now(), own_workers=True, counted=False)
        embedded.collect_static()
        game.begin()
        supervisor.start()
        try:
            with JobBoard(console) as board:
                while not stopped.wait(LOOK_SECONDS):
                    for name in supervisor.mend():
                        log = settings.LOG_FOLDER / f"{name}.log"
                        board.say(f"[yellow]The process “{name}” ended and is started again; see {log}[/]")
                    board.look()
                    game.announce(board)
        finally:
            console.print("Stopping.")
            supervisor.stop()
            free_lost_jobs(now=timezone.now(), own_workers=True, counted=False)


class Game:
    """What this start plays, and whether that has been said."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._catalogue: Catalogue | None = None
        self._announced = False
        host = options["host"]
        self.address = f"http://{in_address(list_hosts(host)[0])}:{options['port']}"
        self._asked = EVERYWHERE.get(host, host)

    def begin(self) -> None:
        """Ask for what has to be done. Raises ``CatalogueUnreadable``."""
        names = ("category", "group", "items")
        self._catalogue = request_game(
            path=self._options["catalogue"],
            options={name: self._options[name] for name in names},
            now=timezone.now(),
        )

    def announce(self, board: JobBoard) -> None:
        """Print the address, once, as soon as the first pair can be swiped."""
        if self._announced or self._catalogue is None:
            return
        if not is_playable(self._catalogue) or not self._answers():
            return
        self._announced = True
        board.say(f"\n[bold]Play at {self.address}/[/]  ({self._catalogue.title})")
        board.say(f"Leaderboard: {self.address}/leaderboard/")
        if not has_operator():
            board.say(f"Become its operator: {self.address}{invite_operator(now=timezone.now())}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._asked, self._options["port"], timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/", headers={"Host": "localhost"})
            return connection.getresponse().status < 500
        return False
