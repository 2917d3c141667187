"""Measures embedding in a house of its own; `embedding.py` starts it.

python -m benchmarks.embedding_house FILE
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
django.setup()

import numpy as np  # noqa: E402  what follows needs Django set up
import torch  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.rows import Row, compare, take_turns  # noqa: E402
from search import artifacts  # noqa: E402
from search.engine.encoders import trained  # noqa: E402
from search.engine.encoders.base import Surroundings  # noqa: E402
from search.engine.encoders.trained_files import read_trained_card  # noqa: E402
from search.engine.images import load_picture  # noqa: E402
from search.engine.runtime import TorchNetwork  # noqa: E402
from search.models import BuildState, Catalogue, EmbeddingSpace, Job, JobState  # noqa: E402
from search.selectors.catalogues import image_path  # noqa: E402
from search.services import builds, jobs  # noqa: E402

SHIPPED = "thimble-transfer"
PICTURES = 5000
OF_EAGER = 500  # pictures a core, so that its many ways do not take the most of the time
REPEATS = 5
BATCH = trained.BATCH_SIZE
EAGER_BATCHES = (8, 16, 64)  # which is the fastest depends on the machine
THREADS = len(os.sched_getaffinity(0))


def main(report: Path) -> None:
    catalogue = stock_up()
    paths = [image_path(sha) for sha in catalogue.items.values_list("image_sha256", flat=True)]
    folder = trained.SHIPPED / SHIPPED
    side = read_trained_card(folder)["architecture"]["side"]
    framed = np.stack([trained.frame(load_picture(path), side=side) for path in paths])
    some = framed[: OF_EAGER * THREADS]
    surroundings = Surroundings("cpu", cache_folder=settings.HOME / "exported", threads=THREADS)
    infos = [info for info in trained.describe(surroundings) if info.network == SHIPPED]
    ours = trained.create(infos, surroundings).network
    eager = TorchNetwork(trained.build_network(folder), ("hidden",), "cpu")
    with (
        ThreadPoolExecutor(THREADS) as pool,
        ThreadPoolExecutor(THREADS, initializer=use_a_core) as eager_pool,
    ):
        runs: dict[str, Callable[[], int]] = {
            "pipeline": partial(embed, catalogue),
            "decode": lambda: sum(1 for _ in pool.map(load_picture, paths)),
            "forward": partial(run_at_once, ours, framed, BATCH, pool),
            **{_all_cores(size): partial(run_in_batches, eager, some, size) for size in EAGER_BATCHES},
            **{_a_core(size): partial(run_at_once, eager, some, size, eager_pool) for size in EAGER_BATCHES},
        }
        rates = take_turns(runs, repeats=REPEATS)
    report.write_text(json.dumps([asdict(row) for row in rows_of(rates)]))


def rows_of(rates: dict[str, list[float]]) -> Sequence[Row]:
    notes: dict[str, Any] = {"pictures": PICTURES, "threads": THREADS}
    forward = compare(
        "embed-forward",
        {"ours": rates["forward"], **{name: rates[name] for name in rates if name.startswith("eager")}},
        floor=2.0,
        unit="images/s",
        notes={**notes, "batch": BATCH, "eager_pictures": min(PICTURES, OF_EAGER * THREADS)},
    )
    decoded, run = median(rates["decode"]), median(rates["forward"])
    bound = 1 / (1 / decoded + 1 / run)
    ours = median(rates["pipeline"])
    told = {**notes, "against": "decoding, then the network", "decode": decoded, "forward": run}
    return [forward, Row("embed-pipeline", ours, bound, ours / bound, 0.85, "images/s", told)]


def use_a_core() -> None:
    """Has torch's calls in this thread use one core, whatever other threads set later."""
    torch.set_num_threads(1)
    torch.get_num_threads()  # settles it for the thread


def _all_cores(batch: int) -> str:
    return f"eager PyTorch, batches of {batch}"


def _a_core(batch: int) -> str:
    return f"eager PyTorch, a batch of {batch} per core"


def stock_up() -> Catalogue:
    """A catalogue of real photos where there are some, else of drawn pictures; its embedding is asked for."""
    call_command("migrate", verbosity=0)
    photos = Path(os.environ.get("DOPEORNOPE_DATA", "")) / "clothing" / "images"
    source = ["folder", str(photos)] if "DOPEORNOPE_DATA" in os.environ and photos.is_dir() else ["wardrobe"]
    call_command("import_catalogue", *source, "--slug", "bench", "--items", str(PICTURES))
    catalogue = Catalogue.objects.get(slug="bench")
    builds.request_contenders(catalogue=catalogue, now=timezone.now())
    return catalogue


def embed(catalogue: Catalogue) -> int:
    """The job that a worker runs, from nothing: all vectors of the shipped network, published."""
    spaces = EmbeddingSpace.objects.filter(catalogue=catalogue, encoder=SHIPPED)
    for space in spaces:
        shutil.rmtree(artifacts.space_folder(space), ignore_errors=True)
    spaces.update(state=BuildState.BUILDING)
    wanted = sorted(spaces.values_list("pk", flat=True))
    job = next(
        job for job in catalogue.jobs.filter(kind="embed") if sorted(job.arguments["spaces"]) == wanted
    )
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED, attempt=0)
    job.refresh_from_db()
    ended = jobs.run_in_foreground(job=job, report=lambda row: None)
    if ended.state != JobState.DONE:
        raise RuntimeError(f"The embedding ended as {ended.state}: {ended.reason}")
    return catalogue.items.count()


def run_at_once(network: Any, pictures: Any, size: int, pool: ThreadPoolExecutor) -> int:
    """As embedding does it: a batch per core."""
    starts = range(0, len(pictures), size)
    list(pool.map(lambda start: network.run(pictures[start : start + size]), starts))
    return len(pictures)


def run_in_batches(network: Any, pictures: Any, size: int) -> int:
    torch.set_num_threads(THREADS)
    for start in range(0, len(pictures), size):
        network.run(pictures[start : start + size])
    return len(pictures)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
