"""What each kind of training can be told. Imports no torch: forms read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from search.engine.backbone_names import BACKBONES, LEAST_SIDE
from search.engine.training.typed_settings import BadSetting, Settings, declare

ALL, NONE = "all", "none"  # of a backbone's blocks
SMALL = 2 / 3
UPRIGHT_SIDE = 128  # of pictures in which items are looked for
_FINDING_STEP = 64  # pixels: see `upright`
TRIPLETS, CONTRAST = "triplets", "contrast"
LEAST_REMEMBERED = 8  # slates, before a ranker learns anything
AUTO, OFF, REGIONS, DETECTOR = "auto", "off", "regions", "detector"  # what looks for items in photos
STRENGTHS = ("none", "gentle", "photos", "query")  # see `augmentation`
RETRAIN = "retrain"
DQN, ASPECT_RANKING = "dqn", "aspect-ranking"
MASKS, HEAD = "masks", "head"
LEARN = (MASKS, HEAD, ALL)  # of a network that is taught once more
RATES = {MASKS: "0.02", HEAD: "0.001", ALL: "0.0002"}


@dataclass(frozen=True)
class PictureSettings(Settings):
    """What every training of an encoder can be told."""

    backbone: str = declare("bobbin", "the network below the new layers", choices=BACKBONES)
    side: int = declare(0, "pixels a picture is brought to; 0: as the backbone likes it", low=0, high=1024)
    trainable: str = declare(ALL, f"blocks of the backbone that learn: {ALL}, {NONE} or how many of the last")
    small_share: float = declare(
        0.6, "share of the steps, at the beginning, that see pictures of two thirds the side", low=0, high=1
    )
    augmentation: str = declare("photos", "how pictures are changed while learning", choices=STRENGTHS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trainable not in (ALL, NONE) and not self.trainable.isdecimal():
            raise BadSetting(f"trainable is {ALL}, {NONE} or a number of blocks, not '{self.trainable}'.")
        smallest = round(self.seen_side * self.scale_at(0))
        if self.seen_side and smallest < (least := LEAST_SIDE[self.backbone]):
            raise BadSetting(
                f"side is too small: {self.backbone} sees pictures of {smallest} pixels, and needs {least}. "
                "Set a larger side, or small_share to 0."
            )

    @property
    def framed_side(self) -> int:
        """The side that pictures are framed to; 0: the backbone's own."""
        return self.side

    @property
    def seen_side(self) -> int:
        """The side of what the backbone sees of them; 0: its own."""
        return self.side

    def scale_at(self, step: int) -> float:
        """To what share of their side a step reduces pictures: coarse things are learned first, faster."""
        return SMALL if step < self.small_share * self.steps else 1.0

    def is_warming_up(self, step: int) -> bool:
        """See `Settings`: while pictures are small, judgements see whole ones."""
        return self.scale_at(step) != 1.0


@dataclass(frozen=True)
class TransferSettings(PictureSettings):
    """Datascope: convolutions kept, a new dense layer, softmax over the categories."""

    batch: int = declare(48, "pictures in a batch", low=2, high=65_536)
    hidden: int = declare(4096, "size of the dense layer, which is the embedding", low=8, high=65_536)
    top: int = declare(0, "learn only the so many most common categories; 0: all", low=0, high=100_000)
    smoothing: float = declare(0.1, "label smoothing", low=0, high=0.9)
    dropout: float = declare(0.3, "share of the dense layer left out at random", low=0, high=0.95)


@dataclass(frozen=True)
class SiameseSettings(PictureSettings):
    """Grid Dynamics: lifestyle photos near the catalogue picture of the same item."""

    rate: float = declare(1e-3, "highest learning rate", low=1e-7, high=10)
    dimensions: int = declare(256, "size of the embedding", low=8, high=65_536)
    shallow: bool = declare(False, "a shallow branch for low-level detail beside the deep one")
    margin: float = declare(1.0, "how much farther the negative must be", low=0.01, high=10)
    queries: int = declare(16, "queries in a batch, each with its positive", low=1, high=65_536)
    in_class: int = declare(
        12, "negatives of the same category per query (published: 10 to 15)", low=1, high=1000
    )
    out_of_class: int = declare(
        2, "negatives of other categories per query (published: 1 to 3)", low=0, high=1000
    )
    hard_after: float = declare(
        0.5, "share of the steps after which negatives are mined; 1: never", low=0, high=1
    )
    pool: int = declare(
        100, "nearest items that hard negatives are drawn from (published: 100 to 1000)", low=1, high=1000
    )
    sight: str = declare(
        AUTO,
        "what tells lifestyle photos without their item, to leave them out: a detector, regions by contrast, "
        "or nothing (off); auto: a detector where its weights are there",
        choices=(AUTO, OFF, REGIONS, DETECTOR),
    )
    unlike: float = declare(
        0.5, "share of other items that may be more like a photo's regions than its own", low=0.05, high=1
    )
    augmentation: str = declare("query", "how queries are changed while learning", choices=STRENGTHS)
    loss: str = declare(
        TRIPLETS,
        f"the article's {TRIPLETS}, or {CONTRAST}: each query names its own picture among all of a batch",
        choices=(TRIPLETS, CONTRAST),
    )
    sharpness: float = declare(20.0, f"how surely {CONTRAST} tells near from far", low=1, high=1000)
    upright: bool = declare(False, "find the item first, turn it upright and take the scene away")
    upright_steps: int = declare(3000, "batches in which that is learned", low=1, high=10_000_000)
    upright_batch: int = declare(32, "pictures in such a batch", low=2, high=65_536)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.upright and (self.framed_side < UPRIGHT_SIDE or self.framed_side % _FINDING_STEP):
            raise BadSetting(
                f"side is a multiple of {_FINDING_STEP} from {UPRIGHT_SIDE} where items are turned upright, "
                f"not {self.side}."
            )
        if self.upright and self.trainable == NONE:
            raise BadSetting(
                f"trainable is not {NONE} where items are turned upright: the backbone must learn."
            )

    @property
    def framed_side(self) -> int:
        """See `PictureSettings`."""
        return self.side or (UPRIGHT_SIDE if self.upright else 0)

    @property
    def seen_side(self) -> int:
        """See `PictureSettings`: an upright item fills half the side."""
        return self.framed_side // 2 if self.upright else self.side

    def finding(self) -> FindingSettings:
        """How it is learned where items lie."""
        return FindingSettings(steps=self.upright_steps, batch=self.upright_batch, seed=self.seed)


@dataclass(frozen=True)
class FindingSettings(Settings):
    """Where items lie in pictures and how they are turned; a part of other trainings."""

    rate: float = declare(2e-3, "highest learning rate", low=1e-7, high=10)
    patience: int = declare(0, "judgements without gain before training stops; 0: never", low=0, high=1000)
    batch: int = declare(32, "composites in a batch", low=2, high=65_536)


@dataclass(frozen=True)
class CsnSettings(PictureSettings):
    """eBay: one embedding, one mask of its dimensions per aspect; every change can be switched off."""

    dimensions: int = declare(64, "size of the embedding", low=8, high=4096)
    items: int = declare(
        48,
        "items in a batch, among which triplets are drawn; where those are read from files, at most so many",
        low=3,
        high=65_536,
    )
    triplets: int = declare(1000, "triplets per aspect and step", low=1, high=65_536)
    margin: float = declare(0.2, "how much farther the negative must be", low=0.001, high=10)
    masks: bool = declare(True, "a mask per aspect; without, one space for all aspects")
    masks_sum_to_one: bool = declare(True, "first change: the parts of a mask sum to one")
    magnitude_penalty: bool = declare(True, "second change: large embeddings cost")
    global_consistency: bool = declare(
        True, "third change: items that share more attributes are nearer without a mask"
    )
    augmentation: str = declare("gentle", "how pictures are changed while learning", choices=STRENGTHS)


@dataclass(frozen=True)
class AspectsSettings(PictureSettings):
    """Slyce: one shared trunk, one softmax per aspect."""

    batch: int = declare(48, "pictures in a batch", low=2, high=65_536)
    hidden: int = declare(256, "size of the shared dense layer, which is the embedding", low=8, high=65_536)
    smoothing: float = declare(0.0, "label smoothing", low=0, high=0.9)
    augmentation: str = declare("gentle", "how pictures are changed while learning", choices=STRENGTHS)


@dataclass(frozen=True)
class DqnSettings(Settings):
    """eBay: which of the sampled items to show, learned from simulated games; a step is a slate."""

    steps: int = declare(20_000, "slates to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(3e-4, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = declare(1e-4, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.999, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validate_every: int = declare(2500, "steps between two judgements", low=1, high=1_000_000)
    patience: int = declare(0, "judgements without gain before training stops; 0: never", low=0, high=1000)
    checkpoint_every: int = declare(2500, "steps between two checkpoints", low=1, high=1_000_000)
    belief: bool = declare(False, "be told what is believed of the target as well: dqn-belief")
    slate: int = declare(4, "items on a slate", low=2, high=64)
    hidden: int = declare(128, "units of the first layer; the second has half of them", low=2, high=65_536)
    batch: int = declare(64, "remembered slates that a step learns from", low=1, high=65_536)
    remembered: int = declare(8000, "slates that are remembered", low=LEAST_REMEMBERED, high=1_000_000)
    discount: float = declare(0.97, "what a slate later is worth of one now", low=0, high=1)
    explored: float = declare(0.3, "share of the steps until exploring is rare", low=0, high=1)
    exploring: float = declare(0.05, "share of places filled by chance from then on", low=0, high=1)
    shaping: float = declare(
        1.0, "reward for halving the target's rank around the pick, in slates", low=0, high=100
    )
    follow: float = declare(0.005, "how fast the target network follows", low=1e-6, high=1)
    judged: int = declare(100, "simulated games of a judgement", low=1, high=100_000)


@dataclass(frozen=True)
class AspectRankingSettings(Settings):
    """Slyce: what each aspect is worth to a query, learned from queries whose telling aspect is known."""

    steps: int = declare(3000, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(1e-3, "highest learning rate", low=1e-7, high=10)
    validate_every: int = declare(100, "steps between two judgements", low=1, high=1_000_000)
    patience: int = declare(10, "judgements without gain before training stops; 0: never", low=0, high=1000)
    checkpoint_every: int = declare(500, "steps between two checkpoints", low=1, high=1_000_000)
    batch: int = declare(64, "queries in a batch", low=1, high=65_536)
    queries: int = declare(4000, "queries that are looked at, at most, of each side", low=2, high=1_000_000)
    nearest: int = declare(50, "candidates by each aspect, and by the whole embedding", low=2, high=10_000)
    hidden: int = declare(64, "units of the network's one hidden layer", low=1, high=65_536)
    dropout: float = declare(0.2, "share of the hidden layer left out at random", low=0, high=0.95)
    entropy: float = declare(0.01, "what even weights are worth, beside the loss", low=0, high=10)


@dataclass(frozen=True)
class RetrainSettings(Settings):
    """A trained encoder taught by triplets of items: a little, near to what it was."""

    starts_learned: ClassVar[bool] = True

    learn: str = declare("head", "the masks alone, the layers above the trunk, or all of it", choices=LEARN)
    steps: int = declare(600, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(1e-3, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = declare(0.0, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.98, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validation_share: float = declare(
        0.2, "share of the anchors whose triplets are kept to judge by", low=0.01, high=0.5
    )
    validate_every: int = declare(25, "steps between two judgements", low=1, high=1_000_000)
    patience: int = declare(8, "judgements without gain before training stops; 0: never", low=0, high=1000)
    checkpoint_every: int = declare(100, "steps between two checkpoints", low=1, high=1_000_000)
    triplets: int = declare(256, "triplets of a step, at most", low=1, high=65_536)
    items: int = declare(48, "pictures of a step, at most, where the trunk learns", low=3, high=65_536)
    sharpness: float = declare(
        2.0, "how surely people tell near from far, in mean squared distances", low=0.01, high=100
    )
    pull: float = declare(0.1, "how strongly weights are drawn back to the parent's", low=0, high=1000)
    augmentation: str = declare(
        "gentle", "how pictures are changed where the trunk learns", choices=STRENGTHS
    )

    @classmethod
    def learning(cls, learn: str, texts: Mapping[str, str]) -> Self:
        """As `read`, with a rate that suits what learns where none is given. Raises BadSetting."""
        rate = {"rate": RATES[learn]} if learn in RATES else {}
        return cls.read({**rate, **texts, "learn": learn})


ENCODERS: dict[str, type[PictureSettings]] = {
    "transfer": TransferSettings,
    "siamese": SiameseSettings,
    "csn": CsnSettings,
    "aspects": AspectsSettings,
}
RANKERS: dict[str, type[Settings]] = {DQN: DqnSettings, ASPECT_RANKING: AspectRankingSettings}
SETTINGS_OF: dict[str, type[Settings]] = {**ENCODERS, **RANKERS}  # what anybody may ask for


def settings_of(kind: str) -> type[Settings]:
    """The settings of any training that there may be. Raises KeyError."""
    return RetrainSettings if kind == RETRAIN else SETTINGS_OF[kind]


def makes_encoder(kind: str) -> bool:
    """Whether what a training makes is an encoder, and no ranker."""
    return kind == RETRAIN or kind in ENCODERS
