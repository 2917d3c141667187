"""A new version's static files come beside those of the version that is still open somewhere."""

import os
from pathlib import Path

from dopeornope.starting import collect_static


def test_files_of_pages_that_are_open_outlive_an_upgrade(settings, tmp_path: Path) -> None:
    manifest = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": manifest}
    settings.STATIC_ROOT, source = tmp_path / "collected", tmp_path / "source"
    settings.STATICFILES_DIRS = [source]
    source.mkdir()
    for text in ("a {}", "a {color: red}"):
        (source / "page.css").write_text(text)
        # An image may have been built long before the version that ran last was collected.
        os.utime(source / "page.css", times=(len(text), len(text)))
        collect_static()
    collected = settings.STATIC_ROOT.glob("page.*.css")
    assert {path.read_text() for path in collected} == {"a {}", "a {color: red}"}
