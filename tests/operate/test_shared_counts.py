"""Which counts a start leaves behind."""

import os
import time
from pathlib import Path

import pytest

from dopeornope.shared_counts import GONE_AFTER_SECONDS, forget_counts, shared_folder

# No process has it: Linux's largest is 4,194,304.
NOBODY = 4_194_305


def count(folder: Path, pid: int, *, seconds_ago: float = 0.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"counter_{pid}.db"
    file.write_bytes(b"x")
    os.utime(file, times=(time.time() - seconds_ago,) * 2)
    return file


@pytest.mark.parametrize(("pid", "stays"), [(NOBODY, False), (os.getpid(), True)], ids=["nobody", "somebody"])
def test_a_start_begins_at_zero_unless_somebody_counts(home, pid, stays):
    file = count(shared_folder(home), pid)
    forget_counts(home)
    assert file.exists() is stays


def test_hosts_that_are_gone_are_forgotten_and_others_are_not(home):
    gone = count(home / "metrics" / "gone", os.getpid(), seconds_ago=GONE_AFTER_SECONDS + 60)
    there = count(home / "metrics" / "there", NOBODY, seconds_ago=GONE_AFTER_SECONDS - 60)
    forget_counts(home)
    assert not gone.parent.exists()
    assert there.exists()


def test_where_nobody_ever_counted_nothing_is_missed(home):
    forget_counts(home)
