"""A site with one large map and somebody who may see it; it prints where the map is and their session.

python -m benchmarks.mapped_site ITEMS
"""

import hashlib
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from dopeornope import starting  # noqa: E402
from search import artifacts  # noqa: E402
from search.models import (  # noqa: E402
    Aspect,
    Attribute,
    BuildState,
    Catalogue,
    CatalogueState,
    EmbeddingSpace,
    Item,
    Layout,
    Split,
)

GROUPS = 24  # that items lie in, each of a category of its own


def main() -> None:
    count = int(sys.argv[1])
    starting.prepare_database()
    starting.collect_static()
    layout = _make_map(_make_catalogue(count), count)
    user = User.objects.create(username="ada")
    user.groups.add(Group.objects.get_or_create(name="analyst")[0])
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    print(json.dumps({"path": f"/maps/{layout.pk}/", "cookie": name, "session": client.cookies[name].value}))


def _make_catalogue(count: int) -> Catalogue:
    now = timezone.now()
    catalogue = Catalogue.objects.create(
        slug="bench", title="Bench", format="folder", state=CatalogueState.READY, created_at=now
    )
    aspect = Aspect.objects.create(catalogue=catalogue, name="kind", position=0, is_category=True)
    kinds = Attribute.objects.bulk_create(
        Attribute(aspect=aspect, value=f"kind {one:02}") for one in range(GROUPS)
    )
    items = (
        Item(
            catalogue=catalogue,
            key=f"item-{number:06}",
            position=number,
            image_sha256=hashlib.sha256(b"%d" % number).hexdigest(),
            source_sha256="0" * 64,
            perceptual_hash=number,
            width=256,
            height=256,
            category=kinds[number % GROUPS],
            split=Split.EVALUATION,
        )
        for number in range(count)
    )
    Item.objects.bulk_create(items, batch_size=2000)
    return catalogue


def _make_map(catalogue: Catalogue, count: int) -> Layout:
    """Places in groups, as t-SNE makes them, without the minutes that it takes."""
    now, rng = timezone.now(), np.random.default_rng(0)
    space = EmbeddingSpace.objects.create(
        **{"catalogue": catalogue, "encoder": "bench", "encoder_version": "1", "title": "Bench"},
        **{"dimensions": 128, "items": count, "state": BuildState.READY, "sha256": "0" * 64},
        **{"catalogue_hash": catalogue.content_hash, "created_at": now, "ready_at": now},
    )
    layout = Layout(
        **{"space": space, "metric": "l2", "method": "tsne", "parameters": {"perplexity": 30.0}, "seed": 0},
        **{"vectors_sha256": space.sha256, "fingerprint": "0" * 64, "items": count, "kept": 0.3},
        **{"state": BuildState.READY, "created_at": now, "ready_at": now},
    )
    centres = rng.normal(size=(GROUPS, 2)) * 40
    places = centres[np.arange(count) % GROUPS] + rng.normal(size=(count, 2)) * 6
    layout.sha256 = artifacts.write_layout(layout, np.arange(count), places.astype(np.float32))
    layout.save()
    return layout


if __name__ == "__main__":
    main()
