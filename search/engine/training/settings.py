"""What each kind of training can be told: typed, checked and documented. Imports no torch: forms read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, cast, get_type_hints

from search.engine.backbone_names import BACKBONES, LEAST_SIDE
from search.engine.errors import EngineError

Value = int | float | bool | str
ALL, NONE = "all", "none"  # of a backbone's blocks
SMALL = 2 / 3
STRENGTHS = ("none", "gentle", "photos", "query")  # see `augmentation`


class BadSetting(EngineError):
    """A setting that does not exist or cannot have this value; the message names it and the remedy."""


@dataclass(frozen=True)
class Setting:
    """One setting, for those who print or show them all."""

    name: str
    type: type
    default: Value
    help: str
    low: float | None
    high: float | None
    choices: tuple[Value, ...]


def _setting(
    default: Value,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[Value] = (),
) -> Any:
    return field(
        default=default, metadata={"help": help, "low": low, "high": high, "choices": tuple(choices)}
    )


@dataclass(frozen=True)
class Settings:
    """What every kind of training can be told."""

    steps: int = _setting(3000, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = _setting(3e-3, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = _setting(0.02, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = _setting(
        0.995, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    backbone: str = _setting("bobbin", "the network below the new layers", choices=BACKBONES)
    side: int = _setting(0, "pixels a picture is brought to; 0: as the backbone likes it", low=0, high=1024)
    trainable: str = _setting(
        ALL, f"blocks of the backbone that learn: {ALL}, {NONE} or how many of the last"
    )
    small_share: float = _setting(
        0.6, "share of the steps, at the beginning, that see pictures of two thirds the side", low=0, high=1
    )
    augmentation: str = _setting("photos", "how pictures are changed while learning", choices=STRENGTHS)
    validation_share: float = _setting(
        0.12, "share of the trainable side that is kept to judge by", low=0.01, high=0.5
    )
    validate_every: int = _setting(150, "steps between two judgements", low=1, high=1_000_000)
    patience: int = _setting(6, "judgements without gain before training stops; 0: never", low=0, high=1000)
    checkpoint_every: int = _setting(150, "steps between two checkpoints", low=1, high=1_000_000)
    seed: int = _setting(0, "of first weights, order and changes", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for setting in list_settings(type(self)):
            _check(setting, getattr(self, setting.name))
        if self.trainable not in (ALL, NONE) and not self.trainable.isdecimal():
            raise BadSetting(f"trainable is {ALL}, {NONE} or a number of blocks, not '{self.trainable}'.")
        smallest = round(self.side * self.scale_at(0))
        if self.side and smallest < (least := LEAST_SIDE[self.backbone]):
            raise BadSetting(
                f"side is too small: {self.backbone} sees pictures of {smallest} pixels, and needs {least}. "
                "Set a larger side, or small_share to 0."
            )

    def scale_at(self, step: int) -> float:
        """To what share of their side a step reduces pictures: coarse things are learned first, faster."""
        return SMALL if step < self.small_share * self.steps else 1.0

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> Self:
        """The settings with some given as text, the others as they are by default. Raises BadSetting."""
        known = {setting.name: setting for setting in list_settings(cls)}
        for name in texts:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known)}."
                raise BadSetting(f"There is no setting '{name}'. {hint}")
        return cls.from_json({name: _parse(known[name], text) for name, text in texts.items()})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `as_json` gave. Raises BadSetting where that was another version of the software."""
        names = {setting.name for setting in list_settings(cls)}
        if set(values) - names:
            raise BadSetting(f"These settings are of another version: {', '.join(set(values) - names)}.")
        return cls(**values)

    def as_json(self) -> dict[str, Value]:
        return asdict(self)


@dataclass(frozen=True)
class TransferSettings(Settings):
    """Datascope: convolutions kept, a new dense layer, softmax over the categories."""

    batch: int = _setting(48, "pictures in a batch", low=2, high=65_536)
    hidden: int = _setting(4096, "size of the dense layer, which is the embedding", low=8, high=65_536)
    top: int = _setting(0, "learn only the so many most common categories; 0: all", low=0, high=100_000)
    smoothing: float = _setting(0.1, "label smoothing", low=0, high=0.9)
    dropout: float = _setting(0.3, "share of the dense layer left out at random", low=0, high=0.95)


@dataclass(frozen=True)
class SiameseSettings(Settings):
    """Grid Dynamics: lifestyle photos near the catalogue picture of the same item."""

    rate: float = _setting(1e-3, "highest learning rate", low=1e-7, high=10)
    dimensions: int = _setting(256, "size of the embedding", low=8, high=65_536)
    shallow: bool = _setting(False, "a shallow branch for low-level detail beside the deep one")
    margin: float = _setting(1.0, "how much farther the negative must be", low=0.01, high=10)
    queries: int = _setting(16, "queries in a batch, each with its positive", low=1, high=65_536)
    in_class: int = _setting(
        12, "negatives of the same category per query (published: 10 to 15)", low=1, high=1000
    )
    out_of_class: int = _setting(
        2, "negatives of other categories per query (published: 1 to 3)", low=0, high=1000
    )
    hard_after: float = _setting(
        0.5, "share of the steps after which negatives are mined; 1: never", low=0, high=1
    )
    pool: int = _setting(
        100, "nearest items that hard negatives are drawn from (published: 100 to 1000)", low=1, high=1000
    )
    augmentation: str = _setting("query", "how queries are changed while learning", choices=STRENGTHS)


@dataclass(frozen=True)
class CsnSettings(Settings):
    """eBay: one embedding, one mask of its dimensions per aspect; every change can be switched off."""

    dimensions: int = _setting(64, "size of the embedding", low=8, high=4096)
    items: int = _setting(
        48,
        "items in a batch, among which triplets are drawn; where those are read from files, at most so many",
        low=3,
        high=65_536,
    )
    triplets: int = _setting(1000, "triplets per aspect and step", low=1, high=65_536)
    margin: float = _setting(0.2, "how much farther the negative must be", low=0.001, high=10)
    masks: bool = _setting(True, "a mask per aspect; without, one space for all aspects")
    masks_sum_to_one: bool = _setting(True, "first change: the parts of a mask sum to one")
    magnitude_penalty: bool = _setting(True, "second change: large embeddings cost")
    global_consistency: bool = _setting(
        True, "third change: items that share more attributes are nearer without a mask"
    )
    augmentation: str = _setting("gentle", "how pictures are changed while learning", choices=STRENGTHS)


@dataclass(frozen=True)
class AspectsSettings(Settings):
    """Slyce: one shared trunk, one softmax per aspect."""

    batch: int = _setting(48, "pictures in a batch", low=2, high=65_536)
    hidden: int = _setting(256, "size of the shared dense layer, which is the embedding", low=8, high=65_536)
    smoothing: float = _setting(0.0, "label smoothing", low=0, high=0.9)
    augmentation: str = _setting("gentle", "how pictures are changed while learning", choices=STRENGTHS)


KindName = Literal["transfer", "siamese", "csn", "aspects"]
SETTINGS_OF: dict[str, type[Settings]] = {
    "transfer": TransferSettings,
    "siamese": SiameseSettings,
    "csn": CsnSettings,
    "aspects": AspectsSettings,
}


def list_settings(kind: type[Settings]) -> list[Setting]:
    """Every setting of a kind, in order."""
    types = get_type_hints(kind)
    return [
        Setting(entry.name, types[entry.name], cast(Value, entry.default), **entry.metadata)
        for entry in fields(kind)
    ]


def _parse(setting: Setting, text: str) -> Value:
    if setting.type is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise BadSetting(f"{setting.name} is true or false, not '{text}'.")
        return text.lower() in ("true", "1", "yes")
    try:
        return setting.type(text)  # type: ignore[no-any-return]
    except ValueError:
        kind = "a whole number" if setting.type is int else "a number"
        raise BadSetting(f"{setting.name} is {kind}, not '{text}'.") from None


def _check(setting: Setting, value: Any) -> None:
    number: Any = float(value) if setting.type is float and type(value) is int else value
    if type(number) is not setting.type:
        raise BadSetting(f"{setting.name} is of type {setting.type.__name__}, not {value!r}.")
    if setting.choices and value not in setting.choices:
        raise BadSetting(f"{setting.name} is one of {', '.join(map(str, setting.choices))}, not '{value}'.")
    low, high = setting.low, setting.high
    if low is not None and high is not None and not low <= float(value) <= high:
        raise BadSetting(f"{setting.name} lies between {low:g} and {high:g}, not at {value}.")
