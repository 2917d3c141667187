"""Settings that are typed, checked and documented, and read from texts. Imports no torch: forms read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self, cast, get_type_hints

from search.engine.errors import EngineError

Value = int | float | bool | str


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


def declare(
    default: Value,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[Value] = (),
) -> Any:
    """A field of `Settings`, with what it is for and what it may be."""
    return field(
        default=default, metadata={"help": help, "low": low, "high": high, "choices": tuple(choices)}
    )


@dataclass(frozen=True)
class Settings:
    """What every kind of training can be told."""

    starts_learned: ClassVar[bool] = False  # whether first weights are worth keeping, and judged like others

    steps: int = declare(3000, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(3e-3, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = declare(0.02, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.995, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validation_share: float = declare(
        0.12, "share of the trainable side that is kept to judge by", low=0.01, high=0.5
    )
    validate_every: int = declare(150, "steps between two judgements", low=1, high=1_000_000)
    patience: int = declare(6, "judgements without gain before training stops; 0: never", low=0, high=1000)
    checkpoint_every: int = declare(150, "steps between two checkpoints", low=1, high=1_000_000)
    seed: int = declare(0, "of first weights, order and changes", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for setting in list_settings(type(self)):
            _check(setting, getattr(self, setting.name))

    def is_warming_up(self, step: int) -> bool:
        """Whether a judgement at this step says too little to stop by."""
        return False

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
