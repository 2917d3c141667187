"""Large spaces that stay in the memory of a GPU, and what is worked out of them there: `reckoning` in torch.

Every operation of torch here is one of `reckoning` for all numbers at once, so none is fused with another.
Where the GPU lacks memory, or fails, the processors go on: the bits are the same.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TypeVar
from weakref import WeakSet

import torch

from search.engine.navigation.ordered_sums import LANES
from search.engine.navigation.reckoning import (
    IN_ORDER,
    Items,
    Laid,
    Rows,
    Table,
    Tables,
    Vectors,
    fetch,
    foresee,
    look,
    split_chances,
)
from search.engine.training.devices import find_device
from search.engine.training.failures import TrainingFailed

REMEMBERED = 64  # items whose distances to all stay with a space: those that several games show
WORKSPACE = 1 << 26  # numbers that are on the way at once
_SHARE = 4  # one in so many bytes that are free on a GPU may be filled with spaces

Found = TypeVar("Found")
log = logging.getLogger(__name__)


def find_gpu(wanted: str) -> OnDevice | None:
    """The GPU, for ``wanted`` auto or cuda; None where there is none, which the log says for cuda.

    Nor is one taken that cannot be asked, being full or broken; the log says why.
    """
    try:
        device = find_device(wanted)
    except TrainingFailed as error:
        log.warning("Slates are chosen on the processor: %s", error)
        return None
    if device.type != "cuda":
        return None
    # This is what first puts anything on the GPU, and may find it full.
    free = _try(lambda: torch.cuda.mem_get_info(device)[0], device)
    return None if free is None else OnDevice(device, room=free // _SHARE)


class OnDevice:
    """A `Reckoner` on a torch device, which may hold ``room`` bytes of spaces at once."""

    def __init__(self, device: torch.device, *, room: int) -> None:
        self._device, self._room = device, room
        self._residents: WeakSet[Resident] = WeakSet()

    def lay(self, rows: Rows) -> Laid:
        """See `Reckoner`. Where there is no room, on the processor."""
        needed = rows.blocks.nbytes + REMEMBERED * len(rows) * rows.blocks.itemsize
        held = sum(resident.size for resident in self._residents)
        if held + needed > self._room:
            log.warning(
                "A space of %d items needs %d MB on %s, where %d of %d are taken: "
                "the processor chooses its slates.",
                *(len(rows), needed >> 20, self._device, held >> 20, self._room >> 20),
            )
            return rows
        resident = _try(partial(Resident, rows, self._device, needed), self._device)
        if resident is None:
            return rows
        self._residents.add(resident)
        return resident

    def answer(self, tables: Tables, pick: int, power: int, lapse: float) -> Vectors:
        """See `Reckoner`."""
        there = [(table.values, weight) for table, weight in tables if isinstance(table, TableThere)]
        if len(there) == len(tables):
            found = _try(partial(self._answer, there, pick, power, lapse), self._device)
            if found is not None:
                return found
        return IN_ORDER.answer([(fetch(table), weight) for table, weight in tables], pick, power, lapse)

    def _answer(self, tables: Tables, pick: int, power: int, lapse: float) -> Vectors:
        seen = look(tables)
        share, rest = (torch.tensor(part, device=self._device) for part in split_chances(lapse, len(seen)))
        return fetch(foresee(seen, pick, power, share, rest))


class TableThere:
    """A `Table` on a device: ``values`` (o, n). ``remake`` works it out on the processor."""

    def __init__(self, values: torch.Tensor, remake: Callable[[], Vectors]) -> None:
        self.values, self._remake = values, remake

    def numpy(self, *, force: bool) -> Vectors:
        """See `fetch`. A device that broke since gives nothing back."""
        found = _try(partial(fetch, self.values), self.values.device)
        return self._remake() if found is None else found


class Resident:
    """A `Laid` space on a device, ``size`` bytes of it, with the distances that were asked for last."""

    def __init__(self, rows: Rows, device: torch.device, size: int) -> None:
        self._rows, self._device, self.size = rows, device, size
        width = -rows.blocks.shape[1] % LANES  # dimensions of noughts, which add nothing
        blocks = torch.from_numpy(rows.blocks).to(device)
        laid = blocks.transpose(0, 1).reshape(blocks.shape[1], -1)[:, : len(rows)]
        self._laid = torch.nn.functional.pad(laid, (0, 0, 0, width)).contiguous()
        self._known: OrderedDict[int, torch.Tensor] = OrderedDict()
        self._lock = Lock()

    def squared(self, ones: Items) -> Table:
        """See `Laid`."""
        with self._lock:
            found = _try(partial(self._gather, ones.tolist()), self._device)
            if found is None:
                self._known.clear()
        remake = partial(self._rows.squared, ones)
        return remake() if found is None else TableThere(found, remake)

    def prepare(self, ones: Items) -> None:
        """See `Laid`."""
        with self._lock:
            if _try(partial(self._learn, ones.tolist()[:REMEMBERED]), self._device) is None:
                self._known.clear()

    def _gather(self, ones: list[int]) -> torch.Tensor:
        known = self._learn(ones)
        return torch.stack([known[one] for one in ones])

    def _learn(self, ones: list[int]) -> dict[int, torch.Tensor]:
        """The distances of these items; what is not known yet is worked out together."""
        missing = [one for one in dict.fromkeys(ones) if one not in self._known]
        if missing:
            squared = self._add_in_order(missing)
            # Copies: a part of a table would keep all of it in memory.
            self._known |= {one: row.clone() for one, row in zip(missing, squared, strict=True)}
        known = {one: self._known[one] for one in ones}
        for one in known:
            self._known.move_to_end(one)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _add_in_order(self, ones: list[int]) -> torch.Tensor:
        """Squared distances, (len(ones), n): see `reckoning`."""
        dimensions, size = self._laid.shape
        found = torch.empty((len(ones), size), device=self._device)
        vectors = self._laid[:, torch.tensor(ones, device=self._device)]
        step = max(1, WORKSPACE // (2 * LANES * len(ones)))
        for begin in range(0, size, step):
            part = self._laid[:, None, begin : begin + step]
            lanes = torch.zeros((LANES, len(ones), part.shape[2]), device=self._device)
            for p in range(0, dimensions, LANES):
                gaps = part[p : p + LANES] - vectors[p : p + LANES, :, None]
                lanes += gaps.mul_(gaps)
            half = LANES // 2
            while half:
                lanes[:half] += lanes[half : 2 * half]
                half //= 2
            found[:, begin : begin + step] = lanes[0]
        return found


def _try(work: Callable[[], Found], device: torch.device) -> Found | None:
    """What comes of work on a device; None where it fails, as for want of memory: the log says why."""
    try:
        return work()
    except (RuntimeError, torch.cuda.DeferredCudaCallError) as error:  # whatever a device can refuse
        log.warning("%s cannot take part in choosing slates (%s): the processor does it.", device, error)
        if device.type == "cuda" and isinstance(error, torch.OutOfMemoryError):
            torch.cuda.empty_cache()
        return None
