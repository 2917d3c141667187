"""The writer: what meets shares a transaction, and nobody suffers for another's failure."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connection, connections

from evaluation.services.ballot_box import MOST_WAITING, BallotBox, BoxFull
from search.models import Revision

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def box() -> Iterator[BallotBox]:
    box = BallotBox()
    box.open()
    yield box
    box.close()


class Gate:
    """Holds the writer until everything has been posted."""

    def __init__(self, box: BallotBox) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.waiting = box.post(self._wait, None)
        assert self.reached.wait(10)

    def _wait(self, payloads: Sequence[None]) -> Sequence[None]:
        self.reached.set()
        assert self.opened.wait(10)
        return payloads


def _write_topics(topics: Sequence[str]) -> Sequence[str]:
    Revision.objects.bulk_create(Revision(topic=topic) for topic in topics)
    return [f"{topic} of {len(topics)}" for topic in topics]


def test_what_waits_together_is_written_together_and_answered_in_order(box: BallotBox) -> None:
    gate = Gate(box)
    waiting = [box.post(_write_topics, f"t{number}") for number in range(20)]
    gate.opened.set()
    assert [one.result(10) for one in waiting] == [f"t{number} of 20" for number in range(20)]
    assert Revision.objects.count() == 20


def test_one_that_cannot_be_written_fails_alone(box: BallotBox) -> None:
    Revision.objects.create(topic="taken")
    gate = Gate(box)
    waiting = {topic: box.post(_write_topics, topic) for topic in ("a", "taken", "b")}
    gate.opened.set()
    assert waiting["a"].result(10) == "a of 1"
    assert waiting["b"].result(10) == "b of 1"
    with pytest.raises(IntegrityError):
        waiting["taken"].result(10)
    assert set(Revision.objects.values_list("topic", flat=True)) == {"a", "taken", "b"}


def test_an_exception_given_as_an_answer_reaches_its_caller_and_undoes_nothing(box: BallotBox) -> None:
    def write_and_refuse(topics: Sequence[str]) -> Sequence[str | Exception]:
        _write_topics(topics)
        return [LookupError(topic) for topic in topics]

    with pytest.raises(LookupError):
        box.post(write_and_refuse, "kept").result(10)
    assert Revision.objects.filter(topic="kept").exists()


def test_a_caller_that_gave_up_does_not_stop_the_writer(box: BallotBox) -> None:
    gate = Gate(box)
    given_up = box.post(_write_topics, "unheard")
    assert given_up.cancel()
    after = box.post(_write_topics, "after")
    gate.opened.set()
    assert after.result(10) == "after of 2"
    assert Revision.objects.filter(topic="unheard").exists()


def test_too_much_waiting_is_refused_at_once(box: BallotBox) -> None:
    gate = Gate(box)
    waiting = [box.post(_write_topics, f"t{number}") for number in range(MOST_WAITING)]
    with pytest.raises(BoxFull):
        box.post(_write_topics, "one too many")
    gate.opened.set()
    for one in waiting:
        one.result(60)
    assert Revision.objects.count() == MOST_WAITING


def test_closing_finishes_what_waits() -> None:
    box = BallotBox()
    box.open()
    gate = Gate(box)
    waiting = [box.post(_write_topics, f"t{number}") for number in range(5)]
    gate.opened.set()
    box.close()
    assert all(one.done() for one in waiting)
    assert Revision.objects.count() == 5


def test_the_writer_recovers_from_a_lost_connection(box: BallotBox) -> None:
    def lose(payloads: Sequence[None]) -> Sequence[None]:
        connection.connection.close()  # as a restarted server does
        return payloads

    box.post(lose, None).exception(10)
    assert box.post(_write_topics, "next").result(10) == "next of 1"


def test_closed_it_writes_where_it_is_called_from() -> None:
    async def write() -> str:
        answer = await BallotBox().submit(_write_topics, "here")
        await sync_to_async(connections.close_all)()  # those of the thread that wrote
        return answer

    assert asyncio.run(write()) == "here of 1"
    assert Revision.objects.filter(topic="here").exists()
