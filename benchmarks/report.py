"""The measurements as Markdown, as JSON and as a plot."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .goals import Goal
from .machine import Machine
from .plan import BUSY_CLIENTS, Measured, percentile, profile

_VERDICTS = {True: "met", False: "**not met**", None: "-"}
_COLUMNS = (
    "", "start to first 200", "forward alone", "640x480 p50", "p99", "against (a)", "12 MP p50",
    f"images/s, {BUSY_CLIENTS} clients", f"p99, {BUSY_CLIENTS} clients", "errors", "peak memory under load",
)  # fmt: skip


def markdown(results: Sequence[Measured], goals: Sequence[Goal], machine: Machine) -> str:
    """One document: the machine, the variants side by side, the goals, what else is worth knowing."""
    found = {result.variant.key: result for result in results}
    torch = percentile(found["open_clip"].small, 50) if "open_clip" in found else None
    lines = [*machine.lines(), "", *table(_COLUMNS, [_row(result, torch) for result in results])]
    if goals:
        rows = [(goal.what, goal.wanted, goal.measured, _VERDICTS[goal.met]) for goal in goals]
        lines += ["", *table(("`clip` with ViT-B/32", "goal", "measured", ""), rows)]
    return "\n".join([*lines, "", *_notes(results, machine)]) + "\n"


def _row(result: Measured, torch: float | None) -> list[str]:
    own = percentile(result.small, 50)
    busy = result.loads.get(BUSY_CLIENTS)
    latencies = busy.latencies if busy else []
    return [
        result.variant.title,
        _seconds(percentile(result.starts, 50)),
        _milliseconds(percentile(result.forward, 50)),
        _milliseconds(own),
        # A few requests have no 99th percentile.
        _milliseconds(percentile(result.small, 99)) if result.variant.loads_once else "-",
        f"{torch / own:.1f}x" if torch and own else "-",
        _milliseconds(percentile(result.large, 50)),
        f"{busy.per_second:.1f}" if busy else "-",
        _milliseconds(percentile(latencies, 99)),
        str(result.errors.total()),
        f"{result.peak:.0f} MB" if result.peak else "-",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:" for _ in head[1:]]]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _notes(results: Sequence[Measured], machine: Machine) -> list[str]:
    notes = ["All variants run behind the same server, the one of the template, without gateway and watchdog."]
    if not machine.bf16:
        notes.append("This processor has no bf16, so (b), open_clip in bf16, was not measured.")
    for result in results:
        title = result.variant.title
        for kind, seconds, stages in (
            ("640x480", result.small, result.small_stages),
            ("12 MP", result.large, result.large_stages),
        ):
            if spent := profile(seconds, stages):
                parts = ", ".join(f"{_milliseconds(time)} {stage}" for stage, time in spent.items())
                notes.append(f"{title}: a {kind} photo takes {parts} (medians).")
        if result.best_engine:
            way, rate = result.best_engine
            ways = ", ".join(f"{np.median(rates):.1f} {name}" for name, rates in result.engine.items() if name != way)
            notes.append(f"{title}: the engine alone gives at best {rate:.1f} images/s, {way} (others: {ways}).")
        if result.engine_memory:
            one, batch = result.engine_memory
            notes.append(
                f"{title}: the engine alone takes {one:.0f} MB for one image at a time, {batch:.0f} for batches too."
            )
        if result.labels_first:
            first = _milliseconds(percentile(result.labels_first, 50))
            again = _milliseconds(percentile(result.labels_again, 50))
            none = _milliseconds(percentile(result.labels_none, 50))
            peak = f", peak memory {result.peak_with_labels:.0f} MB" if result.peak_with_labels else ""
            notes.append(f"{title}: 1,000 new labels {first}, again {again}, none {none}{peak}.")
        if result.peak and result.private and result.variant.is_ours:
            notes.append(
                f"{title}: {result.private:.0f} MB are its own, the rest of the peak of {result.peak:.0f} MB is mapped "
                "files (libraries) and what was needed for a moment."
            )
        if result.start_peak and result.variant.is_ours:
            notes.append(f"{title}: until the first answer, memory reached {result.start_peak:.0f} MB.")
        if result.steady and result.memory_before and result.memory_after:
            growth = result.memory_after / result.memory_before - 1
            notes.append(
                f"{title}: {len(result.steady.latencies):,} requests of {BUSY_CLIENTS} clients, "
                f"{result.memory_before:.0f} MB before and {result.memory_after:.0f} MB after ({growth:+.1%})."
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


def write_json(results: Sequence[Measured], goals: Sequence[Goal], machine: Machine, path: Path) -> None:
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(machine),
        "variants": {result.variant.key: result.summary() for result in results},
        "goals": [{**asdict(goal), "met": goal.met} for goal in goals],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def plot(results: Sequence[Measured], path: Path) -> None:
    """Latency against the number of clients, as SVG: the median as a line, up to the 99th percentile as a shade."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same numbers give the same file
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    for result in results:
        points = [(clients, run.latencies) for clients, run in sorted(result.loads.items()) if run.latencies]
        if points:
            clients = [number for number, _ in points]
            medians, tails = ([percentile(seconds, p) or 0 for _, seconds in points] for p in (50, 99))
            (line,) = axes.plot(clients, medians, marker="o", label=result.variant.title.replace("`", ""))
            axes.fill_between(clients, medians, tails, alpha=0.15, color=line.get_color())
    numbers = sorted({clients for result in results for clients in result.loads})
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.minorticks_off()
    axes.set(xlabel="clients at the same time", ylabel="latency in ms: median, shaded up to p99")
    axes.grid(visible=True, alpha=0.3)
    if numbers:
        axes.legend()
    figure.savefig(path, metadata={"Date": None})
