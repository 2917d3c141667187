"""What the code says, and what of it counts."""

from pathlib import Path

import pytest

from search.engine.sources import hash_own_sources, hash_sources

FILES = {
    "search/engine/__init__.py": "",
    "search/engine/nets/__init__.py": "from search.engine.nets.deep import LAYERS\n",
    "search/engine/nets/deep.py": "LAYERS = 3\n",
    "search/engine/losses.py": "import json\n\ndef loss(a):\n    return a * a\n",
    "search/engine/loop.py": "from search.engine import losses, nets\n",
    "search/engine/other.py": "import search.engine.loop\n",
    "search/services/samples.py": "from search.engine.loop import nets\nfrom search.models import Item\n",
    "search/models.py": "class Item: pass\n",
}
ASKED = ("search.services.samples",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path, name, text)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search/engine/nets/deep.py", "LAYERS = 4\n"),
        ("search/engine/losses.py", "import json\n\ndef loss(a):\n    return abs(a)\n"),
        ("search/engine/loop.py", "from search.engine import nets\n"),
        ("search/services/samples.py", "from search.engine.loop import nets\nITEMS = 4\n"),
    ],
)
def test_a_change_of_what_is_reached_is_told(root, name, text):
    before = hash_sources(ASKED, root=root)
    write(root, name, text)
    assert hash_sources(ASKED, root=root) != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search/engine/losses.py", f'"""So."""\n{FILES["search/engine/losses.py"]}# so\n'),
        ("search/engine/losses.py", 'import json\n\n\ndef loss(a):\n    """So."""\n    return a * a\n'),
        ("search/engine/other.py", "THINGS = 2\n"),
        ("search/models.py", "class Item:\n    size = 3\n"),
    ],
)
def test_words_about_the_code_and_modules_out_of_reach_do_not_count(root, name, text):
    before = hash_sources(ASKED, root=root)
    write(root, name, text)
    assert hash_sources(ASKED, root=root) == before


def test_a_module_that_there_is_not_is_told(root):
    with pytest.raises(FileNotFoundError):
        hash_sources(["search.services.none"], root=root)


def test_this_installations_networks_are_reached_from_what_trains_them():
    trained = hash_own_sources("search.engine.training.kinds")
    assert trained == hash_own_sources("search.engine.training.kinds")
    assert trained != hash_own_sources("search.engine.training.settings")
