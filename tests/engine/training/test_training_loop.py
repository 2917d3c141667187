"""The loop of all kinds: it goes on after a kill as if nothing had been, and says why it cannot go on."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.arrays import read_arrays
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import Run, rate_at
from tests.engine.training.lines import Lines, run, settings_of
from tests.engine.training.squares import Killed, assert_equal_weights, kill_at


@settings(deadline=None, max_examples=25)
@given(
    kills=st.lists(st.integers(1, 12), max_size=3),
    checkpoint_every=st.integers(1, 7),
    validate_every=st.integers(1, 7),
    patience=st.sampled_from([0, 2]),
    seed=st.integers(0, 3),
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    tmp_path_factory, kills, checkpoint_every, validate_every, patience, seed
):
    how = settings_of(
        checkpoint_every=checkpoint_every, validate_every=validate_every, patience=patience, seed=seed
    )
    path = tmp_path_factory.mktemp("run") / "checkpoint"
    whole, ended = run(how)
    for step in kills:
        try:
            run(how, path=path, report=kill_at(step))
        except Killed:
            continue
    learner, resumed = run(how, path=path)
    assert_equal_weights(learner.module, whole.module)
    assert resumed == ended  # the curve, the best step, its measures and how it stopped
    learner, again = run(how, path=path)  # a finished run is not learned again
    assert_equal_weights(learner.module, whole.module)
    assert again == ended


@pytest.mark.parametrize("multiplies", [True, False])
def test_steps_compute_in_bfloat16_where_the_processor_multiplies_it(monkeypatch, multiplies):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": multiplies})
    kinds = set()
    learner = Lines()
    learner.module[3].register_forward_hook(
        lambda module, inputs, output: kinds.add(output.dtype) if module.training else None
    )
    run(settings_of(), learner=learner)
    assert kinds == {torch.bfloat16 if multiplies else torch.float32}
    assert {weight.dtype for weight in learner.module.parameters()} == {torch.float32}


def test_no_step_before_the_last_checkpoint_is_done_twice(tmp_path):
    steps = []
    with pytest.raises(Killed):
        run(settings_of(), path=tmp_path / "checkpoint", report=kill_at(8))
    run(settings_of(), path=tmp_path / "checkpoint", report=lambda progress: steps.append(progress.step))
    assert steps == [7, 8, 9, 10, 11, 12]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (run(settings_of(seed=seed))[0].module for seed in (0, 0, 1))
    assert_equal_weights(first, again)
    assert not torch.equal(first[0].weight, other[0].weight)


def test_a_report_that_raises_stops_and_leaves_a_checkpoint_to_go_on_from(tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(progress):
        if progress.step == 7:
            raise Cancelled

    path = tmp_path / "checkpoint"
    with pytest.raises(Cancelled):
        run(settings_of(), path=path, report=cancel)
    assert json.loads(read_arrays(path)[1]["progress"])["step"] == 6
    assert_equal_weights(run(settings_of(), path=path)[0].module, run(settings_of())[0].module)


def test_training_stops_once_nothing_is_gained_and_keeps_the_best_weights():
    measures = [0.1, 0.5, 0.4, 0.5, 0.3, 0.9]
    how = settings_of(steps=60, validate_every=3, patience=3, small_share=0.0)
    averaged = []
    learner = Lines(measures=measures)
    learner.judge, judge = lambda module, rows: keep(module, rows), learner.judge

    def keep(module, rows):
        averaged.append({name: tensor.clone() for name, tensor in module.state_dict().items()})
        return judge(module, rows)

    _, fitted = run(how, learner=learner)
    assert fitted.stopped_early and learner.judged == 5  # an equal measure is no gain
    assert (fitted.best_step, fitted.measures["gain"]) == (6, 0.5)
    assert fitted.curve[-1].step == 15
    assert not learner.module.training
    for name, tensor in learner.module.state_dict().items():
        assert torch.equal(tensor, averaged[1][name]), name


def test_weights_that_are_judged_follow_all_steps_before():
    """At the pace that is set for each step, although they move after every fourth one only."""
    learner, learning, judged = Lines(), [], []
    learner.judge, judge = lambda module, rows: look(module, rows), learner.judge

    def look(module, rows):
        judged.append(module[0].bias.clone())
        return judge(module, rows)

    how = settings_of(steps=5, validate_every=5, averaging=0.25)
    first = learner.module[0].bias.detach().clone()
    run(how, learner=learner, report=lambda _: learning.append(learner.module[0].bias.detach().clone()))
    # After four steps they move as if after each, towards where the weights are now; then after the fifth.
    fourth = torch.lerp(first, learning[3], 1 - 0.25**4)
    torch.testing.assert_close(judged[0], torch.lerp(fourth, learning[4], 1 - 0.25))


def test_training_does_not_stop_while_it_sees_small_pictures():
    """What is gained with pictures of the whole side must have its time."""
    learner = Lines(measures=[0.5, *[0.1] * 30])
    _, fitted = run(settings_of(steps=60, validate_every=3, patience=2, small_share=0.5), learner=learner)
    assert fitted.stopped_early and fitted.best_step == 3
    assert fitted.curve[-1].step == 36  # the second judgement of the later half, without gain


def test_without_patience_training_goes_on_to_the_end():
    learner = Lines(measures=[0.5, *[0.1] * 20])
    _, fitted = run(settings_of(steps=60, validate_every=3, patience=0), learner=learner)
    assert (fitted.stopped_early, fitted.best_step, fitted.curve[-1].step) == (False, 3, 60)


def test_the_last_step_is_judged_even_between_two_judgements():
    _, fitted = run(settings_of(steps=5, validate_every=100))
    assert (fitted.best_step, fitted.curve[-1].step) == (5, 5)
    assert fitted.measures == fitted.curve[-1].measures


def test_it_learns_and_its_curve_falls():
    _, fitted = run(settings_of(steps=400, rate=0.02, validate_every=50))
    losses = [point.loss for point in fitted.curve]
    assert np.mean(losses[-50:]) < np.mean(losses[:10]) / 2
    assert fitted.measures["error"] < 0.3
    assert len(fitted.curve) <= 200 + 400 // 50
    assert all(before.step < after.step for before, after in pairwise(fitted.curve))


def test_a_points_loss_is_the_mean_since_the_point_before():
    losses = {}

    def note(step, loss):
        losses[step + 1] = float(loss.detach())
        return loss

    _, fitted = run(settings_of(steps=600, validate_every=7), learner=Lines(spoil=note))
    for before, after in list(pairwise(fitted.curve))[:20]:
        expected = np.mean([losses[step] for step in range(before.step + 1, after.step + 1)])
        assert after.loss == pytest.approx(expected, rel=1e-6)


@given(st.integers(1, 3000))
def test_the_rate_rises_to_its_peak_and_falls_to_nothing(steps):
    how = settings_of(steps=steps)
    rates = [rate_at(step, how) for step in range(steps)]
    top = int(np.argmax(rates))
    assert all(0 < rate <= 1 for rate in rates) and max(rates) == 1
    assert top <= steps // 10 + 1
    assert all(a <= b for a, b in pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in pairwise(rates[top:]))
    assert steps < 10 or rates[-1] < 0.1


def test_biases_do_not_decay():
    still = Lines()
    how = settings_of(weight_decay=1.0, rate=0.1, steps=1000)
    run_ = Run(still, how, torch.device("cpu"))
    before = {name: tensor.clone() for name, tensor in still.module.named_parameters()}
    for parameter in still.module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    run_.optimiser.step()
    for name, parameter in still.module.named_parameters():
        assert torch.equal(parameter, before[name]) == (parameter.ndim == 1), name


# Bad ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path, value):
    def spoil(step, loss):
        return loss * value if step == 7 else loss

    path = tmp_path / "checkpoint"
    with pytest.raises(TrainingFailed, match=r"not a number at step 8\. Lower the rate \(it is 0\.003\)"):
        run(settings_of(), path=path, learner=Lines(spoil=spoil))
    arrays, facts = read_arrays(path)
    assert json.loads(facts["progress"])["step"] == 6
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert_equal_weights(run(settings_of(), path=path)[0].module, run(settings_of())[0].module)


def ask_for_too_much(step, loss):
    return torch.empty(1 << 60) if step == 7 else loss  # torch's own error on a CPU


def raise_at_7(error):
    def spoil(step, loss):
        if step == 7:
            raise error
        return loss

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        ask_for_too_much,
        raise_at_7(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")),
        raise_at_7(MemoryError()),
    ],
    ids=["cpu", "gpu", "python"],
)
def test_too_little_memory_ends_the_run_with_the_remedy_and_keeps_the_checkpoint(tmp_path, spoil):
    path = tmp_path / "checkpoint"
    with pytest.raises(TrainingFailed, match=r"not enough memory for a batch\. Set a smaller batch"):
        run(settings_of(), path=path, learner=Lines(spoil=spoil))
    assert json.loads(read_arrays(path)[1]["progress"])["step"] == 6


def test_too_little_memory_before_the_first_step_is_told_as_well():
    learner = Lines()
    learner.module.state_dict = lambda: torch.empty(1 << 60)  # the copies of the weights do not fit
    with pytest.raises(TrainingFailed, match="not enough memory"):
        run(settings_of(), learner=learner)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run(settings_of(), learner=Lines(spoil=raise_at_7(RuntimeError("shapes cannot be multiplied"))))
