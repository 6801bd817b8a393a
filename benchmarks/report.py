"""The measurements as Markdown, as JSON and as a plot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .client import BUSY_CLIENTS
from .machine import Machine
from .measure import Measured, medians, percentile
from .variants import HERE

Replicas = Mapping[str, tuple[float, float]]
_COLUMNS = (
    "", "640x480, p50 / p99", "against PyTorch", f"images/s, {BUSY_CLIENTS} clients", "against PyTorch", "their p99",
    "12 MP, p50", "start to first 200", "peak memory", "errors",
)  # fmt: skip


def markdown(results: Sequence[Measured], replicas: Replicas, machine: Machine) -> str:
    """One document: the machine, the variants side by side, the replicas, what else is worth knowing."""
    found = {result.variant.key: result for result in results}
    lines = machine.lines()
    for processor in dict.fromkeys(result.variant.processor for result in results):
        if processor != HERE:
            lines += ["", f"{processor[0].upper()}{processor[1:]}:"]
        of_processor = [result for result in results if result.variant.processor == processor]
        rows = [_row(result, found.get(result.variant.compared_with or "")) for result in of_processor]
        lines += ["", *table(_COLUMNS, rows)]
    if replicas:
        rows = [[name, f"{rate:.1f}", f"{memory:.0f} MB"] for name, (rate, memory) in replicas.items()]
        lines += ["", *table(("replicas", f"images/s, {BUSY_CLIENTS} clients", "peak memory"), rows)]
    return "\n".join([*lines, "", *_notes(results)]) + "\n"


def _row(result: Measured, torch: Measured | None) -> list[str]:
    own, other = percentile(result.small, 50), percentile(torch.small, 50) if torch else None
    rate, of_torch = result.load.per_second, torch.load.per_second if torch else 0
    return [
        result.variant.title,
        f"{_milliseconds(own)} / {_milliseconds(percentile(result.small, 99))}",
        f"{other / own:.1f}x" if own and other else "-",
        f"{rate:.1f}" if rate else "-",
        f"{rate / of_torch:.1f}x" if rate and of_torch else "-",
        _milliseconds(percentile(result.load.latencies, 99)),
        _milliseconds(percentile(result.large, 50)),
        _seconds(percentile(result.starts, 50)),
        f"{result.peak:.0f} MB" if result.peak else "-",
        str(result.errors.total()),
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:" for _ in head[1:]]]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _notes(results: Sequence[Measured]) -> list[str]:
    notes = ["All variants run behind the same server, that of the template, without gateway and watchdog."]
    for result in results:
        title = result.variant.title
        if result.variant.processor != HERE:
            title += f" ({result.variant.processor})"
        for kind, stages in (("640x480", result.small_stages), ("12 MP", result.large_stages)):
            if spent := medians(stages):
                parts = ", ".join(f"{_milliseconds(time)} {stage}" for stage, time in spent.items())
                notes.append(f"{title}: of a {kind} photo {parts} (medians).")
        if result.beside:
            notes.append(f"{title}: {_milliseconds(percentile(result.beside, 50))} beside the forward pass.")
        if result.engine:
            rates = {way: float(np.median(rates)) for way, rates in result.engine.items()}
            shown = ", ".join(f"{rate:.1f} in batches of {way}" for way, rate in rates.items())
            share = result.load.per_second / max(rates.values())
            notes.append(
                f"{title}: the engine alone {shown} images/s; {BUSY_CLIENTS} clients get {share:.2f} of the best."
            )
        if result.errors:
            notes.append(f"{title}: errors {dict(result.errors)}.")
    return [f"- {note}" for note in notes]


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def _seconds(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def write_json(results: Sequence[Measured], replicas: Replicas, machine: Machine, path: Path) -> None:
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(machine),
        "variants": {result.variant.key: result.summary() for result in results},
        "replicas": {
            name: {"images_per_second": round(rate, 2), "peak_memory_mb": memory}
            for name, (rate, memory) in replicas.items()
        },
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def plot(results: Sequence[Measured], path: Path) -> None:
    """Bars as SVG: the time of one photo, and images a second of several clients."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same numbers give the same file
    shown = [result for result in results if result.load.latencies][::-1]
    titles = [f"{r.variant.title.replace('`', '')}\n({r.variant.processor})" for r in shown]
    figure = Figure(figsize=(10, 1 + 0.5 * len(shown)), layout="constrained")
    one, many = figure.subplots(1, 2, sharey=True)
    colors = ["tab:gray" if result.variant.is_baseline else "tab:blue" for result in shown]
    one.barh(titles, [percentile(result.small, 50) or 0 for result in shown], color=colors)
    many.barh(titles, [result.load.per_second for result in shown], color=colors)
    one.set_xlabel("ms for a 640x480 photo, one client (less is better)")
    many.set_xlabel(f"images/s, {BUSY_CLIENTS} clients (more is better)")
    for axes in (one, many):
        axes.grid(visible=True, axis="x", alpha=0.3)
    figure.savefig(path, metadata={"Date": None})
