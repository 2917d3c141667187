"""Typed readers of environment variables; a bad value is refused by name, with what is allowed.

Every variable the project reads is read through here and listed in docs/operator.md.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PREFIX = "DOPEORNOPE_"


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
        return ImproperlyConfigured(f"{PREFIX}{name}={value!r} is not understood: it must be {allowed}.")

    def text(self, name: str, default: str) -> str:
        return self._raw(name) or default

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

    def names(self, name: str, default: Sequence[str]) -> list[str]:
        value = self._raw(name)
        return list(default) if value is None else [part.strip() for part in value.split(",") if part.strip()]

    def folder(self, name: str, default: Path) -> Path:
        value = self._raw(name)
        path = (Path(value).expanduser() if value else default).resolve()
        if path.exists() and not path.is_dir():
            raise self._refuse(name, str(path), "a folder (or a path where one can be made)")
        return path

    def folders(self, name: str) -> list[Path]:
        """Existing folders, separated by commas; none where the variable is not set."""
        paths = [Path(part).expanduser() for part in self.names(name, [])]
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
        parts = urlsplit(value)
        if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
            raise self._refuse(name, value, "sqlite, or postgresql://USER:PASSWORD@HOST:PORT/NAME")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
        }

    def broker(self, name: str) -> str:
        value = self._raw(name) or "filesystem://localhost"
        if urlsplit(value).scheme not in ("filesystem", "amqp", "amqps", "redis", "rediss"):
            raise self._refuse(name, value, "filesystem://, amqp://… or redis://…")
        return value

    def channel_layer(self, name: str) -> dict[str, object]:
        value = self._raw(name)
        if value is None or value == "memory":
            return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
        if urlsplit(value).scheme not in ("redis", "rediss"):
            raise self._refuse(name, value, "memory, or redis://HOST:PORT/NUMBER")
        return {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [value], "capacity": 100, "expiry": 10},
        }
