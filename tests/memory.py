"""How much a process grows, as Linux counts it."""

from pathlib import Path

MiB = 1 << 20


class Peak:
    """The most memory that a process holds from now on, above what it holds now."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        (self._folder / "clear_refs").write_text("5")  # forgets the peak there was
        self._before = self._read("VmRSS")

    def growth(self) -> int:
        """Bytes."""
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> int:
        lines = (self._folder / "status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1024
