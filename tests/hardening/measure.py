"""What `clip` takes for each bomb and each of the largest images, as a table: python -m tests.hardening.measure"""

import argparse
import time
from pathlib import Path

import requests

from tests.hardening.bombs import BOMBS, LARGEST, SLOW_TO_MAKE
from tests.hardening.server import MEGABYTE, Census, Watch, clip, verdict


def main() -> None:
    parser = argparse.ArgumentParser(prog="measure", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model, not the bundled one")
    with clip(parser.parse_args().model) as program:
        process_id = program.process.pid
        print(f"{Census.of(process_id).memory / MEGABYTE:.0f} MB resident before", flush=True)
        for name, make in (LARGEST | SLOW_TO_MAKE | BOMBS).items():
            data = make()
            with Watch(process_id) as memory:
                start = time.perf_counter()
                answer = requests.post(program.url, data=data, timeout=120)
                seconds = time.perf_counter() - start
            print(
                f"{name:48} {len(data):>10,} B {seconds:6.2f} s  peak {memory.peak / MEGABYTE:5.0f} MB"
                f" (+{memory.growth / MEGABYTE:.0f})  {verdict(answer)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
