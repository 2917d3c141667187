"""The turn to write votes and counts, for whoever is no player."""

from django.db import connection

from evaluation.models.statements import take_turn


def wait_for_turn() -> None:
    """Take the turn and keep it until the transaction ends; votes wait meanwhile.

    Not through `execute`: what a connection has run there plans every later query for a few rows.
    """
    turn = take_turn()
    if turn is not None:
        with connection.cursor() as cursor:
            cursor.execute(turn.text, turn.parameters)
