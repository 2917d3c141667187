"""Known vulnerabilities of what constraints.txt pins, by pip-audit; part of `make check`.

Ends with an error where there is one. Where the index knows no advisories, or does not answer, it says
plainly that nothing was audited; that is no failure of the code.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 120


def main() -> None:
    options = ["--requirement", "constraints.txt", "--no-deps", "--disable-pip", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        found = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        print(f"NOT AUDITED: the advisories did not come within {LIMIT_S} s.")
        return
    except ValueError:
        print(f"NOT AUDITED: pip-audit ended without an answer: {done.stderr.strip()[-500:]}")
        return
    audited = [one for one in found if "skip_reason" not in one]
    holes = [(one["name"], one["version"], hole) for one in audited for hole in one["vulns"]]
    for name, version, hole in holes:
        remedy = ", ".join(hole["fix_versions"]) or "nothing yet"
        print(f"{name} {version}: {hole['id']}, mended in {remedy}")
    if holes:
        sys.exit("Known vulnerabilities: raise the pins in constraints.txt.")
    if not audited:
        print("NOT AUDITED: this package index answers no questions about advisories. Try from elsewhere.")
        return
    print(f"Audited {len(audited)} of {len(found)} pinned packages: no known vulnerability.")


if __name__ == "__main__":
    main()
