"""The turn to write votes and counts, for whoever is no player."""

from evaluation.models.statements import execute, take_turn


def wait_for_turn() -> None:
    """Take the turn and keep it until the transaction ends; votes wait meanwhile."""
    execute(take_turn())
