"""How a process behaves on PostgreSQL: its name, how long it waits, how soon it notices a dead server."""

from typing import Final

# Milliseconds per kind of process: one statement, waiting for a lock, a transaction that does nothing.
# A web process gives up early, because everybody's requests wait behind the one that hangs. Workers insert
# thousands of rows at once and hold no page up, but one that hangs in a transaction would hold its job and
# the counts for ever. The sweeper's rounds are short, and the next one tries again. A command has somebody
# watching it: migrations and recounts take as long as they take.
LIMITS_MS: Final[dict[str, tuple[int, int, int]]] = {
    "web": (5_000, 2_000, 30_000),
    "worker": (600_000, 60_000, 300_000),
    "sweeper": (60_000, 5_000, 60_000),
    "command": (0, 0, 0),
}


def list_options(process: str) -> dict[str, object]:
    """psycopg2's arguments beside the address."""
    statement, lock, idle = LIMITS_MS[process]
    limits = {
        "statement_timeout": statement,
        "lock_timeout": lock,
        "idle_in_transaction_session_timeout": idle,
    }
    return {
        "application_name": f"dopeornope {process}",
        "connect_timeout": 5,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        # A server that vanished without a word is noticed within half a minute, also while it is waited for.
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
