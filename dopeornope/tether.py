"""`python tether.py PARENT COMMAND...`: become COMMAND, and die with the process PARENT.

A supervisor that is killed cannot stop its children; on Linux the kernel does it (PR_SET_PDEATHSIG, which
survives exec). Elsewhere the children only end when they are asked to. Standard library only, no Django: it
runs before every child.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and replace it by the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The supervisor is gone already.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
