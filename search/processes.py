"""Processes of this host, by number. Without Django: it is asked before that is set up."""

import os


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number, be it a later one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
