"""The machine that the numbers were measured on."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from backend.clip.cpus import available_cpus
from backend.clip.engine import ov

_PACKAGES = ("openvino", "torch", "open-clip-torch", "onnxruntime")
# A load average over this says that something else was running.
_QUIET = 0.5
_MATRIX, _PRODUCTS = 2048, 10


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    usable: int
    """What the affinity mask and the CPU quota leave of the cores."""
    bf16: bool
    """Whether the processor computes in bfloat16, as OpenVINO sees it."""
    system: str
    versions: dict[str, str]
    load_before: float
    """The load average of the minute before the run."""
    gflops: float
    """10⁹ floating-point operations a second in a product of two large float32 matrices, at best."""

    def lines(self) -> list[str]:
        bf16 = "with bf16" if self.bf16 else "without bf16"
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        lines = [
            f"{self.processor}, {bf16}; {self.cores} cores, {self.usable} usable within affinity and CPU quota.",
            f"{self.system}, {versions}.",
            f"A product of large float32 matrices runs at {self.gflops:.0f} GFLOP/s here.",
        ]
        if self.load_before > _QUIET:
            lines.append(f"**Not a quiet machine**: its load average was {self.load_before:.1f} before the run began.")
        return lines


def describe() -> Machine:
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        usable=available_cpus(),
        bf16="BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
        system=f"{platform.system()} {platform.machine()}",
        versions={"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        load_before=os.getloadavg()[0],
        gflops=_gflops(),
    )


def _gflops() -> float:
    """By numpy's BLAS, on all processors."""
    factor = np.ones((_MATRIX, _MATRIX), np.float32)
    seconds = []
    for _ in range(_PRODUCTS):
        started = time.perf_counter()
        factor @ factor
        seconds.append(time.perf_counter() - started)
    return float(2 * _MATRIX**3 / min(seconds) / 1e9)


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
