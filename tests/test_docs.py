"""The pages of `docs/` name things that exist."""

import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_commands_exist(document):
    for command in re.findall(r"manage\.py (\w+)", document.read_text()):
        assert command in get_commands(), command


def test_every_dependency_says_what_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    explained = (ROOT / "docs" / "decisions" / "dependencies.md").read_text().lower()
    names = [re.split(r"[\[<>=]", requirement)[0] for requirement in declared]
    assert [name for name in names if name not in explained] == []


def test_every_variable_is_explained_to_operators():
    settings = (ROOT / "dopeornope" / "settings.py").read_text()
    explained = (ROOT / "docs" / "operator.md").read_text()
    names = re.findall(r'env\.\w+\("(\w+)"', settings)
    assert [name for name in names if f"| `{name}` |" not in explained] == []


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {document.name for document in folder.glob("*.md")} - {"README.md"}


def test_the_table_of_faults_lists_every_numbered_test_under_its_number():
    page = (ROOT / "docs" / "reliability.md").read_text()
    table = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", page, re.MULTILINE)
    cases = [int(number) for number, tests in table if "`tests/" in tests]
    assert cases == [*range(1, 41)]
    listed = {(int(number), test) for number, tests in table for test in re.findall(r"`([^`]+)`", tests)}
    assert listed == {
        (int(found[2]), f"{path.relative_to(ROOT)}::{found[1]}")
        for path in (ROOT / "tests").rglob("test_*.py")
        for found in re.finditer(r"^(?:async )?def (test_(\d\d)_\w+)", path.read_text(), re.MULTILINE)
    }
