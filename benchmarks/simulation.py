"""A fleet of ``clip`` in SimPy: callers, gateway, replicas with their batches and limits, and the platform's scaling.

A replica does one thing at a time: what is beside the forward pass, for one photo after another, or a batch. That is
less simple in truth (decoders are processes of their own), but measured: eight clients get what the two add up to.
Not simulated: scaling down, failures, retries, uploads that take their time, and other work on the same cores.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import simpy

from .service import Service

Process = Generator[simpy.Event, Any, None]


class Scaling(NamedTuple):
    """The capacity rule of OpenFaaS Pro, https://docs.openfaas.com/architecture/autoscaling/."""

    target: float
    """Requests in flight for which one replica is wanted: the label's target times its proportion."""
    interval: float
    """Seconds between two looks at the load."""
    most: int
    """Replicas at most."""
    delay: float
    """Seconds from the decision until a replica's process starts: scheduling, pulling, starting a container."""

    def wanted(self, in_flight: int, least: int) -> int:
        return min(self.most, max(least, math.ceil(in_flight / self.target)))


@dataclass
class Replica:
    """One container of the function."""

    env: simpy.Environment
    service: Service
    max_inflight: int
    draw: random.Random
    in_flight: int = 0
    _arrived: deque[tuple[float, Callable[[], Any]]] = field(default_factory=deque)
    _decoded: list[Callable[[], Any]] = field(default_factory=list)
    _idle: simpy.Event | None = None

    def __post_init__(self) -> None:
        self.env.process(self._run())

    def offer(self, beside: float, answered: Callable[[], Any]) -> bool:
        """Take a photo, and call ``answered`` with its answer; False: the watchdog answers 429."""
        if self.in_flight >= self.max_inflight:
            return False
        self.in_flight += 1
        self._arrived.append((beside, answered))
        if self._idle is not None:
            self._idle.succeed()
            self._idle = None
        return True

    def _run(self) -> Process:
        while True:
            if self._arrived and len(self._decoded) < self.service.batch:
                beside, answered = self._arrived.popleft()
                yield self._taking(beside)
                self._decoded.append(answered)
            elif self._decoded:
                batch, self._decoded = self._decoded, []
                yield self._taking(self.service.engine(len(batch)))
                self.in_flight -= len(batch)
                for answered in batch:
                    answered()
            else:
                self._idle = self.env.event()
                yield self._idle

    def _taking(self, seconds: float) -> simpy.Timeout:
        sigma = self.service.sigma
        # With this mean of the logarithm the time itself has the mean ``seconds``.
        return self.env.timeout(seconds * self.draw.lognormvariate(-sigma * sigma / 2, sigma))


class Gateway:
    """Some cores that pass photos on, first come, first served."""

    def __init__(self, cores: int, seconds: float) -> None:
        self._seconds = seconds
        self._free = [0.0] * cores

    def passed(self, now: float) -> float:
        """When a photo that comes now has gone through."""
        done = max(now, self._free[0]) + self._seconds
        heapq.heapreplace(self._free, done)
        return done


@dataclass
class Outcome:
    """What the callers met."""

    seconds: float
    """That were simulated."""
    sent: int = 0
    latencies: list[float] = field(default_factory=list)
    """Seconds, of those that were answered 200."""
    refused: list[float] = field(default_factory=list)
    """When a photo was answered 429, in seconds from the start."""
    replicas: list[tuple[float, int]] = field(default_factory=list)
    """When there were how many that answer."""

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def share_refused(self) -> float:
        return len(self.refused) / max(1, self.sent)

    def quantile(self, share: float) -> float:
        """Of the latencies; nothing was answered: infinite."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.inf


def closed(service: Service, replicas: int, clients: int, seconds: float, seed: int = 0) -> Outcome:
    """Clients that send the next photo when they have the answer to the last, without a gateway, as ``client.load``."""
    env, draw, outcome = simpy.Environment(), random.Random(seed), Outcome(seconds)  # noqa: S311
    running = [Replica(env, service, clients, draw) for _ in range(replicas)]

    def client(replica: Replica) -> Process:
        while True:
            sent, answer = env.now, env.event()
            replica.offer(service.beside, answer.succeed)
            outcome.sent += 1
            yield answer
            outcome.latencies.append(env.now - sent)

    for number in range(clients):
        env.process(client(running[number % replicas]))
    env.run(until=seconds)
    return outcome


def opened(
    service: Service,
    replicas: int,
    rate: float,
    seconds: float,
    *,
    max_inflight: int,
    large: float = 0,
    gateway: Gateway | None = None,
    scaling: Scaling | None = None,
    seed: int = 0,
) -> Outcome:
    """Photos that come by chance, at ``rate`` a second, to a gateway that gives each to any replica.

    Args:
        replicas: those that run at the start; where nothing scales them, always.
        large: the share of photos of 12 megapixels; the others have 640x480.
    """
    env, draw, outcome = simpy.Environment(), random.Random(seed), Outcome(seconds)  # noqa: S311
    running = [Replica(env, service, max_inflight, draw) for _ in range(replicas)]
    outcome.replicas.append((0, replicas))

    def answered(sent: float) -> None:
        outcome.latencies.append(env.now - sent)

    def arrive(sent: float, _: simpy.Event) -> None:
        beside = service.beside_large if large and draw.random() < large else service.beside
        if not draw.choice(running).offer(beside, partial(answered, sent)):
            outcome.refused.append(env.now)

    def callers() -> Process:
        while True:
            yield env.timeout(draw.expovariate(rate))
            outcome.sent += 1
            passed = gateway.passed(env.now) if gateway else env.now
            event = env.timeout(passed - env.now)
            assert event.callbacks is not None  # noqa: S101
            event.callbacks.append(partial(arrive, env.now))

    def scale(rule: Scaling) -> Process:
        asked = replicas
        while True:
            yield env.timeout(rule.interval)
            wanted = rule.wanted(sum(replica.in_flight for replica in running), replicas)
            if wanted > asked:
                env.process(start(wanted - asked, rule.delay))
                asked = wanted

    def start(number: int, delay: float) -> Process:
        yield env.timeout(delay + service.start)
        running.extend(Replica(env, service, max_inflight, draw) for _ in range(number))
        outcome.replicas.append((env.now, len(running)))

    env.process(callers())
    if scaling:
        env.process(scale(scaling))
    env.run(until=seconds)
    return outcome
