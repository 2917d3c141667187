"""The leaderboard's figures: read from integer counts, so their cost does not grow with the votes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from django.db.models import QuerySet, Sum

from evaluation.models import Contender, Credit, Pair, Spread, Tally
from evaluation.selectors.exclusions import Exclusion, list_exclusions
from evaluation.stats.intervals import Clustering, Moments, Standing, stand
from evaluation.stats.placing import place_all
from search.models import Attribute, Metric, Revision, Split

TOPIC = "leaderboard"
LEVEL = 0.95
# Below either, a standing is provisional.
VOTES_FLOOR = 50
PLAYERS_FLOOR = 5
METHOD = (
    "Approval is the share of dopes among dopes and nopes; skips are left out. The 95 % interval is widened "
    "because votes of one player, and votes on one pair, are alike, and again because the board is watched "
    "while votes come in: it is right at all looks together, not at one. A range of ranks holds all places "
    "that the votes leave open. Within one category the interval is widened as for all votes. "
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


def read_revision() -> int:
    """How often the leaderboard has changed."""
    return Revision.objects.filter(topic=TOPIC).values_list("number", flat=True).first() or 0


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
        standing = _stand(totals.get(contender.pk, (0, 0, 0)), spread)
        dope, nope, skipped = shown.get(contender.pk, (0, 0, 0))
        if standing is not None and category:
            # Per category only the counts are kept, so players and the design effect are those of all votes:
            # too narrow where few of the players judged this category.
            standing = Standing(dope, dope + nope, standing.effect, standing.clusters)
        if not dope + nope:
            standing = None
        yield _Figures(contender, dope, nope, skipped, spread.players, standing)


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


def _sum(tallies: QuerySet[Tally]) -> dict[int, tuple[int, int, int]]:
    sums = tallies.order_by().values_list("contender").annotate(Sum("dopes"), Sum("nopes"), Sum("skips"))
    return {contender: (dopes, nopes, skips) for contender, dopes, nopes, skips in sums}


def _stand(total: tuple[int, int, int], spread: Spread) -> Standing | None:
    dopes, nopes, _ = total
    if not dopes + nopes:
        return None
    players = Moments(spread.players, spread.player_dd, spread.player_dn, spread.player_nn)
    pairs = Moments(spread.pairs, spread.pair_dd, spread.pair_dn, spread.pair_nn)
    return stand(dopes, dopes + nopes, Clustering(players, pairs))


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
