from evaluation.models.accounts import SignInFailures
from evaluation.models.contenders import Contender, Credit, DealingStamp, Pair
from evaluation.models.players import Invitation, Player
from evaluation.models.seals import Seal
from evaluation.models.votes import (
    Answer,
    Deal,
    Modality,
    RaterTally,
    Retraction,
    Round,
    Side,
    Spread,
    Tally,
    Vote,
)

__all__ = [
    "Answer",
    "Contender",
    "Credit",
    "Deal",
    "DealingStamp",
    "Invitation",
    "Modality",
    "Pair",
    "Player",
    "RaterTally",
    "Retraction",
    "Round",
    "Seal",
    "Side",
    "SignInFailures",
    "Spread",
    "Tally",
    "Vote",
]
