"""The aspects of every kind: which apply, which values they take and how common each value is."""

from .palette import DYED_DENIM, EVERYDAY, FORESTS, HIDES, STRAWS

ASPECTS: tuple[str, ...] = (
    "kind", "colour", "pattern", "material", "fit", "length", "sleeve", "neckline", "closure",
    "toe", "heel", "handle", "size", "brim",
)  # fmt: skip

Weights = dict[str, float]

_KNITS: Weights = {
    "plain": 46,
    "horizontal stripes": 17,
    "zigzag": 7,
    "diamonds": 9,
    "colour block": 11,
    "dots": 4,
}
_PRINTS: Weights = {
    "plain": 38, "horizontal stripes": 10, "vertical stripes": 7, "check": 7, "dots": 8, "floral": 14,
    "zigzag": 4, "leopard": 4, "colour block": 6,
}  # fmt: skip
_WOVENS: Weights = {
    "plain": 52,
    "check": 14,
    "vertical stripes": 10,
    "camouflage": 6,
    "colour block": 7,
    "diamonds": 2,
}
_SHOES: Weights = {"plain": 68, "colour block": 8, "leopard": 7, "check": 5, "floral": 4, "dots": 3}
_BAGS: Weights = {
    "plain": 58, "horizontal stripes": 6, "check": 8, "dots": 4, "floral": 6, "zigzag": 3, "leopard": 5,
    "colour block": 7, "diamonds": 3,
}  # fmt: skip
_FIT: Weights = {"slim": 28, "regular": 46, "loose": 26}
_TOP_LENGTH: Weights = {"cropped": 18, "hip": 58, "long": 24}
_SIZE: Weights = {"small": 30, "medium": 42, "large": 28}

# Each kind's aspects in ASPECTS' order, `kind` and `colour` aside: colour follows from material and pattern.
KINDS: dict[str, dict[str, Weights]] = {
    "t-shirt": {
        "pattern": {**_PRINTS, "plain": 40, "camouflage": 4},
        "material": {"cotton": 62, "linen": 12, "knit": 14, "satin": 6, "velvet": 3},
        "fit": _FIT,
        "length": _TOP_LENGTH,
        "sleeve": {"sleeveless": 14, "short": 62, "three-quarter": 9, "long": 15},
        "neckline": {"crew": 46, "v-neck": 24, "scoop": 18, "boat": 12},
    },
    "shirt": {
        "pattern": {
            "plain": 36, "vertical stripes": 18, "check": 18, "dots": 8, "floral": 10,
            "horizontal stripes": 4,
        },
        "material": {"cotton": 44, "linen": 18, "denim": 15, "satin": 13, "corduroy": 10},
        "fit": _FIT,
        "length": _TOP_LENGTH,
        "sleeve": {"sleeveless": 7, "short": 27, "three-quarter": 12, "long": 54},
        "neckline": {"shirt collar": 66, "stand collar": 20, "v-neck": 14},
    },
    "sweater": {
        "pattern": _KNITS,
        "material": {"knit": 62, "wool": 22, "cotton": 16},
        "fit": _FIT,
        "length": _TOP_LENGTH,
        "sleeve": {"sleeveless": 8, "short": 8, "three-quarter": 14, "long": 70},
        "neckline": {"crew": 42, "v-neck": 24, "turtleneck": 22, "boat": 12},
    },
    "hoodie": {
        "pattern": {"plain": 56, "colour block": 18, "camouflage": 10, "horizontal stripes": 9, "leopard": 3},
        "material": {"cotton": 66, "knit": 14, "nylon": 12, "velvet": 8},
        "fit": _FIT,
        "length": _TOP_LENGTH,
        "sleeve": {"sleeveless": 6, "short": 12, "long": 82},
        "closure": {"pullover": 56, "zip": 44},
    },
    "cardigan": {
        "pattern": {**_KNITS, "check": 6},
        "material": {"knit": 64, "wool": 26, "cotton": 10},
        "fit": _FIT,
        "length": _TOP_LENGTH,
        "sleeve": {"sleeveless": 6, "short": 8, "three-quarter": 18, "long": 68},
        "neckline": {"v-neck": 56, "crew": 30, "shawl collar": 14},
        "closure": {"buttons": 66, "open": 22, "zip": 12},
    },
    "jacket": {
        "pattern": _WOVENS,
        "material": {
            "denim": 22, "leather": 19, "nylon": 17, "cotton": 12, "suede": 10, "corduroy": 10, "wool": 10,
        },
        "fit": _FIT,
        "length": {"cropped": 26, "hip": 58, "long": 16},
        "sleeve": {"sleeveless": 8, "three-quarter": 8, "long": 84},
        "neckline": {"stand collar": 28, "lapel": 26, "shirt collar": 24, "hood": 12, "crew": 10},
        "closure": {"zip": 44, "buttons": 40, "double-breasted": 9, "open": 7},
    },
    "coat": {
        "pattern": {"plain": 66, "check": 20, "leopard": 4, "vertical stripes": 3, "diamonds": 3},
        "material": {"wool": 46, "cotton": 18, "nylon": 14, "leather": 8, "suede": 7, "corduroy": 7},
        "fit": _FIT,
        "length": {"thigh": 36, "knee": 40, "calf": 24},
        "sleeve": {"three-quarter": 10, "long": 90},
        "neckline": {"lapel": 48, "shirt collar": 14, "stand collar": 14, "hood": 14, "crew": 10},
        "closure": {"buttons": 40, "double-breasted": 22, "zip": 16, "belt": 16, "open": 6},
    },
    "dress": {
        "pattern": _PRINTS,
        "material": {"cotton": 36, "satin": 19, "linen": 14, "knit": 12, "denim": 8, "velvet": 7, "wool": 4},
        "fit": _FIT,
        "length": {"mini": 28, "knee": 36, "midi": 24, "maxi": 12},
        "sleeve": {"sleeveless": 42, "short": 26, "three-quarter": 12, "long": 20},
        "neckline": {"crew": 22, "v-neck": 26, "scoop": 18, "square": 14, "shirt collar": 12, "boat": 8},
        "closure": {"pullover": 52, "buttons": 24, "belt": 24},
    },
    "skirt": {
        "pattern": {**_PRINTS, "plain": 46},
        "material": {
            "cotton": 28, "denim": 18, "satin": 16, "leather": 10, "wool": 12, "corduroy": 8, "linen": 8,
        },
        "fit": _FIT,
        "length": {"mini": 32, "knee": 30, "midi": 26, "maxi": 12},
        "closure": {"zip": 34, "buttons": 24, "elastic": 26, "belt": 16},
    },
    "trousers": {
        "pattern": {
            "plain": 66, "vertical stripes": 10, "check": 12, "camouflage": 5, "colour block": 4, "dots": 2,
        },
        "material": {"denim": 36, "cotton": 26, "wool": 14, "linen": 10, "corduroy": 8, "leather": 6},
        "fit": _FIT,
        "length": {"cropped": 24, "ankle": 32, "full": 44},
        "closure": {"buttons": 46, "belt": 20, "drawstring": 18, "elastic": 16},
    },
    "shorts": {
        "pattern": {"plain": 52, "vertical stripes": 9, "check": 12, "camouflage": 7, "floral": 9, "dots": 4},
        "material": {"denim": 30, "cotton": 34, "linen": 14, "nylon": 12, "corduroy": 6, "leather": 4},
        "fit": _FIT,
        "length": {"mini": 40, "mid-thigh": 36, "knee": 24},
        "closure": {"buttons": 44, "belt": 16, "drawstring": 22, "elastic": 18},
    },
    "sneaker": {
        "pattern": _SHOES,
        "material": {"canvas": 34, "leather": 30, "suede": 16, "nylon": 14, "denim": 6},
        "length": {"low": 66, "ankle": 34},
        "closure": {"laces": 64, "straps": 14, "slip-on": 16, "zip": 6},
        "toe": {"plain toe": 56, "toe cap": 44},
        "heel": {"flat": 74, "platform": 20, "wedge": 6},
    },
    "boot": {
        "pattern": {"plain": 88, "leopard": 5, "colour block": 5, "check": 2},
        "material": {"leather": 50, "suede": 26, "patent leather": 12, "canvas": 6, "velvet": 6},
        "length": {"ankle": 50, "calf": 28, "knee": 22},
        "closure": {"laces": 32, "zip": 28, "slip-on": 26, "buckle": 14},
        "toe": {"round": 54, "pointed": 28, "square": 18},
        "heel": {"flat": 42, "block": 30, "stiletto": 12, "wedge": 8, "platform": 8},
    },
    "pump": {
        "pattern": _SHOES,
        "material": {"leather": 38, "suede": 20, "patent leather": 22, "satin": 12, "velvet": 8},
        "closure": {"slip-on": 62, "ankle strap": 26, "buckle": 12},
        "toe": {"pointed": 42, "round": 30, "peep": 16, "square": 12},
        "heel": {"stiletto": 36, "block": 26, "kitten": 18, "wedge": 12, "platform": 8},
    },
    "flat shoe": {
        "pattern": _SHOES,
        "material": {"leather": 46, "suede": 22, "patent leather": 16, "canvas": 10, "velvet": 6},
        "closure": {"slip-on": 50, "laces": 30, "buckle": 20},
        "toe": {"round": 46, "pointed": 28, "square": 14, "toe cap": 12},
        "heel": {"flat": 66, "block": 22, "platform": 12},
    },
    "sandal": {
        "pattern": {"plain": 76, "leopard": 7, "colour block": 9, "horizontal stripes": 4, "dots": 4},
        "material": {"leather": 48, "suede": 18, "patent leather": 12, "canvas": 12, "straw": 10},
        "closure": {"buckle": 40, "slip-on": 28, "ankle strap": 22, "laces": 10},
        "heel": {"flat": 42, "platform": 16, "wedge": 16, "block": 16, "stiletto": 10},
    },
    "handbag": {
        "pattern": _BAGS,
        "material": {
            "leather": 46, "suede": 12, "patent leather": 12, "canvas": 12, "velvet": 8, "straw": 10,
        },
        "closure": {"zip": 28, "flap": 34, "clasp": 24, "buckle": 14},
        "handle": {"top handle": 42, "shoulder strap": 30, "chain": 28},
        "size": _SIZE,
    },
    "backpack": {
        "pattern": {**_BAGS, "camouflage": 8},
        "material": {"nylon": 38, "canvas": 30, "leather": 22, "denim": 10},
        "closure": {"zip": 52, "buckle": 30, "drawstring": 18},
        "handle": {"wide straps": 58, "narrow straps": 42},
        "size": _SIZE,
    },
    "tote": {
        "pattern": {**_BAGS, "plain": 44, "horizontal stripes": 14},
        "material": {"canvas": 44, "leather": 24, "straw": 18, "denim": 8, "nylon": 6},
        "closure": {"open": 56, "zip": 24, "clasp": 20},
        "handle": {"short handles": 52, "long handles": 48},
        "size": _SIZE,
    },
    "hat": {
        "pattern": {
            "plain": 62, "check": 9, "horizontal stripes": 8, "camouflage": 5, "zigzag": 4, "leopard": 4,
            "dots": 4,
        },
        "material": {"wool": 30, "cotton": 26, "knit": 20, "straw": 14, "denim": 6, "corduroy": 4},
        "size": {"shallow": 36, "medium": 36, "deep": 28},
        "brim": {"none": 28, "peak": 28, "narrow": 22, "wide": 22},
    },
}  # fmt: skip


def colours_for(material: str, pattern: str) -> dict[str, float]:
    """How common each colour word is on this material and pattern."""
    if pattern == "camouflage":
        return FORESTS
    if material == "denim":
        return DYED_DENIM
    if material == "straw":
        return STRAWS
    if pattern == "leopard":
        return {"beige": 40, "brown": 20, "grey": 12, "white": 14, "orange": 4, "pink": 5, "red": 5}
    return HIDES if material in ("leather", "patent leather", "suede") else EVERYDAY
