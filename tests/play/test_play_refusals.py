"""What keeps a start from happening is said in words, before anything is started."""

import pytest

from dopeornope.first_steps import request_game
from dopeornope.listening import listen
from dopeornope.starting import CannotStart
from search.models import Catalogue
from tests.catalogues.sources import picture, write
from tests.factories import NOW


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("127.0.0.1", 70_000, "no port 70000"),
        ("127.0.0.1", -1, "no port -1"),
        ("no-such-host.invalid", 8000, "no address “no-such-host.invalid”"),
    ],
)
def test_an_address_that_cannot_be_is_named(host, port, said):
    with pytest.raises(CannotStart, match=said):
        listen(host, port, command="play")


@pytest.mark.django_db(transaction=True)
def test_one_folder_may_be_played_by_any_of_its_columns(tmp_path, monkeypatch):
    monkeypatch.setattr("dopeornope.first_steps.hint_jobs", lambda jobs: None)
    files = {f"{n}.png": picture(n) for n in range(3)}
    table = "image,kind,maker,season\n" + "".join(f"{n},a,b,c\n" for n in range(3))
    folder = write(tmp_path / "shop", {**files, "shop.csv": table})
    options = {"group": "", "items": None}
    for column in ("kind", "maker", "season", "season"):
        request_game(path=folder, options={**options, "category": column}, now=NOW)
    chosen = [catalogue.options["category"] for catalogue in Catalogue.objects.all()]
    assert chosen == ["kind", "maker", "season"]
