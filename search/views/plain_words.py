"""What is said of an answer to who may not be told which engine gave it: page and API say the same."""

from __future__ import annotations

from typing import Final

from search.selectors.searches import Answer, SearchRefused, Waiting

WORKER: Final = "A worker looks at your photo, which takes a moment."
WORKER_LATE: Final = "The workers are busy with something long, or away. Go on asking."
OTHER_ENGINE: Final = (
    "What usually answers was damaged on the disk and is being built again; another answers meanwhile."
)
# By the code of a refusal whose own words would name an engine.
REFUSALS: Final = {
    "worker-failed": "Your photo could not be looked at. Try again in a minute, or take another one.",
    "refuses-photos": "Nothing built for this catalogue can look at a photo. Search from one of its items.",
    "no-such-item": "There is no such item, or nothing that could search from it.",
}


def say_waiting(waiting: Waiting, *, is_told: bool) -> str:
    """What there is to wait for; ``is_told``: whether engines may be named."""
    if is_told:
        return waiting.words
    return WORKER_LATE if waiting.is_late else WORKER


def say_refusal(refused: SearchRefused, *, is_told: bool) -> str:
    """Why there is no answer, and what helps."""
    return str(refused) if is_told else REFUSALS.get(refused.code, str(refused))


def say_note(answer: Answer, *, is_told: bool) -> str:
    """Why another engine answered than was to be asked; mostly blank."""
    return answer.note if is_told or not answer.note else OTHER_ENGINE
