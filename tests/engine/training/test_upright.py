"""Turning items upright: composites whose truth is true, poses that fit, and a finder that learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.runtime import NetworkSpec, TorchNetwork, open_network
from search.engine.trained_networks import Architecture, UprightTrunk, make_network
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.composites import compose
from search.engine.training.cutouts import SIDE, cut_out, take_cutouts
from search.engine.training.failures import TrainingFailed
from search.engine.training.finding import FindingLearner
from search.engine.training.loop import fit
from search.engine.training.samples import Division
from search.engine.training.settings import FindingSettings, SiameseSettings
from search.engine.training.siamese import embed
from search.engine.training.typed_settings import BadSetting
from search.engine.training.upright_views import learn_to_find, turn_views_upright
from search.engine.upright import CELLS, Finder, Pose, Upright, centres, put, solve_pose, turn
from tests.engine.training.squares import (
    CPU,
    Killed,
    draw_labels,
    draw_samples,
    kill_at,
    prepare,
    settings_of,
    views,
)

QUARTERS = np.array([[(230, 30, 30), (30, 220, 30)], [(40, 40, 235), (225, 215, 30)]], np.uint8)


def draw_quarters(count=12):
    """Items of four colours on white: which way up and whether mirrored can be seen everywhere."""
    pictures = np.full((count, 128, 128, 3), 255, np.uint8)
    draws = np.random.default_rng(2)
    for picture in pictures:
        high, wide = draws.integers(24, 40, 2)
        top, left = 64 - high + draws.integers(-8, 9), 64 - wide + draws.integers(-8, 9)
        for row in (0, 1):
            for column in (0, 1):
                y, x = top + row * high, left + column * wide
                picture[y : y + high, x : x + wide] = QUARTERS[row, column]
    return pictures


def take(pictures):
    rows = np.arange(len(pictures))
    scenes = (
        np.random.default_rng(3).integers(60, 120, (6, 8, 8, 3)).astype(np.uint8).repeat(16, 1).repeat(16, 2)
    )
    return take_cutouts(views(pictures), rows, views(scenes), np.arange(6))


def quarter_samples(count=48):
    """Two views of such items; the lifestyle photos hardly matter."""
    samples = draw_samples(count)
    pictures = draw_quarters(count)
    dull = (pictures * 0.6).astype(np.uint8)
    return replace(samples, catalogue=views(pictures), lifestyle=views(dull))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_a_composite_shows_its_item_where_its_truth_says(seed):
    cutouts = take(draw_quarters())
    assert cutouts is not None
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(cutouts), (16,), generator=generator)
    pictures, truth = compose(cutouts, rows, generator)
    shown = torch.nn.functional.avg_pool2d(pictures, 64 // CELLS).permute(0, 2, 3, 1)
    places = truth.places(centres(CELLS, pictures)[None])
    for picture, place, seen in zip(shown, places, truth.seen[:, 0], strict=True):
        # Cells wholly within a quarter that nothing hides.
        clear = (seen > 0.99) & ((place.abs() > 0.3) & (place.abs() < 0.8)).all(dim=-1)
        if clear.sum() < 2:
            continue
        row, column = (place[clear][:, 1] > 0).long(), (place[clear][:, 0] > 0).long()
        told = picture[clear] / picture[clear].norm(dim=1, keepdim=True)
        hues = torch.from_numpy(QUARTERS).float()
        hues = hues / hues.norm(dim=2, keepdim=True)
        agreed = [
            float(
                ((told[:, None, None] * hues).sum(-1).flatten(1).argmax(1) == row * 2 + mirrored)
                .float()
                .mean()
            )
            for mirrored in (column, 1 - column)
        ]
        assert max(agreed) > 0.8  # noise may blur one; another way up agrees with half at most


@settings(deadline=None, max_examples=50)
@given(
    angle=st.floats(-1.5, 1.5),
    across=st.floats(0.2, 1.2),
    down=st.floats(0.2, 1.2),
    shift=st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
    hidden=st.integers(0, CELLS // 2),
)
def test_the_pose_is_found_from_what_cells_say_whatever_is_hidden(angle, across, down, shift, hidden):
    c, s = np.cos(angle), np.sin(angle)
    matrix = torch.tensor([[[c * across, -s * down], [s * across, c * down]]], dtype=torch.float32)
    true = Pose(matrix, torch.tensor([shift], dtype=torch.float32))
    way = centres(CELLS, matrix)[None] - true.shift[:, None, None]
    places = turn(torch.linalg.inv(matrix), way)
    seen = torch.full((1, 1, CELLS, CELLS), 8.0)
    # What hides a part says anything about places, but that it is not the item.
    places[:, :, :hidden], seen[:, :, :, :hidden] = 7.0, -20.0
    answers = torch.cat([places.permute(0, 3, 1, 2), seen, torch.ones_like(seen)], dim=1)
    found = solve_pose(answers)
    corners = centres(2, matrix)[None] * 2
    assert float((put(found, corners) - put(true, corners)).abs().max()) < 0.05


def test_only_what_stands_alone_on_even_ground_is_cut_out():
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture[30:60, 20:50] = (90, 20, 20)
    mask = cut_out(picture)
    assert mask is not None and mask[32:58, 22:48].all()
    mask[29:61, 19:51] = False
    assert not mask.any()
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    assert cut_out(noise) is None
    assert cut_out(np.full((SIDE, SIDE, 3), 250, np.uint8)) is None


def test_a_finder_learns_where_items_lie():
    cutouts = take(draw_quarters(24))
    torch.manual_seed(0)
    learner = FindingLearner(
        Finder(), cutouts, take(draw_quarters(8)), FindingSettings(steps=40, batch=12, averaging=0.5)
    )
    with torch.inference_mode():
        before = learner.judge(learner.module.eval(), learner.validation)
    fitted = fit(
        learner,
        learner.settings,
        checkpoint=CheckpointFile(None, {}),
        report=lambda _: None,
        device=CPU,
    )
    assert fitted.measures["middle_error"] < 0.6 * before["middle_error"]


def test_what_was_killed_while_learning_to_find_goes_on_to_the_same(tmp_path):
    samples = quarter_samples()

    def learn(path, report):
        torch.manual_seed(1)
        upright = Upright()
        told = FindingSettings(steps=4, batch=4, checkpoint_every=2, validate_every=2)
        learn_to_find(upright, samples, told, checkpoint=CheckpointFile(path, {}), report=report)
        return upright.state_dict()

    straight = learn(tmp_path / "straight", lambda _: None)
    with pytest.raises(Killed):
        learn(tmp_path / "killed", kill_at(3))
    resumed = learn(tmp_path / "killed", lambda _: None)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_pictures_without_even_ground_teach_nothing_and_it_is_said_so():
    samples = draw_samples()
    noise = np.random.default_rng(0).integers(0, 255, (48, 128, 128, 3)).astype(np.uint8)
    samples = replace(samples, catalogue=views(noise), lifestyle=views(noise))
    with pytest.raises(TrainingFailed, match="Set upright to false"):
        learn_to_find(
            Upright(), samples, FindingSettings(), checkpoint=CheckpointFile(None, {}), report=lambda _: None
        )


def test_a_network_trained_upright_sees_whole_pictures_and_learns_from_upright_ones(tmp_path):
    samples = quarter_samples()
    told = settings_of(
        "siamese", backbone="shuttle", upright=True, upright_steps=2, upright_batch=4, side=128
    )

    def straighten(upright, samples):
        finding = replace(told.finding(), checkpoint_every=2)
        learn_to_find(upright, samples, finding, checkpoint=CheckpointFile(None, {}), report=lambda _: None)
        return turn_views_upright(upright, samples, tmp_path, report=lambda *_: None)

    lesson = prepare("siamese", told, samples, straighten=straighten)
    fit(lesson.learner, told, checkpoint=CheckpointFile(None, {}), report=lambda _: None, device=CPU)
    assert isinstance(lesson.network.trunk, UprightTrunk)
    rows = np.arange(3)
    whole = embed(lesson.network, samples.catalogue, rows)
    upright = turn_views_upright(lesson.network.trunk.upright, samples, tmp_path, report=refuse_to_turn)
    alone = embed(lesson.learner.module, upright.catalogue, rows)
    np.testing.assert_allclose(whole, alone, atol=0.02)  # upright pictures are kept in whole numbers


def refuse_to_turn(*_):
    raise AssertionError("they lie there already")


def test_the_export_turns_upright_as_the_network_does(tmp_path):
    torch.manual_seed(3)
    network = make_network(Architecture("siamese", "shuttle", 128, 16, upright=True)).eval()
    spec = NetworkSpec("drawn", 128, ("embedding",), lambda: network)
    exported = open_network(spec, device="cpu", cache_folder=tmp_path, threads=1)
    pictures = np.concatenate([draw_quarters(3), (draw_quarters(2) * 0.7).astype(np.uint8)])
    found, expected = exported.run(pictures), TorchNetwork(network, ("embedding",), "cpu").run(pictures)
    np.testing.assert_allclose(found["embedding"], expected["embedding"], atol=1e-3)


def test_older_cards_describe_networks_that_take_pictures_as_they_are():
    written = {"kind": "siamese", "backbone": "thimble", "side": 96, "width": 256}
    network = make_network(Architecture.from_json(written))
    assert not isinstance(network.trunk, UprightTrunk)


@pytest.mark.parametrize(
    ("told", "words"), [({"side": 96}, "multiple of 64"), ({"side": 128, "trainable": "none"}, "must learn")]
)
def test_settings_under_which_nothing_can_be_turned_upright_are_refused(told, words):
    with pytest.raises(BadSetting, match=words):
        SiameseSettings(upright=True, **told)


def test_the_side_is_chosen_where_none_is_given():
    told = SiameseSettings(upright=True, backbone="shuttle")
    assert (told.framed_side, told.seen_side) == (128, 64)
    assert SiameseSettings().framed_side == 0


def test_contrast_takes_near_duplicates_for_no_wrong_answers():
    samples = replace(draw_samples(), division=Division(np.arange(24), np.arange(24, 48), np.arange(0)))
    samples = replace(samples, labels=draw_labels(48).of(("size",)))
    told = settings_of("siamese", loss="contrast", augmentation="none")
    alone = prepare("siamese", told, samples).learner
    alike = prepare("siamese", told, samples, copies=np.arange(48) // 2).learner
    with torch.no_grad():
        few, many = (float(learner.loss(0)) for learner in (alike, alone))
    assert np.isfinite(few) and few <= many
