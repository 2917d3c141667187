"""The closed loop in small: another taste is learned, an equal one promotes nobody, real answers teach."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.stats.simulated import material
from evaluation.stats.simulated.loop import TASTE, judge
from evaluation.stats.simulated.registry import STUDIES
from evaluation.stats.simulated.study import generator_of
from evaluation.stats.simulated.tastes import DIMENSIONS, Crowd, draw_things


def run(name: str, repetitions: int = 1) -> dict:
    study = STUDIES[name]
    return study.sum_up([study.repeat(generator_of(study, 0, number)) for number in range(repetitions)])


def test_a_challenger_that_learned_the_crowd_s_taste_wins_and_others_do_not() -> None:
    [row] = run("loop")["loop"]
    assert row["seed"] == 0
    assert row["parent"] < row["low"] < row["challenger"]
    equal = run("false_promotion", 2)
    for name in ("false_promotion", "false_promotion_old", "false_promotion_taught"):
        assert equal[name] == 0 and equal[f"{name}_se"] > 0


def test_who_finds_other_things_is_judged_by_people_who_saw_them_and_wins_only_by_being_better() -> None:
    rng = np.random.default_rng(0)
    things = draw_things(rng)
    crowd = Crowd(TASTE, things)
    knowing = (things.vectors * np.sqrt(TASTE).repeat(DIMENSIONS)).astype(np.float32)
    one, other = judge(things.vectors, knowing, crowd, rng), judge(knowing, things.vectors, crowd, rng)
    assert one.fair[-1].promoted and one.old[-1].promoted
    assert not any(ruling.promoted for ruling in [*other.fair, *other.old])
    telling = [ruling.telling for ruling in one.fair]
    assert telling == sorted(telling) and telling[0] < one.old[0].telling
    same = judge(things.vectors, things.vectors, crowd, rng)
    assert {ruling.refusals for ruling in [*same.fair, *same.old]} == {("too-few-votes",)}


def test_answers_about_some_materials_are_learned_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Materials of a hue and a lightness each; people look at how light they are, and say so."""
    folder = tmp_path / "material100"
    (folder / material.LIGHT).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(18):
        hue = generator.permutation([-50, 0, 50])
        pixels = 50 + 9 * number + hue + generator.integers(-15, 15, (64, 64, 3))
        pixels = pixels.clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / material.LIGHT / f"m{number:02d}.jpg")
    lines = ["ref,a,b,votes_a,votes_b"]
    for ref, a, b in generator.permuted(np.tile(np.arange(18), (600, 1)), axis=1)[:, :3]:
        near = abs(ref - a) < abs(ref - b)
        lines.append(f"m{ref:02d},m{a:02d},m{b:02d},{3 * near},{3 * (not near)}")
    (folder / "triplets.csv").write_text("\n".join(lines))
    monkeypatch.setenv("DOPEORNOPE_DATA", str(tmp_path))
    monkeypatch.setattr(material, "FOLDS", 3)
    material.open_materials.cache_clear()
    try:
        found = run("material")["material"]
    finally:
        material.open_materials.cache_clear()
    assert (
        found["before"] < found["after"] and found["low"] <= found["after"] - found["before"] <= found["high"]
    )
