"""local/system.py: the JSON that faas-cli list, describe and version read."""

from datetime import datetime

import requests

from tests.launch import Running


def test_healthz(gateway: Running) -> None:
    answer = requests.get(f"{gateway.url}/healthz")
    assert (answer.status_code, answer.text) == (200, "OK")


def test_functions_as_faas_cli_list_reads_them(gateway: Running) -> None:
    answer = requests.get(f"{gateway.url}/system/functions", params={"namespace": ""}, auth=("admin", "ignored"))
    assert answer.headers["Content-Type"].startswith("application/json")
    [echo, caller] = answer.json()
    assert [echo["name"], caller["name"]] == ["echo", "caller"]
    assert echo["image"] == "example/echo:latest"
    assert echo["namespace"] == "openfaas-fn"
    assert echo["envVars"] == {"exec_timeout": "2s", "max_inflight": "4", "greeting": "hello"}
    assert echo["labels"] == {"color": "blue"}
    assert echo["limits"] == {"memory": "64Mi"}
    assert (echo["replicas"], echo["availableReplicas"]) == (1, 1)
    assert datetime.fromisoformat(echo["createdAt"]).tzinfo is not None


def test_one_function_as_faas_cli_describe_reads_it(gateway: Running) -> None:
    def invocations() -> int:
        return int(requests.get(f"{gateway.url}/system/function/caller").json()["invocationCount"])

    before = invocations()
    requests.post(f"{gateway.url}/function/caller/pid")
    assert invocations() == before + 1
    assert requests.get(f"{gateway.url}/system/function/nobody").status_code == 404


def test_info_as_faas_cli_version_reads_it(gateway: Running) -> None:
    info = requests.get(f"{gateway.url}/system/info").json()
    assert info["provider"]["provider"]
    assert info["provider"]["orchestration"]
    assert {"sha", "release"} <= set(info["provider"]["version"])
    assert {"sha", "release"} <= set(info["version"])
    assert info["arch"]


def test_nothing_can_be_deployed(gateway: Running) -> None:
    for method in ("POST", "PUT", "DELETE"):
        answer = requests.request(method, f"{gateway.url}/system/functions", json={})
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "method_not_allowed"
