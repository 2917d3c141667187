from evaluation.models.accounts import SignInFailures
from evaluation.models.annotation import (
    Annotation,
    AnnotationKind,
    AnnotationProject,
    AnnotationQuestion,
    AnnotationRetraction,
)
from evaluation.models.contenders import BoardChange, Catch, Contender, Credit, DealingStamp, Pair
from evaluation.models.games import Move, NavigationGame, Puzzle, Slate
from evaluation.models.players import Invitation, Player
from evaluation.models.races import Race, RaceSeat
from evaluation.models.rankings import Ranking
from evaluation.models.retrainings import GoldSet, Learn, Lesson, Promotion, Retraining
from evaluation.models.seals import Seal
from evaluation.models.tastes import SparePair, Taste, TastePair
from evaluation.models.verdicts import Ruling, Verdict
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
    "Annotation",
    "AnnotationKind",
    "AnnotationProject",
    "AnnotationQuestion",
    "AnnotationRetraction",
    "Answer",
    "BoardChange",
    "Catch",
    "Contender",
    "Credit",
    "Deal",
    "DealingStamp",
    "GoldSet",
    "Invitation",
    "Learn",
    "Lesson",
    "Modality",
    "Move",
    "NavigationGame",
    "Pair",
    "Player",
    "Promotion",
    "Puzzle",
    "Race",
    "RaceSeat",
    "Ranking",
    "RaterTally",
    "Retraction",
    "Retraining",
    "Round",
    "Ruling",
    "Seal",
    "Side",
    "SignInFailures",
    "Slate",
    "SparePair",
    "Spread",
    "Tally",
    "Taste",
    "TastePair",
    "Verdict",
    "Vote",
]
