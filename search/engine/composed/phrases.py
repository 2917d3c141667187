"""How people speak of clothes: other words for attributes, scales that comparatives move along.

Written by hand; that FashionIQ's captions speak so is checked by a test. A catalogue uses what it has
attributes for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# (aspect, value) -> how it is said. Values listed here are not matched by their bare word unless it is given:
# "long" alone is a length, not a sleeve.
SPOKEN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("colour", "grey"): ("grey", "gray", "charcoal"),
    ("colour", "white"): ("white", "ivory", "cream"),
    ("colour", "beige"): ("beige", "tan", "sand"),
    ("colour", "brown"): ("brown", "chocolate"),
    ("colour", "red"): ("red", "scarlet", "maroon"),
    ("colour", "teal"): ("teal", "turquoise"),
    ("colour", "navy"): ("navy", "navy blue", "dark blue"),
    ("colour", "purple"): ("purple", "violet"),
    ("colour", "pink"): ("pink", "rose"),
    ("pattern", "plain"): ("plain", "solid", "without pattern", "no pattern", "without print", "no print"),
    ("pattern", "horizontal stripes"): ("horizontal stripes", "horizontally striped", "striped", "stripes"),
    ("pattern", "vertical stripes"): ("vertical stripes", "vertically striped", "pinstripe", "pinstriped"),
    ("pattern", "check"): ("check", "checked", "checkered", "chequered", "plaid", "tartan", "gingham"),
    ("pattern", "dots"): ("dots", "dotted", "polka dots", "spots", "spotted"),
    ("pattern", "floral"): ("floral", "flowers", "flowery", "flower print"),
    ("pattern", "zigzag"): ("zigzag", "zig-zag", "chevron"),
    ("pattern", "leopard"): ("leopard", "leopard print", "animal print"),
    ("pattern", "camouflage"): ("camouflage", "camo"),
    ("pattern", "diamonds"): ("diamonds", "argyle", "harlequin"),
    ("pattern", "colour block"): ("colour block", "color block", "colour blocked", "two-tone"),
    ("material", "knit"): ("knit", "knitted"),
    ("material", "denim"): ("denim", "jean"),
    ("material", "wool"): ("wool", "woollen", "woolen"),
    ("material", "satin"): ("satin", "silky", "shiny fabric"),
    ("material", "patent leather"): ("patent leather", "patent", "glossy leather"),
    ("fit", "slim"): ("slim", "slim fit", "fitted", "form fitting", "tight"),
    ("fit", "regular"): ("regular fit", "regular"),
    ("fit", "loose"): ("loose", "loose fit", "baggy", "oversized", "flowing"),
    ("length", "cropped"): ("cropped", "crop"),
    ("length", "hip"): ("hip length", "hip long"),
    ("length", "long"): ("long", "long cut"),
    ("length", "thigh"): ("thigh length", "thigh long"),
    ("length", "knee"): ("knee length", "knee long", "knee high", "to the knee"),
    ("length", "calf"): ("calf length", "calf high"),
    ("length", "mini"): ("mini", "mini length", "short"),
    ("length", "midi"): ("midi", "midi length"),
    ("length", "maxi"): ("maxi", "maxi length", "floor length"),
    ("length", "mid-thigh"): ("mid-thigh", "mid-thigh length"),
    ("length", "ankle"): ("ankle length", "ankle high"),
    ("length", "full"): ("full length",),
    ("length", "low"): ("low top", "low cut", "low"),
    ("sleeve", "sleeveless"): ("sleeveless", "no sleeves", "without sleeves", "sleeves removed"),
    ("sleeve", "short"): ("short sleeves", "short sleeved"),
    ("sleeve", "three-quarter"): (
        "three-quarter sleeves", "three-quarter sleeved", "3/4 sleeves", "3/4 sleeved",
    ),
    ("sleeve", "long"): ("long sleeves", "long sleeved"),
    ("neckline", "crew"): ("crew neck", "crew neckline", "round neck", "round neckline"),
    ("neckline", "v-neck"): ("v-neck", "vneck", "v neckline", "v-necked"),
    ("neckline", "scoop"): ("scoop neck", "scoop neckline", "scooped neck"),
    ("neckline", "boat"): ("boat neck", "boat neckline"),
    ("neckline", "square"): ("square neck", "square neckline"),
    ("neckline", "shirt collar"): ("shirt collar", "collar", "collared"),
    ("neckline", "stand collar"): ("stand collar", "standing collar", "mandarin collar"),
    ("neckline", "turtleneck"): ("turtleneck", "turtle neck", "polo neck", "roll neck"),
    ("neckline", "shawl collar"): ("shawl collar",),
    ("neckline", "lapel"): ("lapel",),
    ("neckline", "hood"): ("hood", "hooded"),
    ("closure", "buttons"): ("buttons", "buttoned", "button down", "button up", "button"),
    ("closure", "zip"): ("zip", "zipper", "zipped", "zip up"),
    ("closure", "belt"): ("belt", "belted"),
    ("closure", "open"): ("open", "open front", "open top"),
    ("closure", "elastic"): ("elastic", "elasticated", "elastic waist"),
    ("closure", "laces"): ("laces", "lace up", "shoelaces"),
    ("closure", "straps"): ("straps", "velcro"),
    ("closure", "slip-on"): ("slip-on", "slip on", "without laces", "no laces"),
    ("closure", "double-breasted"): ("double-breasted",),
    ("closure", "ankle strap"): ("ankle strap",),
    ("toe", "round"): ("round toe", "rounded toe"),
    ("toe", "pointed"): ("pointed toe", "pointed", "pointy"),
    ("toe", "square"): ("square toe",),
    ("toe", "peep"): ("peep toe", "open toe"),
    ("heel", "flat"): ("flat", "flat heel", "no heel", "without heel", "heelless"),
    ("heel", "block"): ("block heel", "chunky heel"),
    ("heel", "stiletto"): ("stiletto", "stiletto heel", "thin heel"),
    ("heel", "kitten"): ("kitten heel",),
    ("heel", "wedge"): ("wedge", "wedge heel"),
    ("heel", "platform"): ("platform", "platform heel"),
    ("size", "small"): ("small", "small size"),
    ("size", "medium"): ("medium", "medium sized"),
    ("size", "large"): ("large", "big", "large size"),
    ("size", "shallow"): ("shallow",),
    ("size", "deep"): ("deep", "deep crown"),
    ("brim", "none"): ("brimless", "no brim", "without brim"),
    ("brim", "peak"): ("peak", "peaked", "visor"),
    ("brim", "narrow"): ("narrow brim",),
    ("brim", "wide"): ("wide brim", "broad brim"),
    ("kind", "t-shirt"): ("t-shirt", "tshirt", "tee", "tee shirt"),
    ("kind", "sweater"): ("sweater", "jumper", "pullover sweater"),
    ("kind", "hoodie"): ("hoodie", "hooded sweatshirt"),
    ("kind", "trousers"): ("trousers", "pants"),
    ("kind", "sneaker"): ("sneaker", "trainer"),
    ("kind", "handbag"): ("handbag", "purse"),
    ("kind", "backpack"): ("backpack", "rucksack"),
    ("kind", "tote"): ("tote", "tote bag", "shopper"),
}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """Values of an aspect from less to more; ``kinds`` of items have it to themselves, () all others."""

    values: tuple[str, ...]
    kinds: tuple[str, ...] = ()


SCALES: Mapping[str, tuple[Scale, ...]] = {
    "length": (
        Scale(("cropped", "hip", "long")),
        Scale(("mini", "mid-thigh", "thigh", "knee", "midi", "calf", "maxi")),
        Scale(("cropped", "ankle", "full"), ("trousers",)),
        Scale(("low", "ankle", "calf", "knee"), ("boot", "sneaker")),
    ),
    "sleeve": (Scale(("sleeveless", "short", "three-quarter", "long")),),
    "fit": (Scale(("slim", "regular", "loose")),),
    "size": (Scale(("small", "medium", "large")), Scale(("shallow", "medium", "deep"), ("hat",))),
    "brim": (Scale(("none", "narrow", "wide")),),
    "colour": (
        Scale(
            ("black", "navy", "brown", "purple", "green", "teal", "blue", "red", "grey", "orange", "pink",
             "beige", "yellow", "white"),
        ),
    ),
}  # fmt: skip

# How a move along a scale is said: (aspect, towards more) -> comparatives.
COMPARED: Mapping[tuple[str, bool], tuple[str, ...]] = {
    ("length", True): ("longer", "more long", "less short"),
    ("length", False): ("shorter", "less long"),
    ("sleeve", True): ("longer sleeves", "longer sleeved", "more sleeve"),
    ("sleeve", False): ("shorter sleeves", "shorter sleeved", "less sleeve"),
    ("fit", True): ("looser", "baggier", "looser fitting", "less fitted", "less tight"),
    ("fit", False): ("tighter", "slimmer", "more fitted", "less loose", "less baggy"),
    ("size", True): ("larger", "bigger"),
    ("size", False): ("smaller",),
    ("brim", True): ("wider brim", "broader brim"),
    ("brim", False): ("narrower brim",),
    ("colour", True): ("lighter", "lighter in colour", "lighter in color", "paler", "brighter", "less dark"),
    ("colour", False): ("darker", "darker in colour", "darker in color", "less bright", "more dark"),
}

# What stands between an attribute and its aspect in a request, and says nothing about an attribute.
_FILLERS = (
    "a an the and or nor but with in on of to into for by from at as is are was be been being has "
    "have had having it its this that these those them they one ones i me my you your we our want "
    "wants wanted would like please make made change changed changes turn turned show shows find get "
    "give same similar something anything thing item product look looks looking more most much very "
    "quite bit little slightly somewhat rather just only also too so than then some any all other "
    "another different instead replace replaced swap do does did can could should will shall need "
    "needs needed there here colour color coloured colored fabric material pattern print design style "
    "neckline neck sleeve sleeved closure length fit size type kind what which who up down out off "
    "over if while when where how about let prefer preferably no not without less never neither isn't "
    "aren't doesn't don't wasn't hasn't won't can't shouldn't wouldn't non lose drop remove"
)
FILLERS = frozenset(_FILLERS.split())
