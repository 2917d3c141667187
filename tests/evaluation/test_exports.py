"""Tables that people open in spreadsheets: no cell is run, and programs get every cell as it is (case 25)."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from evaluation.models import Contender, Move
from search.models import Catalogue, Job, JobState, Queue, RejectedRow
from tests.evaluation.finding import Finder, make_ground
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
RUN_BY_SPREADSHEETS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "harmless\n=1",
    "harmless\r\n @SUM(A1)",
    "\uff1d1",  # full width, which some take for the narrow one
]
HARMLESS = ["shirt", "a-b", "1=1", "harmless\nand more", "'=1"]


def rows_of(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer, newline="")))


@pytest.mark.parametrize("cell", RUN_BY_SPREADSHEETS)
def test_25_the_leaderboard_as_csv_runs_nothing_and_as_json_stays_as_it_is(client: Client, cell: str) -> None:
    make_contenders(make_catalogue(with_images=False), count=1, with_control=False)
    Contender.objects.update(title=cell)
    (row,) = rows_of(client.get("/leaderboard/export.csv").content.decode())
    assert row["title"] == f"'{cell}"
    (raw,) = client.get("/leaderboard/export.json").json()["rows"]
    assert raw["title"] == cell
    (listed,) = client.get("/api/contenders/").json()
    assert listed["title"] == cell


def test_25_slates_people_need_run_nothing_as_csv_and_stay_as_they_are_as_json(
    client: Client,
) -> None:
    catalogue = make_ground()
    Catalogue.objects.update(title=RUN_BY_SPREADSHEETS[0])
    Finder(catalogue).move(Move.Kind.GIVE_UP)
    (row,) = rows_of(client.get("/find/leaderboard/export.csv").content.decode())
    assert row["catalogue_title"] == f"'{RUN_BY_SPREADSHEETS[0]}"
    (raw,) = client.get("/find/leaderboard/export.json").json()["rows"]
    assert raw["catalogue_title"] == RUN_BY_SPREADSHEETS[0]


def test_25_the_report_of_an_import_runs_nothing_and_changes_no_other_cell(client: Client) -> None:
    catalogue = make_catalogue(with_images=False)
    job = Job.objects.create(
        kind="import",
        queue=Queue.IO,
        state=JobState.DONE,
        catalogue=catalogue,
        created_at=NOW,
        title="Import",
    )
    cells = RUN_BY_SPREADSHEETS + HARMLESS
    RejectedRow.objects.bulk_create(
        RejectedRow(catalogue=catalogue, number=number, key=cell, code="truncated", message=cell)
        for number, cell in enumerate(cells)
    )
    user = User.objects.create(username="operator")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    client.force_login(user)
    rows = rows_of(client.get(f"/operations/jobs/{job.pk}/report/").content.decode())
    expected = [f"'{cell}" for cell in RUN_BY_SPREADSHEETS] + HARMLESS
    assert [row["key"] for row in rows] == [row["reason"] for row in rows] == expected


def test_25_there_are_no_other_tables_for_spreadsheets() -> None:
    """Whoever writes another one adds it here, and a test of it above."""
    sources = [path for app in ("dopeornope", "evaluation", "search") for path in (ROOT / app).rglob("*.py")]
    writers = {
        str(path.relative_to(ROOT)) for path in sources if re.search(r"csv\.\w*[wW]riter\(", path.read_text())
    }
    assert writers == {
        "search/selectors/table_files.py",  # of every export; see test_annotation_pages.py as well
        "search/views/operations.py",
    }
