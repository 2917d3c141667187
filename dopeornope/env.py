"""Typed readers of environment variables; a bad value is refused by name, with what is allowed.

Every variable the project reads is read through here and listed in docs/operator.md.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PREFIX = "DOPEORNOPE_"
# A name, .name for it and all below it, an address (IPv6 in brackets), or * for any.
HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+(%\w+)?\]", re.ASCII)
ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?")

POSTGRESQL = (
    "postgresql://USER:PASSWORD@HOST:PORT/NAME and no more (TLS is asked for by PostgreSQL's own PGSSLMODE "
    "and PGSSLROOTCERT; ? and # in a password are written %3F and %23)"
)


class Environment:
    """The process's variables, read once at start.

    Raises ``ImproperlyConfigured`` from every reader, naming the variable and what it may hold.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def _raw(self, name: str) -> str | None:
        value = self._variables.get(PREFIX + name, "").strip()
        return value or None

    def _refuse(self, name: str, value: str, allowed: str) -> ImproperlyConfigured:
        # What stands before the @ of an address may hold a password, and this text ends up in logs.
        shown = re.sub(r"^([a-z0-9+]+:/+)?.*@", r"\1…@", value)
        return ImproperlyConfigured(f"{PREFIX}{name}={shown!r} is not understood: it must be {allowed}.")

    def _split(self, name: str, value: str, schemes: Sequence[str], allowed: str) -> SplitResult:
        """An address taken apart, with one of the schemes and a port that is a number, where it has one."""
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise self._refuse(name, value, allowed) from error
        if parts.scheme not in schemes or "://" not in value:
            raise self._refuse(name, value, allowed)
        return parts

    def text(self, name: str, default: str) -> str:
        return self._raw(name) or default

    def token(self, name: str, *, shortest: int) -> str:
        """A secret that travels in a header; empty where the variable is not set."""
        value = self._raw(name) or ""
        if value and not re.fullmatch(rf"[!-~]{{{shortest},}}", value):
            raise self._refuse(name, "…", f"at least {shortest} printable ASCII characters without spaces")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._raw(name)
        if value is None:
            return default
        known = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if value.lower() not in known:
            raise self._refuse(name, value, "one of 1, true, yes, on, 0, false, no, off")
        return known[value.lower()]

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self._raw(name)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d+", value) or not low <= int(value) <= high:
            raise self._refuse(name, value, f"a whole number from {low} to {high}")
        return int(value)

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self._raw(name)
        if value is None:
            return default
        if value not in allowed:
            raise self._refuse(name, value, "one of " + ", ".join(allowed))
        return value

    def _words(self, name: str) -> list[str]:
        return [part.strip() for part in (self._raw(name) or "").split(",") if part.strip()]

    def hosts(self, name: str, default: Sequence[str]) -> list[str]:
        """Names and addresses without port, separated by commas, as Django's ALLOWED_HOSTS takes them."""
        words = self._words(name) or list(default)
        for word in words:
            if not HOST.fullmatch(word):
                allowed = "names or addresses of hosts, separated by commas, without scheme, port or path"
                raise self._refuse(name, word, f"{allowed}, such as swipe.example.org")
        return words

    def origins(self, name: str) -> list[str]:
        """Origins as browsers send them, separated by commas; none where the variable is not set."""
        words = self._words(name)
        for word in words:
            if not ORIGIN.fullmatch(word):
                allowed = "origins, separated by commas, in lower case and without path"
                raise self._refuse(name, word, f"{allowed}, such as https://swipe.example.org")
        return words

    def folder(self, name: str, default: Path) -> Path:
        """A folder to write to, made where there is none."""
        value = self._raw(name)
        allowed = "a folder that may be written to (or a path where one can be made)"
        try:
            path = (Path(value).expanduser() if value else default).resolve()
            path.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:
            raise self._refuse(name, value or str(default), allowed) from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise self._refuse(name, str(path), allowed)
        return path

    def folders(self, name: str) -> list[Path]:
        """Existing folders, separated by commas; none where the variable is not set."""
        paths = [Path(part).expanduser() for part in self._words(name)]
        for path in paths:
            if not path.is_absolute() or not path.is_dir():
                raise self._refuse(name, str(path), "absolute paths of existing folders, separated by commas")
        return [path.resolve() for path in paths]

    def database(self, name: str, sqlite_file: Path) -> dict[str, object]:
        """Django's settings of one database: SQLite unless a ``postgresql://`` address is given."""
        value = self._raw(name)
        if value is None or value == "sqlite":
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(sqlite_file),
                "OPTIONS": {
                    # WAL alone makes "locked" errors more frequent; IMMEDIATE ends them. FULL keeps an
                    # acknowledged vote through a power cut as well as through a kill.
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
                },
            }
        parts = self._split_postgresql(name, value, f"sqlite, or {POSTGRESQL}")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
        }

    def vectors(self, name: str) -> dict[str, str] | None:
        """libpq's arguments of the server of vectors; None where the variable is not set."""
        value = self._raw(name)
        if value is None:
            return None
        parts = self._split_postgresql(name, value, POSTGRESQL)
        known = {
            "dbname": parts.path.lstrip("/"),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "host": parts.hostname or "",
            "port": str(parts.port or ""),
        }
        return {argument: text for argument, text in known.items() if text}

    def _split_postgresql(self, name: str, value: str, allowed: str) -> SplitResult:
        parts = self._split(name, value, ("postgresql", "postgres"), allowed)
        if not parts.path.strip("/") or parts.query or parts.fragment:
            raise self._refuse(name, value, allowed)
        return parts

    def broker(self, name: str) -> str:
        value = self._raw(name) or "filesystem://localhost"
        schemes = ("filesystem", "amqp", "amqps", "redis", "rediss")
        self._split(name, value, schemes, "filesystem://, amqp://… or redis://…")
        return value

    def channel_layer(self, name: str) -> dict[str, object]:
        value = self._raw(name)
        if value is None or value == "memory":
            return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
        self._split(name, value, ("redis", "rediss"), "memory, or redis://HOST:PORT/NUMBER")
        # A ping finds the connection that died without a word; a subscriber would wait on it for ever.
        host = {"address": value, "health_check_interval": 10, "socket_connect_timeout": 5}
        return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [host]}}
