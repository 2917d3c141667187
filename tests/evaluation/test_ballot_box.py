"""The writer: what meets shares a transaction, and nobody suffers for another's failure."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connection, connections

from evaluation.services.ballot_box import MOST_WAITING, BallotBox, BoxFull
from search.models import Revision
from tests.evaluation.callers import Callers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def callers() -> Iterator[Callers]:
    with Callers() as callers:
        yield callers


class Gate:
    """Holds the writer until everything has been asked for."""

    def __init__(self, callers: Callers) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.waiting = callers.ask(self._wait, None)
        assert self.reached.wait(10)

    def _wait(self, payloads: Sequence[None]) -> Sequence[None]:
        self.reached.set()
        assert self.opened.wait(10)
        return payloads


def _write_topics(topics: Sequence[str]) -> Sequence[str]:
    Revision.objects.bulk_create(Revision(topic=topic) for topic in topics)
    return [f"{topic} of {len(topics)}" for topic in topics]


def _list_topics() -> list[str]:
    """What another connection sees."""
    try:
        return list(Revision.objects.values_list("topic", flat=True))
    finally:
        connection.close()


def test_what_waits_together_is_written_together_and_answered_in_order(callers: Callers) -> None:
    gate = Gate(callers)
    waiting = [callers.ask(_write_topics, f"t{number}") for number in range(20)]
    gate.opened.set()
    assert [one.result(10) for one in waiting] == [f"t{number} of 20" for number in range(20)]
    assert Revision.objects.count() == 20


def test_what_takes_the_turn_is_written_after_the_rest_in_a_transaction_of_its_own(callers: Callers) -> None:
    def list_committed(payloads: Sequence[None]) -> Sequence[list[str]]:
        with ThreadPoolExecutor() as pool:
            return [pool.submit(_list_topics).result(10) for _ in payloads]

    gate = Gate(callers)
    seen = callers.ask(list_committed, None, takes_turn=True)
    written = callers.ask(_write_topics, "dealt")
    gate.opened.set()
    assert written.result(10) == "dealt of 1"
    assert seen.result(10) == ["dealt"]


def test_one_that_cannot_be_written_fails_alone(callers: Callers) -> None:
    Revision.objects.create(topic="taken")
    gate = Gate(callers)
    waiting = {topic: callers.ask(_write_topics, topic) for topic in ("a", "taken", "b")}
    gate.opened.set()
    assert waiting["a"].result(10) == "a of 1"
    assert waiting["b"].result(10) == "b of 1"
    with pytest.raises(IntegrityError):
        waiting["taken"].result(10)
    assert set(Revision.objects.values_list("topic", flat=True)) == {"a", "taken", "b"}


def test_an_exception_given_as_an_answer_reaches_its_caller_and_undoes_nothing(callers: Callers) -> None:
    def write_and_refuse(topics: Sequence[str]) -> Sequence[str | Exception]:
        _write_topics(topics)
        return [LookupError(topic) for topic in topics]

    with pytest.raises(LookupError):
        callers.ask(write_and_refuse, "kept").result(10)
    assert Revision.objects.filter(topic="kept").exists()


def test_a_caller_that_gave_up_does_not_stop_the_writer(callers: Callers) -> None:
    gate = Gate(callers)
    given_up = callers.ask(_write_topics, "unheard")
    assert given_up.cancel()
    after = callers.ask(_write_topics, "after")
    gate.opened.set()
    assert after.result(10) == "after of 2"
    assert Revision.objects.filter(topic="unheard").exists()


def test_too_much_waiting_is_refused_at_once(callers: Callers) -> None:
    gate = Gate(callers)
    waiting = [callers.ask(_write_topics, f"t{number}") for number in range(MOST_WAITING)]
    with pytest.raises(BoxFull):
        callers.ask(_write_topics, "one too many").result(10)
    gate.opened.set()
    for one in waiting:
        one.result(60)
    assert Revision.objects.count() == MOST_WAITING


def test_closing_finishes_what_waits(callers: Callers) -> None:
    gate = Gate(callers)
    waiting = [callers.ask(_write_topics, f"t{number}") for number in range(5)]
    gate.opened.set()
    callers.box.close()
    assert Revision.objects.count() == 5
    assert [one.result(10) for one in waiting] == [f"t{number} of 5" for number in range(5)]


def test_the_writer_recovers_from_a_lost_connection(callers: Callers) -> None:
    def lose(payloads: Sequence[None]) -> Sequence[None]:
        connection.connection.close()  # as a restarted server does
        return payloads

    callers.ask(lose, None).exception(10)
    assert callers.ask(_write_topics, "next").result(10) == "next of 1"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a setting of PostgreSQL")
def test_rows_are_looked_up_by_key_also_where_the_first_transaction_failed(callers: Callers) -> None:
    def fail(payloads: Sequence[None]) -> Sequence[None]:
        raise LookupError

    def read_setting(payloads: Sequence[str]) -> Sequence[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('enable_seqscan')")
            return cursor.fetchone() * len(payloads)

    assert isinstance(callers.ask(fail, None).exception(10), LookupError)
    assert callers.ask(read_setting, None).result(10) == "off"


def test_closed_it_writes_where_it_is_called_from() -> None:
    async def write() -> str:
        answer = await BallotBox().submit(_write_topics, "here")
        await sync_to_async(connections.close_all)()  # those of the thread that wrote
        return answer

    assert asyncio.run(write()) == "here of 1"
    assert Revision.objects.filter(topic="here").exists()
