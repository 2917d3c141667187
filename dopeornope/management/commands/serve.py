"""`manage.py serve`: service mode on one machine, without containers, against servers that already answer."""

import contextlib
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from dopeornope import listening, starting
from dopeornope.addresses import show_address
from dopeornope.children import sweeper_child, web_child, worker_child
from dopeornope.first_steps import has_operator
from dopeornope.servers import check_servers
from dopeornope.service_needs import describe_needs
from dopeornope.shared_counts import forget_counts
from dopeornope.supervisor import LOOK_SECONDS, Child, Supervisor, catch_stop
from evaluation.services.site_address import note_address
from search.services.sweeping import put_back_jobs

# Together under the 30 seconds that whoever sent TERM waits before it kills.
FINISH_SECONDS = 10
GRACE_SECONDS = 20.0
SWEEPERS = 2  # one works, the other stands by
MOST_PROCESSES = 64


class Command(BaseCommand):
    help = "Run service mode on this machine: web processes, workers and two sweepers, kept running."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--web", type=int, default=2, metavar="N", help="web processes, all on one port")
        parser.add_argument("--io", type=int, default=1, metavar="N", help="workers that import and index")
        parser.add_argument("--ml", type=int, default=1, metavar="N", help="workers that embed and train")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--prepare", action="store_true", help="only bring tables and static files up to date, then end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE != "service":
            raise CommandError(f"`serve` is the service mode. It needs:\n{describe_needs()}")
        for name in ("web", "io", "ml"):
            if not 0 <= options[name] <= MOST_PROCESSES:
                raise CommandError(f"--{name} must be a whole number from 0 to {MOST_PROCESSES}.")
        stopped = catch_stop()
        try:
            check_servers()
            starting.check_disk(settings.HOME)
            with contextlib.ExitStack() as sockets:
                children = [] if options["prepare"] else list_children(sockets, options)
                with starting.one_machine_at_a_time():
                    starting.prepare_database()
                    starting.collect_static()
                forget_counts(settings.HOME)
                if children:
                    self._serve(Supervisor(children), options, stopped)
        except starting.CannotStart as error:
            raise CommandError(str(error)) from error

    def _serve(self, supervisor: Supervisor, options: dict[str, Any], stopped: Event) -> None:
        if options["web"]:
            note_address(show_address(options["host"], options["port"]))
        supervisor.start()
        workers = [child for child in supervisor.children if child.name.startswith(("io-", "ml-"))]
        unannounced = options["web"] > 0
        try:
            while not stopped.wait(LOOK_SECONDS):
                for name in supervisor.mend():
                    log = settings.LOG_FOLDER / f"{name}.log"
                    self.stdout.write(f"The process “{name}” ended and is started again; see {log}")
                if unannounced and listening.answers(options["host"], options["port"]):
                    unannounced = False
                    self._announce(options)
        finally:
            self.stdout.write("Stopping.")
            pids = [child.process.pid for child in workers if child.process is not None]
            supervisor.stop(grace_seconds=GRACE_SECONDS)
            self._put_back(pids)

    def _announce(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"Play at {show_address(options['host'], options['port'])}/")
        if not has_operator():
            self.stdout.write("It has no operator yet: .venv/bin/python manage.py invite operator")

    def _put_back(self, pids: list[int]) -> None:
        try:
            put_back_jobs(pids=pids, now=timezone.now())
        except DatabaseError as error:
            self.stderr.write(f"Jobs stay with their workers until the leases end: {error}")


def list_children(sockets: contextlib.ExitStack, options: dict[str, Any]) -> list[Child]:
    """What runs on this machine; the web processes' sockets are opened into ``sockets``."""
    host = options["host"]
    listeners = []
    if options["web"]:
        listeners = listening.listen_together(host, options["port"], count=options["web"], command="serve")
    webs = [
        web_child(f"web-{n}", sockets.enter_context(listener), host=host, finish_seconds=FINISH_SECONDS)
        for n, listener in enumerate(listeners, 1)
    ]
    workers = [
        worker_child(f"{queue}-{n}", queue) for queue in ("io", "ml") for n in range(1, options[queue] + 1)
    ]
    return [*webs, *workers, *(sweeper_child(f"sweeper-{n}") for n in range(1, SWEEPERS + 1))]
