"""What Prometheus reads of a running ``clip``."""

import struct

import pytest
import requests
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from tests.backend.asking import post
from tests.functions import clip
from tests.pictures import encoded, photo

PHOTO = encoded(photo((320, 240)), "JPEG")


def samples(url: str) -> dict[str, float]:
    """By name and labels, such as ``clip_requests_total{code="",path="/",status="200"}``."""
    answer = requests.get(f"{url}/metrics", timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def difference(url: str, before: dict[str, float]) -> dict[str, float]:
    """What has been counted since, buckets and the process itself left out."""
    after = samples(url)
    return {
        name: after[name] - before.get(name, 0)
        for name in after
        if after[name] != before.get(name, 0) and not name.startswith("process_") and "_bucket" not in name
        if not name.endswith("_sum") and 'path="/metrics"' not in name
    }


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain;version=abc", "text/plain; version=0.0.4"),
        ("text/plain;version=", "text/plain; version=0.0.4"),
        ("text/plain;version=1.0.0;escaping=abc", "text/plain; version="),
        ("application/openmetrics-text;version=1.x", "text/plain; version=0.0.4"),
        ("application/openmetrics-text;version=" + "9" * 900, ""),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=99999.0.0", ""),
        ("application/openmetrics-text;version=1.0.0;escaping=abc", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=1.0.0;escaping=a\tb\u00e9", ""),
        (";,;=", "text/plain; version=0.0.4"),
    ],
)
def test_whatever_is_accepted_there_is_an_answer(accept: str, kind: str, clip_url: str) -> None:
    answer = requests.get(f"{clip_url}/metrics", headers={"Accept": accept.encode("latin-1")}, timeout=60)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert "clip_requests_total" in answer.text


def counted(path: str, status: int, code: str = "") -> str:
    return f'clip_requests_total{{code="{code}",path="{path}",status="{status}"}}'


def test_requests_their_times_and_batches_are_counted(clip_url: str) -> None:
    before = samples(clip_url)

    for _ in range(3):
        assert post(clip_url, PHOTO).ok
    assert requests.post(clip_url, files=[("a", PHOTO), ("b", PHOTO), ("c", b"none")], timeout=60).ok
    assert post(clip_url, PHOTO[:200]).status_code == 422
    assert post(clip_url, b"text").status_code == 415
    assert post(clip_url, bytes(33 << 20)).status_code == 413  # the server's own refusal
    assert requests.get(f"{clip_url}/secret/{'x' * 50}", timeout=60).status_code == 404
    assert requests.post(f"{clip_url}/v1/embeddings", json={"input": "apple"}, timeout=60).ok
    assert requests.get(clip_url, timeout=60).ok
    assert requests.post(f"{clip_url}/api/generate", data=b"{}", timeout=60).status_code == 400  # in another form
    requests.get(clip_url + "/ready", timeout=60)

    assert difference(clip_url, before) == {
        counted("/", 200): 5,
        counted("/", 422, "corrupt_image"): 1,
        counted("/", 415, "unsupported_image"): 1,
        counted("/", 413, "body_too_large"): 1,
        counted("other", 404, "not_found"): 1,
        counted("/v1/embeddings", 200): 1,
        counted("/api/generate", 400, "bad_parameter"): 1,
        "clip_wait_seconds_count": 6,
        "clip_decode_seconds_count": 5,
        "clip_inference_seconds_count": 6,
        "clip_batch_size_count": 5,
    }


def test_the_model_and_what_it_computes_in_are_named(clip_url: str) -> None:
    [name] = [name for name in samples(clip_url) if name.startswith("clip_model_info")]
    described = requests.get(clip_url, timeout=60).json()
    assert f'model="{described["model"]}"' in name
    assert f'version="{described["version"]}"' in name
    assert any(f'precision="{precision}"' in name for precision in ("f32", "bf16", "f16", "int8"))


def test_the_label_cache(open_clip_url: str) -> None:
    before = samples(open_clip_url)
    labels = [f"a label of metrics {i}" for i in range(40)]

    post(open_clip_url, PHOTO, params={"labels": labels})
    post(open_clip_url, PHOTO, params={"labels": [*labels[:10], "another one"]})

    since = difference(open_clip_url, before)
    assert since["clip_label_cache_misses_total"] == 41
    assert since["clip_label_cache_hits_total"] == 10
    assert since["clip_label_cache_bytes"] > 41 * 64 * 4


def test_decoders_that_had_to_be_ended() -> None:
    data = encoded(Image.new("RGB", (2000, 2000)), "JPEG", progressive=True)
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0, 0x10)
    endless = data[:-2] + scan * 30_000 + data[-2:]
    with clip(decode_timeout="100ms") as program:
        assert post(program.url, endless).status_code in (422, 503)
        killed = {name: value for name, value in samples(program.url).items() if "decoders_killed_total" in name}
    [(name, count)] = killed.items()
    assert name == 'clip_decoders_killed_total{reason="limit"}'
    assert 1 <= count <= 2  # of the fast lane, and of the slow one, where it has another chance
