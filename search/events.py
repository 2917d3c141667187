"""What `search` tells the rest of the house: revisions of what pages watch, and finished indexes.

The arrow between the apps stays one way: whoever wants to hear registers a callback from ``AppConfig.ready``.
"""

from collections.abc import Callable

from django.db import connection, transaction

from search.announcements import announcer
from search.models import Catalogue, Index

IndexBuilt = Callable[[Index], None]
ItemsChanged = Callable[[Catalogue], None]

_index_built: list[IndexBuilt] = []
_items_changed: list[ItemsChanged] = []


# Raises the revision of a topic, its one parameter: for who has other statements to send along with it.
RAISE = (
    "INSERT INTO search_revision (topic, number) VALUES (%s, 1)"
    " ON CONFLICT (topic) DO UPDATE SET number = search_revision.number + 1"
)


def bump(topic: str) -> None:
    """Raise the revision of ``topic``; call it in the transaction that changes what the topic shows.

    Open pages hear of it after the commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(RAISE, [topic])
    announce_after_commit()


def announce_after_commit() -> None:
    """Have open pages hear of revisions that this transaction raised."""
    transaction.on_commit(announcer.announce, robust=True)


def subscribe_index_built(callback: IndexBuilt) -> None:
    """Have ``callback`` called with every index once it is ready.

    A callback must be idempotent: an index is announced again when a process died before all had heard.
    """
    if callback not in _index_built:
        _index_built.append(callback)


def announce_index_built(index: Index) -> None:
    """Tell all subscribers, one after the other; what one raises ends the announcement and is raised here."""
    for callback in _index_built:
        callback(index)


def subscribe_items_changed(callback: ItemsChanged) -> None:
    """Have ``callback`` called, in the transaction, with a catalogue whose items were removed or put back."""
    if callback not in _items_changed:
        _items_changed.append(callback)


def announce_items_changed(catalogue: Catalogue) -> None:
    """Tell all subscribers, in the transaction that removes items or puts them back."""
    for callback in _items_changed:
        callback(catalogue)
