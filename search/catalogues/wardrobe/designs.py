"""Which design a number stands for: families of near-identical designs, and the labels of each."""

from dataclasses import dataclass
from functools import lru_cache

from .attributes import ASPECTS, KINDS, colours_for
from .traits import Traits, hash_unit

VERSION = "1"

# A block of consecutive numbers holds these families, scattered over the block, so that families stay whole
# in any catalogue whose size is a multiple of the block and no number depends on how many are drawn.
_BLOCK = 60
_SIZES = (*(1,) * 30, *(2,) * 6, *(3,) * 3, 4, 5)

# Families of different kinds that share a cloth: what a colour or texture alone would take for one another.
_IN_COLLECTION = 0.28
_COLLECTIONS = 5
_OF_CLOTH = ("pattern", "material")

# What a further member of a family changes; continuous measures always drift a little.
_CHANGES: dict[str, float] = {
    "nothing": 52, "colour": 20, "pattern": 8, "material": 5, "length": 4, "sleeve": 4, "closure": 4, "fit": 3
}  # fmt: skip


@dataclass(frozen=True)
class Design:
    """One item before it is drawn: chances for its form, and for its cloth, which a collection shares."""

    key: str
    group: str
    labels: dict[str, str]
    traits: Traits
    cloth: Traits


@lru_cache(maxsize=64)
def _block_families(seed: int, block: int) -> tuple[tuple[int, int], ...]:
    """For each place in a block: (family number within the block, member number within the family)."""
    members = [(family, member) for family, size in enumerate(_SIZES) for member in range(size)]
    order = sorted(range(_BLOCK), key=lambda place: hash_unit(f"{VERSION}/{seed}/block {block}/{place}"))
    return tuple(members[place] for place in order)


def make_design(seed: int, number: int) -> Design:
    """The design of item `number`, counted from 0, of the catalogue `seed`.

    Raises ValueError for a negative number.
    """
    if number < 0:
        raise ValueError(f"a wardrobe item's number counts from 0, not {number}")
    block, place = divmod(number, _BLOCK)
    family, member = _block_families(seed, block)[place]
    group = f"f{block:05d}-{family:02d}"
    family_key, member_key = f"{VERSION}/{seed}/{group}", f"{VERSION}/{seed}/{number}"
    rethrown: frozenset[str] = frozenset()
    if member:
        change = Traits(family_key, member_key, 1.0).weigh("change", dict.fromkeys(_CHANGES, 1.0))
        change = Traits(member_key, member_key, 0.0).weigh("change", _CHANGES)
        if change == "colour":
            rethrown = frozenset({"colour", "main anchor", "accent 0 word", "accent 1 word"})
        elif change != "nothing":
            rethrown = frozenset({change})
    spread = 0.12 + 0.3 * hash_unit(f"{member_key}/spread") if member else 0.0
    traits = Traits(family_key, member_key, spread, rethrown)
    cloth_key = family_key
    if hash_unit(f"{family_key}/in collection") < _IN_COLLECTION:
        cloth_key = f"{VERSION}/{seed}/c{block}-{int(hash_unit(f'{family_key}/collection') * _COLLECTIONS)}"
        spread = max(spread, 0.1)
    cloth = Traits(cloth_key, member_key, spread, rethrown)
    return Design(f"w{number:06d}", group, choose_labels(traits, cloth), traits, cloth)


def choose_labels(traits: Traits, cloth: Traits) -> dict[str, str]:
    """A value for every aspect that applies to the kind, in the order of ASPECTS."""
    kind = traits.pick("kind", tuple(KINDS))
    chosen = {
        aspect: (cloth if aspect in _OF_CLOTH else traits).weigh(aspect, weights)
        for aspect, weights in KINDS[kind].items()
    }
    chosen["kind"] = kind
    chosen["colour"] = cloth.weigh("colour", colours_for(chosen["material"], chosen["pattern"]))
    return {aspect: chosen[aspect] for aspect in ASPECTS if aspect in chosen}
