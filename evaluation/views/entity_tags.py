"""For answers that change with the board: who has the newest is told so, and nothing else is read."""

from django.http import HttpRequest

from evaluation.selectors.board import read_revision


def tag_revision(request: HttpRequest, **parts: object) -> str:
    """Changes with the board, and with the address: the whole of what such an answer depends on.

    A ranking that is made bumps no revision, so its figures are as fresh as the page that they came with.
    """
    return f'W/"{read_revision()}?{request.get_full_path()}"'
