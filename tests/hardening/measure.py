"""What ``clip`` takes for each bomb and each of the largest images, as a table; or what attacks do to a bystander.

python -m tests.hardening.measure [--attacks] [--full-size]
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from benchmarks.models import make
from tests.functions import clip, memory_limit
from tests.hardening.attacks import SLOW, endure, floods
from tests.hardening.bombs import BOMBS, LARGEST, SLOW_TO_MAKE
from tests.hardening.bystander import Bystander, ask
from tests.hardening.crowd import crowd
from tests.processes import MEGABYTE, Census, Watch

FLOOD_SECONDS = 10


def files(url: str, process_id: int) -> None:
    for name, make_file in (LARGEST | SLOW_TO_MAKE | BOMBS).items():
        data = make_file()
        with Watch(process_id) as memory:
            seen = ask(url, data, timeout=120)
        print(
            f"{name:48} {len(data):>10,} B {seen.seconds:6.2f} s  peak {memory.peak / MEGABYTE:5.0f} MB"
            f" (+{memory.growth / MEGABYTE:.0f})  {seen.verdict}",
            flush=True,
        )


def attacks(url: str, process_id: int) -> None:
    for name, make_file in SLOW.items():
        data = make_file()
        with Bystander(url) as bystander:
            seen = ask(url, data, timeout=120)
        print(f"{name}: {len(data):,} B, {seen.verdict} after {seen.seconds:.2f} s\nbystander {bystander}", flush=True)
    for name, flood in floods(url):
        with Watch(process_id) as memory:
            print(f"flood of {name}:", flush=True)
            endure(url, flood, FLOOD_SECONDS)
        print(f"peak {memory.peak / MEGABYTE:.0f} MB", flush=True)


def everything_at_once(url: str, process_id: int) -> None:
    with Watch(process_id) as memory:
        answers = crowd(url)
    time.sleep(1)
    print(
        f"everything at once: peak {memory.peak / MEGABYTE:.0f} MB of {memory_limit('clip') / MEGABYTE:.0f} MB, "
        f"{dict(Counter(seen.verdict for seen in answers))}, then {Census.of(process_id)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="measure", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model, not the bundled one")
    parser.add_argument("--full-size", action="store_true", help="ViT-B/32 with random weights, which is made first")
    parser.add_argument("--attacks", action="store_true", help="what attacks do to others, not what files take")
    arguments = parser.parse_args()
    model = make().exported if arguments.full_size else arguments.model
    with clip(model) as program:
        process_id = program.process.pid
        print(f"before {Census.of(process_id)}", flush=True)
        measures = [attacks, everything_at_once] if arguments.attacks else [files]
        for measure in measures:
            measure(program.url, process_id)
        assert program.process.poll() is None


if __name__ == "__main__":
    main()
