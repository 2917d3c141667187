"""Under which address people reach the site, for links that a command prints."""

from pathlib import Path

from django.conf import settings

from search.engine.files import write_file

# Of `play` and `serve`, as long as nobody says another port.
USUAL = "http://localhost:8000"


def note_address(address: str) -> None:
    """Remember where this start serves the site: the port is known to whoever started it only."""
    write_file(_file(), address.encode())


def find_address() -> str:
    """The first of DOPEORNOPE_ORIGINS, else where the site was served last, else the usual one."""
    if settings.CSRF_TRUSTED_ORIGINS:
        return str(settings.CSRF_TRUSTED_ORIGINS[0])
    try:
        return _file().read_text()
    except (FileNotFoundError, UnicodeDecodeError):
        return USUAL


def _file() -> Path:
    home: Path = settings.HOME
    return home / "address"
