"""What the operator's page shows of contenders."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from evaluation.models import Contender, Credit, Retraining, Tally
from evaluation.selectors.promotions import list_in_charge
from evaluation.selectors.retrainings import list_challenged


@dataclass(frozen=True)
class ContenderRow:
    pk: int
    title: str
    catalogue: str
    encoder_title: str
    metric: str
    kind: str
    state: str
    votes: int
    pairs: int
    can_retire: bool
    retraining: Retraining | None  # that it came of, with the rival that it has to beat
    in_charge: bool


def list_contender_rows() -> list[ContenderRow]:
    """Every contender, also the retired ones, oldest first, with pairs found and votes counted."""
    pairs = dict(Credit.objects.values_list("contender").annotate(Count("pk")))
    votes = {
        contender: dopes + nopes
        for contender, dopes, nopes in Tally.objects.values_list("contender").annotate(
            Sum("dopes"), Sum("nopes")
        )
    }
    challenged, in_charge = list_challenged(), set(list_in_charge())
    return [
        ContenderRow(
            pk=contender.pk,
            title=contender.title,
            catalogue=contender.catalogue.title,
            encoder_title=contender.encoder,
            metric=contender.metric,
            kind=contender.kind,
            state=contender.state,
            votes=votes.get(contender.pk, 0),
            pairs=pairs.get(contender.pk, 0),
            can_retire=contender.state == "active",
            retraining=challenged.get(contender.pk),
            in_charge=contender.pk in in_charge,
        )
        for contender in Contender.objects.select_related("catalogue")
    ]
