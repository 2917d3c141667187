"""Real people's judgements of real renderings: sight that learned from them is above what learned nothing."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from search.services import builds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.data]
CHEAP = ("gradient-histogram", "colour-histogram", "random-control")


def test_what_was_learned_from_people_holds_for_materials_they_were_not_asked_about(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in CHEAP])
    folder, file = data_folder / "material100", tmp_path / "file.json"
    call_command("import_catalogue", "folder", folder / "havran1_ennis_298x298_LDR", slug="materials")
    call_command(
        "measure_judgements", judgements=folder / "triplets.csv", catalogue="materials", seed=2, json=file
    )
    table = json.loads(file.read_text())
    assert table["questions"] == 25_801
    assert table["human_human"] == pytest.approx(0.713, abs=0.001)
    learned, memory, *unlearnt = table["rows"]
    assert learned["agreement"] >= 0.75
    assert all(learned["low"] > row["high"] for row in (memory, *unlearnt))
    assert memory["seen"] > 0.85 and memory["agreement"] < 0.65
