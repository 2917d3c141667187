"""Rankers of navigation: what they are trained in, and which one a policy's name means."""

from __future__ import annotations

from search.engine.encoders.base import WeightsDamaged
from search.engine.navigation.policies.dqn import Ranker, read_ranker
from search.models import Catalogue, Training
from search.selectors.trainings import published_folder, read_card
from search.services.navigation_terrain import OpenTerrain

BELIEVES = {"dqn": False, "dqn-belief": True}  # by the policy's name
NAMED = "dqn:"  # before the name of a training


class NoRanker(Exception):
    """A trained policy that cannot play here; the text says why, and the remedy."""


def is_trained(policy: str) -> bool:
    """Whether a policy is one that training makes: dqn, dqn-belief, or dqn:NAME for one training's."""
    return policy in BELIEVES or (policy.startswith(NAMED) and policy != NAMED)


def find_ranker(opened: OpenTerrain, *, catalogue: Catalogue, space: str, policy: str) -> Ranker:
    """The newest ranker of these games, or the one that is named. Raises ``NoRanker``."""
    ready = Training.objects.filter(kind="dqn", catalogue=catalogue, space=space, ready_at__isnull=False)
    name = policy.partition(":")[2]
    wanted = [
        training
        for training in ready.order_by("-ready_at")
        if (training.name == name if name else training.settings["belief"] == BELIEVES[policy])
        and read_card(training=training) is not None  # else another took the place of its files
    ]
    if not wanted:
        called = f"--name {name}" if name else "--name NAME"
        belief = " --set belief=true" if policy == "dqn-belief" else ""
        raise NoRanker(
            f"“{policy}” has learned nothing in {space} yet. Train it with: "
            f"manage.py train dqn --catalogue {catalogue.slug} --space {space} {called}{belief}"
        )
    try:
        ranker, card = read_ranker(published_folder(wanted[0]))
    except WeightsDamaged as error:
        raise NoRanker(str(error)) from error
    if card["architecture"]["versions"] != opened.versions:
        raise NoRanker(f"The ranker “{wanted[0].name}” learned in an older build of {space}: train it again.")
    return ranker
