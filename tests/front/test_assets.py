"""What the browser downloads: vendored files are the ones we locked, and the play page stays light."""

import gzip
import hashlib
import json
import re
from pathlib import Path

from dopeornope.templatetags.front import MODULES

STATIC = Path(__file__).parents[2] / "static"
TEMPLATES = Path(__file__).parents[2] / "templates"
DECK_BUDGET = 60 * 1024
FONT_BUDGET = 90 * 1024


def test_vendored_files_are_exactly_the_locked_ones() -> None:
    vendor = STATIC / "vendor"
    lock = json.loads((vendor / "vendor.lock.json").read_text())
    locked = {file["path"]: file["sha256"] for package in lock["packages"] for file in package["files"]}
    present = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "vendor.lock.json"
    }
    assert present == locked


def test_every_vendored_package_states_version_licence_and_source() -> None:
    lock = json.loads((STATIC / "vendor" / "vendor.lock.json").read_text())
    for package in lock["packages"]:
        assert package["name"] and package["version"] and package["licence"] and package["source"]
        assert any(file["path"].startswith("licences/") for file in package["files"])


def test_play_page_stays_within_its_budget() -> None:
    """All styles and all modules, although the play page loads only some of them."""
    files = [*(STATIC / "css").glob("*.css"), *(STATIC / "js").glob("*.js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= DECK_BUDGET
    fonts = (STATIC / "vendor" / "fonts").glob("*.woff2")
    assert sum(path.stat().st_size for path in fonts) <= FONT_BUDGET


def test_import_map_names_every_module_and_modules_import_by_bare_name() -> None:
    assert set(MODULES) == {path.stem for path in (STATIC / "js").glob("*.js")}
    for path in (STATIC / "js").glob("*.js"):
        for target in re.findall(r'from "([^"]+)"', path.read_text()):
            assert target in MODULES, f"{path.name} imports {target}"


def test_templates_keep_to_the_content_security_policy() -> None:
    """No inline style, no inline handler, no inline script without a nonce: the policy would block them."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<[^>]+\sstyle=", text), path
        assert not re.search(r"<[^>]+\son[a-z]+=", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
