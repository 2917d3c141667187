"""One item of the demo catalogue: its labels and its two views."""

from collections.abc import Callable
from functools import cached_property

from PIL import Image

from .backpacks import draw_backpack
from .bags import draw_handbag, draw_tote
from .boots import draw_boot
from .bottoms import draw_bottoms
from .cloth import Wardrobe, dress_up
from .designs import Design, make_design
from .dresses import draw_dress
from .hats import draw_hat
from .lifestyle import draw_empty, draw_lifestyle, find_item, soft_shadow, turn_back
from .outerwear import draw_outerwear
from .pumps import draw_flat_shoe, draw_pump
from .sandals import draw_sandal
from .sheet import SIZE, Sheet
from .skirts import draw_skirt
from .sneakers import draw_sneaker
from .tops import draw_top
from .traits import Traits

_DRAWERS: dict[str, Callable[[Traits, dict[str, str], Wardrobe], Sheet]] = {
    "t-shirt": draw_top,
    "shirt": draw_top,
    "sweater": draw_top,
    "hoodie": draw_top,
    "cardigan": draw_top,
    "jacket": draw_outerwear,
    "coat": draw_outerwear,
    "dress": draw_dress,
    "skirt": draw_skirt,
    "trousers": draw_bottoms,
    "shorts": draw_bottoms,
    "sneaker": draw_sneaker,
    "boot": draw_boot,
    "pump": draw_pump,
    "flat shoe": draw_flat_shoe,
    "sandal": draw_sandal,
    "handbag": draw_handbag,
    "backpack": draw_backpack,
    "tote": draw_tote,
    "hat": draw_hat,
}


class Drawing:
    """One item: `key`, `group` (its design family), `labels` (aspect -> value), and its views on demand."""

    def __init__(self, design: Design) -> None:
        self.key = design.key
        self.group = design.group
        self.labels = design.labels
        self._traits = design.traits
        self._cloth = design.cloth

    @cached_property
    def _sheet(self) -> Sheet:
        labels = self.labels
        wardrobe = dress_up(self._cloth, labels["colour"], labels["material"], labels["pattern"])
        return _DRAWERS[labels["kind"]](self._traits, labels, wardrobe)

    @property
    def coverage(self) -> Image.Image:
        """How far the item covers each pixel of its catalogue view (mode L, 255 = wholly)."""
        return self._sheet.coverage

    def catalogue_view(self) -> Image.Image:
        """The item alone on white with a soft shadow, RGB, 320 x 320 pixels."""
        sheet = self._sheet
        view = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
        view.paste((70, 66, 74), (0, 0), soft_shadow(sheet.coverage, 2.2, (1, 2), 30))
        view.paste(sheet.colour, (0, 0), sheet.coverage)
        return view

    def lifestyle_view(self) -> Image.Image:
        """The same item in use: turned, lit, perhaps partly hidden, before clutter; RGB, 320 x 320 pixels."""
        return draw_lifestyle(self._traits, self._sheet)

    def lifestyle_box(self) -> tuple[float, float, float, float]:
        """Where the item lies in the lifestyle view, hidden parts too: left, top, right, bottom, 0 to 1."""
        return find_item(self._traits, self._sheet)

    def empty_view(self) -> Image.Image:
        """The place of the lifestyle view without the item; RGB, 320 x 320 pixels."""
        return draw_empty(self._traits)

    def undone_view(self) -> Image.Image:
        """What the lifestyle view shows of the item, pose and scene undone: what could be seen at best."""
        return turn_back(self._traits, self._sheet, self.lifestyle_view())


def draw_item(seed: int, number: int) -> Drawing:
    """Item `number` (from 0) of the demo catalogue `seed`; nothing is drawn until a view is asked for.

    The same seed, number and VERSION give the same labels and the same pixels, whatever else is drawn.
    Raises ValueError for a negative number.
    """
    return Drawing(make_design(seed, number))
