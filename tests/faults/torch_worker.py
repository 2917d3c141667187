"""`python -m tests.faults.torch_worker`: a worker that chooses slates in torch, as one with a GPU does.

Every space is large to it. It counts the times that distances were worked out in torch: a line in HOME/torch.
"""

import sys
from pathlib import Path

import django
import torch

django.setup()

from django.conf import settings  # noqa: E402

from dopeornope.celery import app  # noqa: E402
from evaluation import tasks  # noqa: E402
from search.engine.navigation import reckoning, residents  # noqa: E402
from search.engine.navigation.residents import OnDevice, Resident  # noqa: E402

ROOMY = 1 << 30


class Counted(Resident):
    """Says so when it works."""

    def _add_in_order(self, ones: list[int]) -> torch.Tensor:
        with Path(settings.HOME, "torch").open("a") as told:
            print(len(ones), file=told)
        return super()._add_in_order(ones)


if __name__ == "__main__":
    reckoner = OnDevice(torch.device("cpu"), room=ROOMY)
    residents.Resident = Counted  # type: ignore[misc]
    reckoning.LARGE = 1
    tasks._find_reckoner = lambda: reckoner  # type: ignore[assignment]
    app.worker_main(sys.argv[1:])
