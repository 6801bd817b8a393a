"""The machine that the numbers were measured on."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from backend.clip.cpus import available_cpus
from backend.clip.precision import PRECISIONS, available

_PACKAGES = ("openvino", "torch", "open-clip-torch", "onnxruntime", "faster-clip")
# A load average over this says that something else was running.
_QUIET = 0.5


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    usable: int
    """What the affinity mask and the CPU quota leave of the cores."""
    formats: list[str]
    """The number formats that it has instructions for."""
    system: str
    versions: dict[str, str]
    load_before: float
    """The load average of the minute before the run."""

    def lines(self) -> list[str]:
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        lines = [
            f"{self.processor}, {self.cores} cores, {self.usable} usable within affinity and CPU quota; computes in "
            f"{', '.join(self.formats)}.",
            f"{self.system}, {versions}.",
        ]
        if self.load_before > _QUIET:
            lines.append(f"**Not a quiet machine**: its load average was {self.load_before:.1f} before the run began.")
        return lines


def describe() -> Machine:
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        usable=available_cpus(),
        formats=[name for name in PRECISIONS if name in available()],
        system=f"{platform.system()} {platform.machine()}",
        versions={"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        load_before=os.getloadavg()[0],
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return platform.processor() or platform.machine()
