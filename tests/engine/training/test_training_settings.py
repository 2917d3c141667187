"""What a training can be told: bounds, types, texts, and refusals that say what to do."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.errors import EngineError
from search.engine.training.settings import (
    RETRAIN,
    SETTINGS_OF,
    AspectsSettings,
    CsnSettings,
    PictureSettings,
    SiameseSettings,
    TransferSettings,
    settings_of,
)
from search.engine.training.typed_settings import BadSetting, list_settings

KINDS = (*SETTINGS_OF, RETRAIN)
EVERY = [(kind, setting) for kind in KINDS for setting in list_settings(settings_of(kind))]
NUMBERS = [(kind, setting) for kind, setting in EVERY if setting.type in (int, float)]


def name_of(value):
    return value if isinstance(value, str) else getattr(value, "name", None)


@pytest.mark.parametrize(("kind", "setting"), EVERY, ids=name_of)
def test_every_setting_is_explained_and_its_default_is_allowed(kind, setting):
    assert len(setting.help) > 10
    assert type(setting.default) is setting.type
    assert not setting.choices or setting.default in setting.choices
    if setting.type in (int, float):
        assert setting.low <= setting.default <= setting.high


@pytest.mark.parametrize(("kind", "setting"), NUMBERS, ids=name_of)
def test_the_bounds_themselves_are_allowed_and_what_lies_beyond_is_not(kind, setting):
    cls = settings_of(kind)
    low, high = setting.type(setting.low), setting.type(setting.high)
    assert getattr(cls(**{setting.name: low}), setting.name) == low
    assert getattr(cls(**{setting.name: high}), setting.name) == high
    beyond = (
        [low - 1, high + 1]
        if setting.type is int
        else [math.nextafter(low, -math.inf), math.nextafter(high, math.inf), math.nan, math.inf, -math.inf]
    )
    for value in beyond:
        with pytest.raises(BadSetting, match=rf"^{setting.name} lies between .* and .*, not at"):
            cls(**{setting.name: value})


def test_the_published_values_can_be_told_and_are_the_defaults():
    siamese = SiameseSettings()
    assert (siamese.margin, siamese.shallow) == (1.0, False)
    assert 10 <= siamese.in_class <= 15 and 1 <= siamese.out_of_class <= 3 and 100 <= siamese.pool <= 1000
    for extreme in ({"in_class": 10, "out_of_class": 1, "pool": 100}, {"in_class": 15, "out_of_class": 3}):
        SiameseSettings(**extreme)
    csn = CsnSettings()
    assert (csn.margin, csn.dimensions) == (0.2, 64)  # of the published code of CSN
    assert csn.masks and csn.masks_sum_to_one and csn.magnitude_penalty and csn.global_consistency


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 1.5}, "steps is of type int, not 1.5"),
        ({"steps": "10"}, "steps is of type int, not '10'"),
        ({"steps": True}, "steps is of type int, not True"),
        ({"rate": "fast"}, "rate is of type float"),
        ({"rate": True}, "rate is of type float"),
        ({"backbone": "resnet1"}, "backbone is one of bobbin, thimble, shuttle, vgg16, .*, not 'resnet1'"),
        ({"backbone": None}, "backbone is of type str, not None"),
        ({"augmentation": "wild"}, "augmentation is one of none, gentle, photos, query, not 'wild'"),
        ({"trainable": "some"}, "trainable is all, none or a number of blocks, not 'some'"),
        ({"trainable": "-1"}, "trainable is all, none or a number of blocks"),
        ({"trainable": ""}, "trainable is all, none or a number of blocks"),
        ({"trainable": 2}, "trainable is of type str"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(wrong, message):
    with pytest.raises(BadSetting, match=message):
        TransferSettings(**wrong)
    assert issubclass(BadSetting, EngineError)


def test_whole_numbers_may_stand_for_others():
    assert TransferSettings(rate=1).rate == 1


def test_an_unknown_name_gets_the_closest_one_or_the_whole_list():
    with pytest.raises(BadSetting, match=r"no setting 'dimension'\. Did you mean 'dimensions'\?"):
        CsnSettings.read({"dimension": "64"})
    with pytest.raises(
        BadSetting, match=r"no setting 'qqqq'\. There are: steps, rate, .*, hidden, smoothing"
    ):
        AspectsSettings.read({"qqqq": "1"})
    with pytest.raises(BadSetting, match="no setting 'pool'"):  # which another kind does have
        CsnSettings.read({"pool": "100"})


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("Yes", True), ("FALSE", False), ("0", False), ("no", False)],
)
def test_truth_is_told_in_words_or_digits(text, value):
    assert SiameseSettings.read({"shallow": text}).shallow is value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("shallow", "maybe", "shallow is true or false, not 'maybe'"),
        ("shallow", "", "shallow is true or false"),
        ("steps", "ten", "steps is a whole number, not 'ten'"),
        ("steps", "1.0", "steps is a whole number, not '1.0'"),
        ("steps", "9" * 5000, "steps is a whole number"),
        ("margin", "wide", "margin is a number, not 'wide'"),
        ("margin", "nan", "margin lies between 0.01 and 10, not at nan"),
        ("margin", "0", "margin lies between 0.01 and 10, not at 0"),
    ],
)
def test_a_text_that_is_no_such_value_is_refused(name, text, message):
    with pytest.raises(BadSetting, match=message):
        SiameseSettings.read({name: text})


def values_of(setting):
    if setting.choices:
        return st.sampled_from(setting.choices)
    if setting.type is bool:
        return st.booleans()
    if setting.name == "side":
        return st.just(0) | st.integers(128, int(setting.high))  # which every backbone can look at
    if setting.type is int:
        return st.integers(int(setting.low), int(setting.high))
    if setting.type is float:
        return st.floats(setting.low, setting.high)
    return st.sampled_from(["all", "none", "0", "3"])  # trainable, the only free text


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_what_is_told_as_text_or_json_comes_back(data, kind):
    cls = settings_of(kind)
    chosen = {
        setting.name: data.draw(values_of(setting), label=setting.name)
        for setting in data.draw(st.lists(st.sampled_from(list_settings(cls)), unique_by=lambda s: s.name))
    }
    read = cls.read({name: str(value) for name, value in chosen.items()})
    assert read == cls(**chosen)
    assert cls.from_json(json.loads(json.dumps(read.as_json()))) == read


def test_settings_of_another_version_are_refused_by_name():
    stored = {**TransferSettings().as_json(), "momentum": 0.9}
    with pytest.raises(BadSetting, match="of another version: momentum"):
        TransferSettings.from_json(stored)
    older = TransferSettings().as_json()
    del older["small_share"]  # settings that were added since have their defaults
    assert TransferSettings.from_json(older) == TransferSettings()


def test_the_first_steps_see_small_pictures():
    settings = PictureSettings(steps=10, small_share=0.6)
    assert [settings.scale_at(step) for step in (0, 5, 6, 9)] == [2 / 3, 2 / 3, 1.0, 1.0]
    assert PictureSettings(small_share=0.0).scale_at(0) == 1.0


@pytest.mark.parametrize(
    ("backbone", "small", "least", "least_when_never_reduced"),
    [("vgg16", 47, 48, 32), ("inception_v3", 111, 112, 75), ("bobbin", 23, 24, 16)],
)
def test_pictures_too_small_for_the_backbone_are_refused(backbone, small, least, least_when_never_reduced):
    with pytest.raises(BadSetting, match=f"side is too small: {backbone} sees pictures of"):
        TransferSettings(backbone=backbone, side=small)
    assert TransferSettings(backbone=backbone, side=least).side == least
    never = TransferSettings(backbone=backbone, side=least_when_never_reduced, small_share=0.0)
    assert never.side == least_when_never_reduced
