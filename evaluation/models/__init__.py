from evaluation.models.contenders import Contender, Credit, Pair
from evaluation.models.players import Invitation, Player, Role
from evaluation.models.votes import Answer, Deal, Modality, RaterTally, Retraction, Round, Side, Tally, Vote

__all__ = [
    "Answer",
    "Contender",
    "Credit",
    "Deal",
    "Invitation",
    "Modality",
    "Pair",
    "Player",
    "RaterTally",
    "Retraction",
    "Role",
    "Round",
    "Side",
    "Tally",
    "Vote",
]
