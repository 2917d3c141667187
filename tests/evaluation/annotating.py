"""Projects of questions, and people who answer them."""

import re

from evaluation.models import AnnotationKind, Player
from evaluation.selectors.annotation import find_next
from evaluation.services.annotation import Drawn, answer, create_project, draw_random, make_ticket
from tests.factories import NOW, make_catalogue
from tests.operators import sign_in


def make_project(*, count=12, options=2, overlap=2, repeat_every=0, gold=None, slug="first", catalogue=None):
    catalogue = catalogue or make_catalogue(items=30)
    questions = [
        Drawn(one.target, one.options, one.source, gold)
        for one in draw_random(catalogue=catalogue, count=count, options=options, seed=0)
    ]
    return create_project(
        slug=slug,
        title=slug.title(),
        catalogue=catalogue,
        questions=questions,
        overlap=overlap,
        repeat_every=repeat_every,
        seed=0,
        now=NOW,
    )


def make_player():
    return Player.objects.create(created_at=NOW)


def pick(project, player, option=0, **how):
    asked = find_next(project, player)
    return answer(
        asked=asked,
        ticket=make_ticket(asked, player),
        player=player,
        kind=how.pop("kind", AnnotationKind.PICK),
        option=option,
        now=NOW,
        **how,
    )


def work_through(project, player, option=0):
    count = 0
    while find_next(project, player):
        pick(project, player, option)
        count += 1
    return count


class Browser:
    """An annotator's, without JavaScript: sends what the form of the page holds."""

    def __init__(self, slug="first", name="annotator"):
        self.client, self.address = sign_in(name), f"/annotate/{slug}/"

    def look(self):
        return self.client.get(self.address).content.decode()

    def send(self, **given):
        page = self.look()
        asked = {
            name: re.search(f'name="{name}" value="([^"]+)"', page)[1]
            for name in ("question", "turn", "ticket")
        }
        return self.client.post(f"{self.address}answer/", asked | given, follow=True)
