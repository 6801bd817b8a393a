"""python -m benchmarks.fleet: the replicas that so many images a second take, what they cost, what gives way first.

A simulation. It reads what `python -m benchmarks` has measured on one machine, shows first how near it comes to what
was measured there with several clients and replicas, of which it knows nothing, and then goes past that machine.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from local import stack
from local.model_cache import PROJECT

from .client import BUSY_CLIENTS
from .service import Measured, Service, read
from .simulation import Gateway, Outcome, Scaling, closed, opened
from .tables import table

# The ways in which the benchmark puts replicas on two cores: how many, and the cores of each.
PLACED = {"one on one core": (1, 1), "one on two cores": (1, 2), "two on one core each": (2, 1)}
_CLOSED_SECONDS = 60.0
# One photo of so many may be refused where enough replicas run.
_REFUSED = 0.001
# How much of its time a core of the gateway may be busy, so that nothing waits there.
_GATEWAY_BUSY = 0.7
_BISECTIONS = 8
_PHOTOS = 10_000
_SECONDS = 10.0


class Conditions(NamedTuple):
    """What is the same for every rate; times in seconds."""

    max_inflight: int
    p99: float
    large: float
    gateway: float
    scaling: Scaling
    least: int
    price: float
    seed: int


class Plan(NamedTuple):
    """What one rate takes."""

    rate: float
    replicas: int
    gateway_cores: int
    steady: Outcome
    growth: Outcome
    """From the fewest replicas, all photos at once."""
    cores: int

    @property
    def settled_after(self) -> float:
        """Seconds until the last replica was started."""
        return self.growth.replicas[-1][0]

    @property
    def settled_on(self) -> int:
        """How many replicas the platform's rule leaves running."""
        return self.growth.replicas[-1][1]

    def refused(self, *, settled: bool) -> float:
        """The share of 429 after the last replica was started, or until then."""
        since, until = (self.settled_after, self.growth.seconds) if settled else (0, self.settled_after)
        number = sum(since < when <= until for when in self.growth.refused)
        return number / (self.rate * (until - since)) if until > since else 0


def bearable(service: Service, conditions: Conditions) -> float:
    """The most photos a second, coming by chance, that one replica answers in time and with hardly a 429.

    What a gateway gives to any replica comes there by chance as well, so this holds for any number of them.
    """
    low, high = 0.0, service.capacity
    for _ in range(_BISECTIONS):
        rate = (low + high) / 2
        found = opened(
            service,
            1,
            rate,
            _PHOTOS / rate,
            max_inflight=conditions.max_inflight,
            large=conditions.large,
            seed=conditions.seed,
        )
        fits = found.quantile(0.99) <= conditions.p99 and found.share_refused <= _REFUSED
        low, high = (rate, high) if fits else (low, rate)
    return low


def plan(service: Service, rate: float, each: float, conditions: Conditions) -> Plan:
    """What ``rate`` photos a second take, where a replica bears ``each``."""
    replicas = math.ceil(rate / each)
    gateway_cores = math.ceil(rate * conditions.gateway / _GATEWAY_BUSY)

    def run(number: int, seconds: float, scaling: Scaling | None) -> Outcome:
        return opened(
            service,
            number,
            rate,
            seconds,
            max_inflight=conditions.max_inflight,
            large=conditions.large,
            gateway=Gateway(gateway_cores, conditions.gateway),
            scaling=scaling,
            seed=conditions.seed,
        )

    # A load that is limited by max_inflight can ask for a certain factor more at each look.
    rule = conditions.scaling
    factor = max(1.1, conditions.max_inflight / rule.target)
    looks = 6 + max(0, math.ceil(math.log(replicas / conditions.least, factor)))
    return Plan(
        rate,
        replicas,
        gateway_cores,
        run(replicas, max(_SECONDS, _PHOTOS / rate), None),
        run(conditions.least, looks * rule.interval + rule.delay + service.start, rule),
        replicas * service.cores + gateway_cores,
    )


def calibration(measured: Measured) -> list[list[str]]:
    """Rows: what was measured with several clients, what the simulation gives, and the ratio."""
    rows = [(f"{BUSY_CLIENTS} clients", (1, measured.service.cores), measured.busy)]
    rows += [(name, PLACED[name], rate) for name, rate in measured.replicas.items()]
    cells = []
    for name, (replicas, cores), rate in rows:
        simulated = closed(measured.service.on(cores), replicas, BUSY_CLIENTS, _CLOSED_SECONDS).per_second
        cells.append([name, f"{rate:.1f}", f"{simulated:.1f}", f"{simulated / rate:.2f}"])
    return cells


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        measured = read(options.measured, options.variant)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    (clip,) = stack.read(PROJECT / "clip.yml")
    conditions = Conditions(
        max_inflight=clip.max_inflight,
        p99=options.p99 / 1000,
        large=options.large,
        gateway=options.gateway_ms / 1000,
        scaling=Scaling(clip.max_inflight * options.proportion, options.interval, sys.maxsize, options.delay),
        least=options.least,
        price=options.price,
        seed=options.seed,
    )
    service = measured.service.on(options.cores)
    each = bearable(service, conditions)
    if measured.doubts:
        print(f"**Not to be quoted**: {'; '.join(measured.doubts)}.\n")
    print(f"Measured ({options.measured.name}, {options.variant}) and simulated, images/s:")
    print("\n".join(table(["", "measured", "simulated", "ratio"], calibration(measured))))
    if not each:
        print(f"No replica answers 99 of 100 within {options.p99:.0f} ms, however few they get.", file=sys.stderr)
        return 1
    full = f"{service.capacity:.1f} images/s in full batches"
    print(f"\nSimulated from here on: a replica of {options.cores} cores, which computes {full}, bears")
    print(f"{each:.1f} by chance (p99 of {options.p99:.0f} ms, one 429 in {1 / _REFUSED:,.0f}).")
    rows = [_row(plan(service, rate, each, conditions), conditions) for rate in options.rates]
    columns = ["images/s", "replicas", "p50 / p99, ms", "429", "gateway cores", "cores in all", "price an hour"]
    columns += ["of a million images", "grown by the platform to", "after", "429 until then", "and from then on"]
    print("\n".join(table(columns, rows)))
    print("\nWhat gives way, in this order, while the load grows:")
    limits = [
        (options.least * each, f"{options.least} replicas, the fewest that run: 429 until others have started"),
        (
            options.most * each,
            f"{options.most} replicas, the most that may run: 429 for good (the table has no such limit)",
        ),
        (1 / conditions.gateway, "one core of the gateway: everything waits there"),
    ]
    print("\n".join(f"- {rate:,.0f} images/s: {what}" for rate, what in sorted(limits)))
    return 0


def _row(plan: Plan, conditions: Conditions) -> list[str]:
    hour = plan.cores * conditions.price
    return [
        f"{plan.rate:,.0f}",
        f"{plan.replicas}",
        f"{plan.steady.quantile(0.5) * 1000:.0f} / {plan.steady.quantile(0.99) * 1000:.0f}",
        f"{plan.steady.share_refused:.2%}",
        f"{plan.gateway_cores}",
        f"{plan.cores}",
        f"{hour:.2f}",
        f"{hour / plan.rate / 3600 * 1e6:.2f}",
        f"{plan.settled_on}",
        f"{plan.settled_after:.0f} s",
        f"{plan.refused(settled=False):.1%}",
        f"{plan.refused(settled=True):.1%}",
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    results = Path(__file__).parent / "results" / "epyc-zen5.json"
    parser.add_argument("--measured", type=Path, default=results, help="a results.json of python -m benchmarks")
    parser.add_argument("--variant", default="clip-bf16", help="one of this project's in it")
    parser.add_argument("--rates", type=_positive, nargs="+", default=[100, 1000, 10000], help="images a second")
    parser.add_argument("--cores", type=int, choices=range(1, 65), metavar="N", default=2, help="of a replica")
    parser.add_argument("--p99", type=_positive, default=500, help="milliseconds that 99 of 100 photos may take")
    parser.add_argument("--large", type=_share, default=0, help="the share of photos of 12 megapixels")
    assumed = parser.add_argument_group("assumed, not measured")
    assumed.add_argument("--gateway-ms", type=_positive, default=0.5, help="of a core of the gateway for one photo")
    assumed.add_argument("--delay", type=_positive, default=2, help="seconds in which the platform starts a container")
    assumed.add_argument("--interval", type=_positive, default=10, help="seconds between two looks at the load")
    assumed.add_argument("--price", type=_positive, default=0.04, help="of a core for an hour, in any currency")
    labels = parser.add_argument_group("the platform's labels")
    labels.add_argument("--proportion", type=_positive, default=0.5, help="com.openfaas.scale.target-proportion")
    labels.add_argument(
        "--least", type=int, choices=range(1, 1001), metavar="N", default=2, help="com.openfaas.scale.min"
    )
    labels.add_argument(
        "--most", type=int, choices=range(1, 10001), metavar="N", default=20, help="com.openfaas.scale.max"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same figures")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    if not 0 < (value := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _share(text: str) -> float:
    if not 0 <= (value := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
