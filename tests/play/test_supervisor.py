"""Children are kept running, whatever keeps one of them from it."""

import os
import signal
import sys

from dopeornope.supervisor import (
    LONGEST_PAUSE_SECONDS,
    RECOVERED_AFTER_SECONDS,
    Child,
    Supervisor,
    _pause_after,
)

WAITING = [sys.executable, "-c", "import signal; signal.pause()"]


def test_a_child_that_crashes_all_night_is_still_started_again():
    assert [_pause_after(crashes) for crashes in (0, 1, 2, 3)] == [0, 1, 2, 4]
    assert _pause_after(5000) == LONGEST_PAUSE_SECONDS


def test_a_child_that_cannot_be_started_for_a_while_ends_nobody_else(tmp_path):
    folder = tmp_path / "log"
    child = Child("child", WAITING, folder / "child.log")
    other = Child("other", WAITING, tmp_path / "other.log")
    supervisor = Supervisor([child, other])
    supervisor.start()
    try:
        folder.rename(tmp_path / "moved")
        folder.write_text("in the way")
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        child.started -= 2 * RECOVERED_AFTER_SECONDS  # so that it is tried again at once
        assert supervisor.mend() == ["child"]
        assert child.process is None
        assert other.process.poll() is None
        folder.unlink()
        child.due = 0.0
        assert supervisor.mend() == []
        assert child.process.poll() is None
    finally:
        supervisor.stop(grace_seconds=10)
