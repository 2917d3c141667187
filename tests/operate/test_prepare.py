"""Several machines that start a service at once, on a database without a table and an empty HOME."""

import os
import subprocess
import sys
from pathlib import Path

from tests import requirements
from tests.faults.servers import ROOT


def test_one_prepares_and_the_others_wait_for_it(empty_postgresql: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        # A test of the same run may have imported the web process's module, which names its process.
        "DOPEORNOPE_PROCESS": "command",
        "DOPEORNOPE_HOME": str(tmp_path / "shared"),
        "DOPEORNOPE_MODE": "service",
        "DOPEORNOPE_SECRET_KEY": "a key that is long enough to be taken",
        "DOPEORNOPE_DATABASE": empty_postgresql,
        "DOPEORNOPE_BROKER": requirements.redis(),
        "DOPEORNOPE_CHANNEL_LAYER": requirements.redis(),
    }
    command = [sys.executable, "manage.py", "serve", "--prepare"]
    machines = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [machine.communicate(timeout=100)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0, 0], said
