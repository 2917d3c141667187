"""The leaderboard's figures: read from integer counts, so their cost does not grow with the votes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace

from django.db.models import QuerySet, Sum

from evaluation.models import Contender, Credit, Pair, Spread, Tally
from evaluation.selectors.exclusions import Exclusion, list_exclusions
from evaluation.stats.evenness import Evenness
from evaluation.stats.intervals import Clustering, Moments, Standing, design_effect, find_likeness
from evaluation.stats.placing import place_all
from search.models import Attribute, Metric, Revision, Split

TOPIC = "leaderboard"
LEVEL = 0.95
# Below either, a standing is provisional.
VOTES_FLOOR = 50
PLAYERS_FLOOR = 5
METHOD = (
    "Approval is the share of dopes among dopes and nopes of each pair that the contender found, averaged "
    "over its pairs: one that was dealt often counts no more than another, so it does not matter which were "
    "favoured. Skips are left out. The 95 % interval is widened because votes of a player, and on a pair, "
    "are alike and because pairs with few votes count as much as others, and again because the "
    "board is watched while votes come in: it is right at all looks together, not at one, as long as no "
    "pair gets its first vote. While a newcomer's own pairs do, it stands nearer to those it shares pairs "
    "with than it will. A range of ranks holds all places that the votes leave open. Within one category "
    "the interval is widened as for all votes, mostly more than need be. "
    f"With fewer than {PLAYERS_FLOOR} players a standing is provisional."
)


Options = dict[str, list[tuple[str, str]]]


class UnknownFilter(Exception):
    """A filter holds something that is not there; the text says what it may hold."""


@dataclass(frozen=True)
class Filters:
    """What the board is narrowed to; empty means all. ``category`` is an attribute's value."""

    catalogue: str = ""
    encoder: str = ""
    metric: str = ""
    category: str = ""


@dataclass(frozen=True)
class Row:
    """One contender's standing. Shares are 0 to 1, None before the first vote."""

    contender: int
    rank: int | None
    rank_low: int
    rank_high: int
    title: str
    encoder: str
    encoder_title: str
    encoder_version: str
    metric: str
    family: str
    catalogue: str
    catalogue_title: str
    approval: float | None
    low: float | None
    high: float | None
    votes: int
    dope: int
    nope: int
    skipped: int
    players: int
    design_effect: float | None
    provisional: bool
    control: bool


@dataclass(frozen=True)
class Board:
    """All rows under the filters, best first within each catalogue.

    ``votes`` counts each answer once, however many of the contenders found its pair; ``exclusions`` are of
    all catalogues.
    """

    rows: list[Row]
    votes: int
    floor: int
    players_floor: int
    exclusions: Sequence[Exclusion]
    revision: int
    method: str
    level: float


@dataclass(frozen=True)
class _Figures:
    contender: Contender
    dope: int
    nope: int
    skipped: int
    players: int
    standing: Standing | None


@dataclass(frozen=True)
class _Sums:
    dopes: int = 0
    nopes: int = 0
    skips: int = 0
    pairs: int = 0
    shares: int = 0
    inverses: int = 0

    @property
    def answers(self) -> int:
        return self.dopes + self.nopes

    @property
    def evenness(self) -> Evenness:
        return Evenness(self.pairs, self.shares, self.inverses)


def read_revision(topic: str = TOPIC) -> int:
    """How often the leaderboard, or what another topic shows, has changed."""
    return Revision.objects.filter(topic=topic).values_list("number", flat=True).first() or 0


def read_board(filters: Filters) -> Board:
    """The board under these filters. Rank ranges compare the rows shown, within one catalogue."""
    revision = read_revision()
    contenders = list(_select(filters))
    figures = _read_figures(contenders, filters.category)
    by_catalogue: dict[int, list[_Figures]] = defaultdict(list)
    for each in figures:
        by_catalogue[each.contender.catalogue_id].append(each)
    rows = [row for group in by_catalogue.values() for row in _rank(group)]
    votes = _count_votes(contenders, filters.category)
    return Board(rows, votes, VOTES_FLOOR, PLAYERS_FLOOR, list_exclusions(), revision, METHOD, LEVEL)


def read_row(contender: Contender) -> Row:
    """One contender's standing among those of its catalogue; of one that is on no board, by itself."""
    on_board = contender.state == "active"
    beside = Contender.objects.active() if on_board else Contender.objects.filter(pk=contender.pk)
    beside = beside.filter(catalogue=contender.catalogue_id).order_by("pk")
    group = list(_read_figures(list(beside.select_related("catalogue", "spread", "index__space")), ""))
    row = next(row for row in _rank(group) if row.contender == contender.pk)
    return row if on_board else replace(row, rank=None)


def check_filters(filters: Filters) -> tuple[Filters, Options]:
    """The filters, and what each may hold. Raises UnknownFilter."""
    options = list_options("")
    if filters.catalogue in dict(options["catalogue"]):
        options = {**list_options(filters.catalogue), "catalogue": options["catalogue"]}
    for name, value in asdict(filters).items():
        allowed = list(dict(options[name]))
        if value and value not in allowed:
            known = ", ".join(allowed) or "nothing yet"
            raise UnknownFilter(f"There is no {name} “{value[:60]}” on the board. There is: {known}.")
    return filters, options


def list_options(catalogue: str) -> Options:
    """What each filter may hold, as (value, label); categories are those of ``catalogue``, or of all."""
    active = list(Contender.objects.active().select_related("catalogue", "index__space"))
    catalogues = {one.catalogue_id: one.catalogue for one in active}
    categories = Attribute.objects.filter(pk__in=Tally.objects.values("category"))
    if catalogue:
        active = [one for one in active if one.catalogue.slug == catalogue]
        categories = categories.filter(aspect__catalogue__slug=catalogue)
    encoders = {one.encoder: describe_encoder(one) for one in active}
    values = categories.order_by("value").values_list("value", flat=True).distinct()
    first = sorted(catalogues.values(), key=lambda one: (one.created_at, one.pk))
    return {
        "catalogue": [(one.slug, one.title) for one in first],
        "encoder": sorted(encoders.items()),
        "metric": list(Metric.choices),
        "category": [(value, value) for value in values],
    }


def describe_encoder(contender: Contender) -> str:
    """The title that the contender's encoder had when it was used.

    Kept with the space: to ask the encoders themselves would run plug-ins, which may take minutes.
    """
    title = contender.index.space.title if contender.index else ""
    return title or contender.encoder


def _select(filters: Filters) -> QuerySet[Contender]:
    contenders = Contender.objects.active().select_related("catalogue", "spread", "index__space")
    if filters.catalogue:
        contenders = contenders.filter(catalogue__slug=filters.catalogue)
    if filters.encoder:
        contenders = contenders.filter(encoder=filters.encoder)
    if filters.metric:
        contenders = contenders.filter(metric=filters.metric)
    if filters.category:
        contenders = contenders.filter(tallies__category__value=filters.category).distinct()
    return contenders.order_by("catalogue__created_at", "catalogue_id", "pk")


def _read_figures(contenders: Sequence[Contender], category: str) -> Iterable[_Figures]:
    tallies = Tally.objects.filter(contender__in=contenders)
    totals = _sum(tallies)
    shown = _sum(tallies.filter(category__value=category)) if category else totals
    for contender in contenders:
        spread = getattr(contender, "spread", None) or Spread(contender=contender)
        total, part = totals.get(contender.pk, _Sums()), shown.get(contender.pk, _Sums())
        standing = _stand(total, part, spread) if part.pairs else None
        yield _Figures(contender, part.dopes, part.nopes, part.skips, spread.players, standing)


def _count_votes(contenders: Sequence[Contender], category: str) -> int:
    catalogues = {one.catalogue_id for one in contenders}
    shown = [one.pk for one in contenders]
    pairs = Pair.objects.filter(catalogue__in=catalogues, split=Split.EVALUATION)
    if category:
        pairs = pairs.filter(category__value=category)
    # Lessons count for nobody. Where no contender is left out every other pair counts, and the credits,
    # which are many, stay unread.
    if Contender.objects.filter(catalogue__in=catalogues).exclude(pk__in=shown).exists():
        pairs = pairs.filter(pk__in=Credit.objects.filter(contender__in=shown).values("pair"))
    sums = pairs.aggregate(dopes=Sum("dopes", default=0), nopes=Sum("nopes", default=0))
    return int(sums["dopes"] + sums["nopes"])


def _sum(tallies: QuerySet[Tally]) -> dict[int, _Sums]:
    names = [field.name for field in fields(_Sums)]
    sums = tallies.order_by().values_list("contender").annotate(*(Sum(name) for name in names))
    return {contender: _Sums(*row) for contender, *row in sums}


def _stand(total: _Sums, part: _Sums, spread: Spread) -> Standing:
    """Of the part, all of it or one category; it holds pairs with answers.

    Per category only counts are kept, so players, their number of answers and how alike these are come from
    all votes: mostly too wide, and too narrow where few of the players judged this category.
    """
    players = Moments(spread.players, spread.player_dd, spread.player_dn, spread.player_nn)
    pairs = Moments(spread.pairs, spread.pair_dd, spread.pair_dn, spread.pair_nn)
    alike = find_likeness(total.dopes, total.answers, Clustering(players, pairs))
    effect = design_effect(alike, part.answers, part.evenness)
    clusters = min(spread.players, part.pairs)
    return Standing(part.dopes, part.answers, effect, clusters, part.evenness.share)


def _rank(group: list[_Figures]) -> list[Row]:
    """The rows of one catalogue, best first; contenders without votes last."""
    rows = []
    for place in place_all([one.standing for one in group], level=LEVEL):
        one, interval = group[place.number], place.interval
        contender, votes = one.contender, one.dope + one.nope
        rows.append(
            Row(
                contender=contender.pk,
                rank=place.rank,
                rank_low=place.span.best,
                rank_high=place.span.worst,
                title=contender.title,
                encoder=contender.encoder,
                encoder_title=describe_encoder(contender),
                encoder_version=contender.encoder_version,
                metric=contender.metric,
                family=contender.family,
                catalogue=contender.catalogue.slug,
                catalogue_title=contender.catalogue.title,
                approval=interval.estimate if interval else None,
                low=interval.low if interval else None,
                high=interval.high if interval else None,
                votes=votes,
                dope=one.dope,
                nope=one.nope,
                skipped=one.skipped,
                players=one.players,
                design_effect=one.standing.effect if one.standing else None,
                provisional=is_provisional(votes, one.players),
                control=contender.is_control,
            )
        )
    return rows


def is_provisional(votes: int, players: int) -> bool:
    return votes < VOTES_FLOOR or players < PLAYERS_FLOOR
