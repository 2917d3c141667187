"""`manage.py play`: from nothing, or from a folder of photos, to the running game, in one command."""

from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from dopeornope import listening, starting
from dopeornope.addresses import show_address
from dopeornope.children import sweeper_child, web_child, worker_child
from dopeornope.first_steps import has_operator, invite_operator, is_playable, request_game
from dopeornope.job_board import JobBoard
from dopeornope.shared_counts import forget_counts
from dopeornope.supervisor import LOOK_SECONDS, Supervisor, catch_stop
from evaluation.services.site_address import note_address
from search.catalogues.rows import CatalogueUnreadable
from search.models import Catalogue
from search.selectors.clock import read_clock
from search.services.sweeping import free_lost_jobs

FINISH_SECONDS = 3
GRACE_SECONDS = 5.0


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
        stopped = catch_stop()
        host, port = options["host"], options["port"]
        try:
            with (
                starting.lock_home(settings.HOME),
                listening.listen(host, port, command="play") as listener,
            ):
                starting.check_disk(settings.HOME)
                children = [
                    web_child("web", listener, host=host, finish_seconds=FINISH_SECONDS),
                    worker_child("io", "io"),
                    worker_child("ml", "ml"),
                    sweeper_child("sweeper"),
                ]
                self._play(Game(options), Supervisor(children), stopped)
        except (starting.CannotStart, CatalogueUnreadable) as error:
            raise CommandError(str(error)) from error

    def _play(self, game: "Game", supervisor: Supervisor, stopped: Event) -> None:
        console = Console()
        console.print("Dope or Nope is getting ready. Ctrl-C stops everything.")
        starting.prepare_database()
        # Nobody else works in HOME: what stands as running was interrupted, and nobody's fault.
        free_lost_jobs(now=read_clock(), own_workers=True, counted=False)
        starting.collect_static()
        forget_counts(settings.HOME)
        game.begin()
        note_address(game.address)
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
            supervisor.stop(grace_seconds=GRACE_SECONDS)
            free_lost_jobs(now=read_clock(), own_workers=True, counted=False)


class Game:
    """What this start plays, and whether that has been said."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._catalogue: Catalogue | None = None
        self._announced = False
        self.address = show_address(options["host"], options["port"])

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
        if not is_playable(self._catalogue):
            return
        if not listening.answers(self._options["host"], self._options["port"]):
            return
        self._announced = True
        board.say(f"\n[bold]Play at {self.address}/[/]  ({self._catalogue.title})")
        board.say(f"Leaderboard: {self.address}/leaderboard/")
        if not has_operator():
            board.say(f"Become its operator: {self.address}{invite_operator(now=timezone.now())}")
