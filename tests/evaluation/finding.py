"""Catalogues to look for an item in, and a player of the navigation game."""

import re
import uuid
from datetime import datetime
from typing import Any

import numpy as np
from django.http import HttpResponse
from django.test import Client

from evaluation.models import Move, NavigationGame
from evaluation.selectors.games import GameState, find_game, read_state
from evaluation.services import game_grounds
from evaluation.services.games import begin_game, draw_game
from evaluation.services.moves import MadeMove, make_move
from search import artifacts
from search.models import Catalogue, EmbeddingSpace, Item
from tests.factories import NOW, make_catalogue
from tests.search.spaces import make_space

DIMENSIONS = 6
Kind = Move.Kind


def make_ground(*, items: int = 40, masks: bool = True, slug: str = "demo", version: str = "1") -> Catalogue:
    """A catalogue in which all items look different, with a space that has two masks, or none."""
    catalogue = make_catalogue(items=items, slug=slug, with_images=False)
    for item in catalogue.items.all():
        item.image_sha256 = f"{item.position:064x}"
        item.save(update_fields=["image_sha256"])
    add_spaces(catalogue, masks=masks, version=version)
    forget_opened()
    return catalogue


def add_spaces(catalogue: Catalogue, *, masks: bool = True, version: str = "1") -> EmbeddingSpace:
    """Ready spaces of one encoder in one version, with files; the whole one is returned."""
    vectors = np.random.default_rng(int(version)).normal(size=(catalogue.items.count(), DIMENSIONS))
    how = {"version": version, "family": "trained", "build": False}
    whole = make_space(catalogue, "pupil", vectors=vectors, **how)
    for number, mask in enumerate(("colour", "shape") if masks else ()):
        weights = np.arange(DIMENSIONS) % 2 == number
        make_space(catalogue, f"pupil.{mask}", mask, vectors=vectors * weights, **how)
    return whole


def forget_opened() -> None:
    """As if the process had just begun."""
    game_grounds.grounds.clear()
    game_grounds.guides.clear()


class Finder:
    """Plays through the services, under one key, and sees by the vectors of the whole space."""

    def __init__(self, catalogue: Catalogue, *, seed: int = 0, k: int = 4, has_target: bool = True) -> None:
        self.key = uuid.uuid4()
        rng = np.random.default_rng(seed)
        puzzle = draw_game(catalogue=catalogue, k=k, has_target=has_target, now=NOW, rng=rng)
        self.game = begin_game(key=self.key, puzzle=puzzle, now=NOW)
        self._space = self.find_space()

    def find_space(self) -> EmbeddingSpace:
        """What the game is played on."""
        return EmbeddingSpace.objects.get(pk=self.game.puzzle.spaces[0][0])

    @property
    def state(self) -> GameState:
        game = find_game(key=self.key, game_id=self.game.pk)
        assert game is not None
        return read_state(game)

    def move(self, kind: Move.Kind, item: int | None = None, *, turn: int | None = None) -> GameState:
        made = MadeMove(turn=self.state.slates[-1].turn if turn is None else turn, kind=kind, item=item)
        return make_move(key=self.key, game_id=self.game.pk, made=made, now=NOW)

    def pick(self, place: int = 0) -> GameState:
        """Pick what is shown at a place of the slate, unless it is the target."""
        return self.move(Kind.PICK, [one for one in self.state.slates[-1].items if one != self.target][place])

    @property
    def target(self) -> int | None:
        return self.game.puzzle.target_id

    def nearest(self) -> int:
        """What on the slate is nearest to the target."""
        shown = self.state.slates[-1].items
        places = dict(Item.objects.filter(pk__in=[*shown, self.target]).values_list("pk", "position"))
        rows = artifacts.open_vectors(self._space).rows
        apart = [float(((rows[places[one]] - rows[places[self.target]]) ** 2).sum()) for one in shown]
        return shown[int(np.argmin(apart))]

    def play(self) -> GameState:
        """Go on to the end."""
        while self.state.open is not None:
            self.move(Kind.PICK, self.nearest())
        return self.state


class Visitor:
    """Plays over HTTP as a browser without JavaScript does."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()
        self.page = self.client.get("/find/")
        self.game = ""

    @property
    def text(self) -> str:
        return self.page.content.decode()

    @property
    def sitting(self) -> str:
        found = re.search(r'name="sitting" value="([^"]+)"', self.text)
        assert found, "the page carries no sitting"
        return found[1]

    @property
    def turn(self) -> int:
        found = re.search(r'name="turn" value="(\d+)"', self.text)
        assert found, "the page asks for nothing"
        return int(found[1])

    @property
    def tiles(self) -> list[int]:
        return [int(item) for item in re.findall(r'name="pick"\s+value="(\d+)"', self.text)]

    def begin(self, **fields: Any) -> HttpResponse:
        self.page = self.client.get("/find/")
        sent = {"sitting": self.sitting, "catalogue": "demo", "k": "4", "mode": "target", **fields}
        self.page = self.client.post("/find/begin/", sent, follow=True)
        self.game = self.page.request["PATH_INFO"].split("/")[3] if self.page.status_code == 200 else ""
        return self.page

    def send(self, **fields: Any) -> HttpResponse:
        """A move as the form of the page sends it; the page is what it leads to."""
        sent = {"sitting": self.sitting, "turn": self.turn, **fields}
        self.page = self.client.post(f"/find/games/{self.game}/moves/", sent, follow=True)
        return self.page

    def look(self) -> HttpResponse:
        self.page = self.client.get(f"/find/games/{self.game}/")
        return self.page


def end_game(game: NavigationGame, outcome: str, slates: int, *, at: datetime = NOW) -> None:
    """As if it had been played to this end."""
    NavigationGame.objects.filter(pk=game.pk).update(ended_at=at, outcome=outcome, slates=slates)
