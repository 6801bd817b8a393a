"""Counters and histograms for operators, in the text form of Prometheus.

They count what happens in this process, which answers all requests of its container. The decoders' processes do not
count anything themselves.
"""

from collections.abc import Collection, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.answered import Answered, observers
from server.interface import Event, Response

from ..deadline import Deadline
from ..recognition.recognizer import Recognizer
from ..service import Service
from ..version import VERSION
from .endpoint import Endpoint

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OTHER = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]
_REGISTRY = CollectorRegistry()
_MODEL = Info("clip_model", "The model that is served, and what it computes in.", registry=_REGISTRY)
_REQUESTS = Counter(
    "clip_requests", "Answered requests; code is that of an error.", ("path", "status", "code"), registry=_REGISTRY
)
_WAIT = Histogram("clip_wait_seconds", "Of a request, in line behind others.", buckets=_SECONDS, registry=_REGISTRY)
_FETCH = Histogram(
    "clip_fetch_seconds", "Of a request, until the image behind its URL was here.", buckets=_SECONDS, registry=_REGISTRY
)
_DECODE = Histogram("clip_decode_seconds", "Of a request, decoding.", buckets=_SECONDS, registry=_REGISTRY)
_INFERENCE = Histogram("clip_inference_seconds", "Of a request, in the model.", buckets=_SECONDS, registry=_REGISTRY)
_BATCH = Histogram(
    "clip_batch_size", "Images that went through the image tower at once.", buckets=range(1, 9), registry=_REGISTRY
)
_KILLED = Counter("clip_decoders_killed", "Decoders that had to be ended, or crashed.", ("reason",), registry=_REGISTRY)
ProcessCollector(registry=_REGISTRY)


def watch(service: Service, paths: Collection[str]) -> None:
    """Begin to count the service's work and its requests, those that the server itself refuses too.

    Paths that are not among ``paths`` count as one.
    """
    service.recognizer.observe_batch = _BATCH.observe
    service.decoders.observe_end(lambda reason: _KILLED.labels(reason).inc())
    _REGISTRY.register(_LabelCache(service.recognizer))
    manifest = service.recognizer.manifest
    _MODEL.info({"model": manifest.title, "precision": service.recognizer.precision, "version": VERSION})

    def count(answered: Answered) -> None:
        path = answered.path if answered.path in paths else _OTHER
        _REQUESTS.labels(path, answered.status, answered.code).inc()

    observers.append(count)


def observe(deadline: Deadline) -> None:
    """Record what the time of a request went to, if it needed a URL, the decoders or the model."""
    if deadline.fetching:
        _FETCH.observe(deadline.fetching)
    if deadline.decoding or deadline.inference:
        _WAIT.observe(deadline.waited)
    if deadline.decoding:
        _DECODE.observe(deadline.decoding)
    if deadline.inference:
        _INFERENCE.observe(deadline.inference)


def expose(_service: Service, event: Event, _deadline: Deadline) -> Response:
    """All metrics."""
    try:
        encode, content_type = choose_encoder(event.headers.get("Accept", ""))
    except (TypeError, ValueError):  # a version that is not a number
        encode, content_type = choose_encoder("")
    return {"statusCode": 200, "headers": {"Content-Type": content_type}, "body": encode(_REGISTRY)}


class _LabelCache(Collector):
    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    def collect(self) -> Iterator[Metric]:
        hits, misses, size = self._recognizer.label_cache()
        yield CounterMetricFamily("clip_label_cache_hits", "Texts whose embedding was there.", hits)
        yield CounterMetricFamily("clip_label_cache_misses", "Texts that had to be encoded.", misses)
        yield GaugeMetricFamily("clip_label_cache_bytes", "What the cached embeddings take.", size)


ENDPOINT = Endpoint("/metrics", {"GET": expose})
