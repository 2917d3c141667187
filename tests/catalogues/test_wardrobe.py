"""The demo catalogue: frozen, fully labelled, true to its labels, and not easy."""

import hashlib
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image

from search.catalogues.wardrobe import ASPECTS, VERSION, Drawing, draw_item
from search.catalogues.wardrobe.attributes import KINDS
from search.catalogues.wardrobe.designs import make_design
from search.catalogues.wardrobe.palette import ANCHORS

SEED = 77
SAMPLE = 240

# sha256 of the raw pixels, first 24 digits: (catalogue view, lifestyle view). They change only with VERSION.
PINNED = {
    (0, 0): ("e5564249ff01514c1f74ddee", "bcc9104239c2f5dbf280b4b8"),
    (0, 1): ("422543d0cd7393c26f389a2a", "293d2707f7e5e9e03b7816b4"),
    (7, 4321): ("38320eecd4db9823ead67085", "30ca33174bc37e42648522d1"),
    (2026, 9999): ("30e86f78afb5c8ce2240a799", "268fa1b3c6e96ba26b002024"),
}


def digest(view: Image.Image) -> str:
    return hashlib.sha256(view.tobytes()).hexdigest()[:24]


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    return [draw_item(SEED, number) for number in range(SAMPLE)]


@pytest.fixture(scope="module")
def views(drawings: list[Drawing]) -> list[Image.Image]:
    return [drawing.catalogue_view() for drawing in drawings]


@pytest.fixture(scope="module")
def labels() -> list[dict[str, str]]:
    return [draw_item(SEED, number).labels for number in range(6000)]


def test_the_same_seed_number_and_version_give_the_same_pixels() -> None:
    assert VERSION == "1"
    for (seed, number), pinned in PINNED.items():
        drawing = draw_item(seed, number)
        assert (digest(drawing.catalogue_view()), digest(drawing.lifestyle_view())) == pinned


def test_an_item_does_not_depend_on_which_others_were_drawn(views: list[Image.Image]) -> None:
    for number in (230, 120, 5):
        again = draw_item(SEED, number)
        again.lifestyle_view()
        assert digest(again.catalogue_view()) == digest(views[number])
        assert digest(draw_item(SEED + 1, number).catalogue_view()) != digest(views[number])


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="counts from 0"):
        draw_item(SEED, -1)


def test_keys_are_stable_and_unique() -> None:
    assert draw_item(SEED, 123).key == "w000123"
    assert len({make_design(SEED, number).key for number in range(2000)}) == 2000


def test_views_are_320_pixels_square_and_the_catalogue_ground_is_white(views: list[Image.Image]) -> None:
    for view in views:
        assert (view.mode, view.size) == ("RGB", (320, 320))
        assert all(
            view.getpixel(spot) == (255, 255, 255) for spot in ((0, 0), (319, 0), (0, 319), (319, 319))
        )


def test_the_item_fills_a_fair_part_of_its_view_and_is_not_cut_off(drawings: list[Drawing]) -> None:
    for drawing in drawings:
        covered = np.asarray(drawing.coverage) > 128
        assert 0.04 < covered.mean() < 0.8, drawing.key
        rim = np.concatenate([covered[0], covered[-1], covered[:, 0], covered[:, -1]])
        assert not rim.any(), (drawing.key, drawing.labels)


def test_every_aspect_that_applies_is_labelled_in_order(labels: list[dict[str, str]]) -> None:
    assert ASPECTS[0] == "kind"
    for label in labels:
        applies = {"kind", "colour", *KINDS[label["kind"]]}
        assert list(label) == [aspect for aspect in ASPECTS if aspect in applies]
        for aspect, weights in KINDS[label["kind"]].items():
            assert label[aspect] in weights


def test_there_are_at_least_twelve_kinds_with_several_values_in_every_aspect(
    labels: list[dict[str, str]],
) -> None:
    values: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for label in labels:
        for aspect, value in label.items():
            values[label["kind"], aspect][value] += 1
    kinds = Counter(label["kind"] for label in labels)
    assert len(kinds) >= 12
    assert min(kinds.values()) > len(labels) / len(kinds) / 2
    for (kind, aspect), counts in values.items():
        if aspect != "kind":
            assert len(counts) >= 2, (kind, aspect)
            assert max(counts.values()) < 0.95 * sum(counts.values()), (kind, aspect)
    assert len({label["colour"] for label in labels}) == len(ANCHORS)
    assert len({label["pattern"] for label in labels}) >= 10


def test_values_are_shared_by_kinds_so_that_no_aspect_gives_the_kind_away(
    labels: list[dict[str, str]],
) -> None:
    shared: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for label in labels:
        for aspect in ("colour", "pattern", "material"):
            shared[aspect, label[aspect]].add(label["kind"])
    assert all(len(kinds) >= 5 for (aspect, _), kinds in shared.items() if aspect != "material")
    assert all(len(kinds) >= 2 for kinds in shared.values())


def to_oklab(colours: np.ndarray) -> np.ndarray:
    """OKLab of sRGB colours 0..255, shape (n, 3) (Ottosson 2020)."""
    c = np.asarray(colours, dtype=float) / 255
    c = np.where(c > 0.04045, ((c + 0.055) / 1.055) ** 2.4, c / 12.92)
    cones = np.cbrt(
        c @ np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]).T
    )
    return (
        cones @ np.array([[0.2105, 0.7936, -0.0041], [1.978, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]).T
    )


def test_the_colour_label_is_the_dominant_colour_of_the_picture(
    drawings: list[Drawing], views: list[Image.Image]
) -> None:
    words = [word for word, shades in ANCHORS.items() for _ in shades]
    anchors = to_oklab(np.array([shade for shades in ANCHORS.values() for shade in shades]))
    first = second = 0
    for drawing, view in zip(drawings, views, strict=True):
        inside = np.asarray(drawing.coverage.reduce(4)).ravel() > 250
        pixels = to_oklab(np.asarray(view.reduce(4)).reshape(-1, 3)[inside])
        # Lightness counts less than hue: folds and shade darken a cloth without changing what one calls it.
        apart = (((pixels[:, None] - anchors[None]) ** 2) * [0.35, 1, 1]).sum(axis=2)
        seen = [word for word, _ in Counter(words[n] for n in apart.argmin(axis=1)).most_common(2)]
        first += seen[0] == drawing.labels["colour"]
        second += drawing.labels["colour"] in seen
    assert first >= 0.95 * SAMPLE
    assert second >= 0.98 * SAMPLE


def test_ten_thousand_items_are_ten_thousand_designs() -> None:
    names = ("shoulder", "main blend", "stripe period", "wide", "heel height", "length", "waist", "cuff")
    designs = set()
    for number in range(10_000):
        design = make_design(3, number)
        designs.add((*design.labels.values(), *(round(design.traits.unit(name), 3) for name in names)))
    assert len(designs) == 10_000


def test_no_two_views_are_equal(views: list[Image.Image]) -> None:
    assert len({digest(view) for view in views}) == SAMPLE


def test_lifestyle_views_show_the_item_in_a_scene_of_its_own(drawings: list[Drawing]) -> None:
    shown = [drawing.lifestyle_view() for drawing in drawings[:60]]
    assert len({digest(view) for view in shown}) == 60
    for drawing, view in zip(drawings, shown, strict=False):
        assert (view.mode, view.size) == ("RGB", (320, 320))
        scene = np.asarray(view, dtype=int)
        assert (scene.min(axis=2) > 250).mean() < 0.3, drawing.key
        ground = np.asarray(drawing.coverage) == 0
        white = np.asarray(drawing.catalogue_view(), dtype=int)
        assert np.abs(scene - white)[ground].mean() > 15, drawing.key


def test_families_hold_near_neighbours_of_one_kind(drawings: list[Drawing], views: list[Image.Image]) -> None:
    families: defaultdict[str, list[int]] = defaultdict(list)
    for number, drawing in enumerate(drawings):
        families[drawing.group].append(number)
    assert len(families) > SAMPLE / 2
    small = np.stack([np.asarray(view.reduce(10), dtype=float) for view in views])
    twins: list[float] = []
    for members in families.values():
        assert len({drawings[n].labels["kind"] for n in members}) == 1
        alike = [n for n in members[1:] if drawings[n].labels == drawings[members[0]].labels]
        twins += [np.abs(small[n] - small[members[0]]).mean() for n in alike]
    strangers = [np.abs(small[n] - small[n + 97]).mean() for n in range(SAMPLE - 97)]
    assert len(twins) > SAMPLE / 20
    assert 0 < np.median(twins) < np.median(strangers) / 2


def test_raw_pixels_are_not_enough_to_find_the_kind(
    drawings: list[Drawing], views: list[Image.Image]
) -> None:
    kinds = np.array([drawing.labels["kind"] for drawing in drawings])
    groups = np.array([drawing.group for drawing in drawings])
    flat = np.stack([np.asarray(view.reduce(10), dtype=np.float32).ravel() for view in views])
    squares = (flat**2).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * flat @ flat.T
    apart[groups[:, None] == groups[None]] = np.inf
    share = (kinds[apart.argmin(axis=1)] == kinds).mean()
    assert 2 / len(KINDS) < share < 0.7


def test_the_item_lies_in_its_box_and_is_gone_from_the_empty_view() -> None:
    for number in (0, 1, 2, 3):
        drawing = draw_item(SEED, number)
        with_item, without = (
            np.asarray(view, np.int16) for view in (drawing.lifestyle_view(), drawing.empty_view())
        )
        changed = (np.abs(with_item - without).max(axis=2) > 60).mean()
        left, top, right, bottom = drawing.lifestyle_box()
        inside = np.abs(with_item - without)[
            round(top * 320) : round(bottom * 320), round(left * 320) : round(right * 320)
        ]
        assert (inside.max(axis=2) > 60).mean() > changed
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
