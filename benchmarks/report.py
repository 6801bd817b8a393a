"""The measurements as Markdown and as a plot."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from backend.clip.cpus import available_cpus
from backend.clip.inference.precision import PRECISIONS, available

from .client import BUSY_CLIENTS, RATE
from .measure import ERROR, LIMIT, Spread
from .tables import table
from .variants import Variant

Measured = Mapping[str, Mapping[str, Spread]]
"""By the keys of the variants and by what was measured."""

_PACKAGES = ("openvino", "torch", "open-clip-torch", "onnxruntime", "faster-clip")
# Each column's head, what was measured, and the field of its spread, or "times" that of the variant compared with, or
# its "share" of the processor's limit.
_COMPARED = (
    ("640x480, p50", "small", "p50"), ("p99", "small", "p99"), ("times PyTorch", "small", "times"),
    (f"images/s, {BUSY_CLIENTS} clients", RATE, "p50"), ("times PyTorch", RATE, "times"),
    ("of the processor's limit", RATE, "share"), ("their p99", "busy", "p99"),
    ("12 MP, p50", "large", "p50"), ("start to first 200", "start", "p50"), ("peak memory, MB", "memory", "p99"),
)  # fmt: skip
_SPENT = (
    ("wait", "small: wait", "p50"), ("decoding", "small: decode", "p50"), ("forward pass", "small: inference", "p50"),
    ("beside it", "small: beside inference", "p50"), ("decoding 12 MP", "large: decode", "p50"),
    ("engine alone, images/s in ones", "engine, batches of 1", "p50"),
    ("of the limit", "engine, batches of 1", "share"), ("in eights", "engine, batches of 8", "p50"),
    ("of the limit", "engine, batches of 8", "share"), ("processor's limit", LIMIT, "p50"),
)  # fmt: skip


def machine() -> dict[str, str]:
    """The machine that this runs on, and when."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
    named = "{model name}, family {cpu family}, model {model}".format_map(found) if len(found) == 3 else None
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": named or platform.processor() or platform.machine(),
        "cores": f"{os.cpu_count()}, {available_cpus()} usable within affinity and CPU quota",
        "computes in": ", ".join(name for name in PRECISIONS if name in available()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "load average": f"{os.getloadavg()[0]:.1f} before the run",
    }


def markdown(
    here: Mapping[str, str],
    variants: Sequence[Variant],
    measured: Measured,
    replicas: Mapping[str, tuple[float, float]],
    doubts: Sequence[str] = (),
    skipped: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """One document: the machine, the variants side by side for each processor, where their time goes, the replicas.

    Args:
        doubts: why the figures are not to be quoted; that comes first.
        skipped: by the title of a variant that was left out, what the machine lacks for it.
    """
    lines = [f"**Not to be quoted**: {'; '.join(doubts)}.", ""] if doubts else []
    lines += [f"- {name}: {value}" for name, value in here.items()]
    lines += [f"- {title}: left out, as this machine lacks {what}" for title, what in skipped.items()]
    lines += ["", "All run behind the template's server, without gateway and watchdog; times are in milliseconds."]
    for processor in dict.fromkeys(variant.processor for variant in variants):
        shown = [variant for variant in variants if variant.processor == processor]
        ours = [variant for variant in shown if not variant.is_baseline]
        for title, columns, rows in ((f"on {processor}", _COMPARED, shown), ("where the time goes", _SPENT, ours)):
            cells = [[row.title, *(_cell(row, measured, *column[1:]) for column in columns)] for row in rows]
            lines += table([title, *(column[0] for column in columns)], cells)
    if replicas:
        cells = [[name, _number(rate), _number(memory)] for name, (rate, memory) in replicas.items()]
        lines += table(["replicas", f"images/s, {BUSY_CLIENTS} clients", "peak memory, MB"], cells)
    found = [(key, name, spread.number) for key, own in measured.items() for name, spread in own.items()]
    errors = [f"- {key}, {name}: {number}" for key, name, number in found if name.startswith(ERROR)]
    return "\n".join([*lines, "", *(errors or ["No request failed."])]) + "\n"


def _cell(variant: Variant, measured: Measured, name: str, field: str) -> str:
    own, other = measured[variant.key].get(name), measured.get(variant.compared_with or "", {}).get(name)
    if own is None or (field == "times" and other is None):
        return "-"
    if field == "times" and other is not None:
        return f"{own.p50 / other.p50 if name == RATE else other.p50 / own.p50:.2g}"
    if field == "share":
        limit = measured[variant.key].get(LIMIT)
        return f"{own.p50 / limit.p50:.0%}" if limit else "-"
    return _number(getattr(own, field))


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def plot(variants: Sequence[Variant], measured: Measured, path: Path) -> None:
    """Bars as SVG: the time of one photo, and images a second of several clients."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same numbers give the same file
    shown = [variant for variant in variants if {"small", RATE} <= measured[variant.key].keys()][::-1]
    titles = [f"{variant.title.replace('`', '')}\n({variant.processor})" for variant in shown]
    colors = ["tab:gray" if variant.is_baseline else "tab:blue" for variant in shown]
    figure = Figure(figsize=(10, 1 + 0.5 * len(shown)), layout="constrained")
    one, many = figure.subplots(1, 2, sharey=True)
    one.set_xlabel("ms for a 640x480 photo, one client (less is better)")
    many.set_xlabel(f"images/s, {BUSY_CLIENTS} clients (more is better)")
    for axes, name in ((one, "small"), (many, RATE)):
        axes.barh(titles, [measured[variant.key][name].p50 for variant in shown], color=colors)
        axes.grid(visible=True, axis="x", alpha=0.3)
    figure.savefig(path, metadata={"Date": None})
