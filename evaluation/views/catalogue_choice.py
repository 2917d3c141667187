"""Which catalogue a page is about: the one in the address, or the first."""

from django.http import HttpRequest

from evaluation.selectors.board import UnknownFilter
from search.models import Catalogue


def choose_catalogue(request: HttpRequest) -> tuple[list[Catalogue], Catalogue | None]:
    """All catalogues, and the chosen one; None where there is none at all. Raises UnknownFilter."""
    catalogues = list(Catalogue.objects.order_by("created_at"))
    slug = request.GET.get("catalogue") or (catalogues[0].slug if catalogues else "")
    chosen = next((one for one in catalogues if one.slug == slug), None)
    if catalogues and chosen is None:
        known = ", ".join(one.slug for one in catalogues)
        raise UnknownFilter(f"There is no catalogue “{slug[:60]}”. There is: {known}.")
    return catalogues, chosen
