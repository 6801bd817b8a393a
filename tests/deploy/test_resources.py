"""deploy/: valid as Kubernetes, OpenFaaS, the Gateway API and Helm's charts have it, and in step with stack.yml."""

import copy
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from backend.clip.fetch.addresses import is_public
from backend.clip.fetch.urls import allowed_origins
from local import stack
from release import files
from server.environment import seconds, size
from server.settings import Settings
from tests.backend.fetch.test_addresses import PRIVATE, PUBLIC
from tests.deploy.resources import (
    FOLDER,
    KUBERNETES,
    OVERLAYS,
    VALUES,
    built,
    has_own_schema,
    one,
    validate,
    validate_values,
    values,
)
from tests.deploy.test_stack import FUNCTIONS, PRO_LABELS, UPSTREAM_TIMEOUT
from tests.documents import DEPLOY, ROOT
from tests.launch import PROJECT

STACK = {function.name: function for function in stack.read(PROJECT / "stack.yml", {})}
# Of OpenFaaS' documentation, "Auto-scaling your functions" and "Retries for functions"; what is misspelt has no effect.
SCALING = {
    "com.openfaas.scale.type": r"capacity|rps|cpu|queue",
    "com.openfaas.scale.target": r"[1-9]\d*",
    "com.openfaas.scale.target-proportion": r"0\.\d+|1\.0",
    "com.openfaas.scale.min": r"[1-9]\d*",
    "com.openfaas.scale.max": r"[1-9]\d*",
    "com.openfaas.scale.zero": r"true|false",
    "com.openfaas.scale.zero-duration": r"\d+m",
    "com.openfaas.scale.down.window": r"[1-5]m",
}
ANNOTATIONS = {
    "com.openfaas.ready.http.path": r"/_/ready",
    "com.openfaas.profile": r"[a-z-]+",
    "com.openfaas.retry.codes": r"\d{3}(,\d{3})*",
    "com.openfaas.retry.attempts": r"\d+",
}
WITH_FUNCTIONS = ["functions", "pro", "enterprise", "enterprise-by-url"]


def function(overlay: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = one(built(overlay), "Function", name)["spec"]
    return spec


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_cluster_takes_it_whole(overlay: str, version: str) -> None:
    for resource in built(overlay):
        validate(resource, version)


def misspelt(value: Any) -> Iterator[Any]:
    """Copies of the value in each of which one key of a mapping has another name."""
    if isinstance(value, dict):
        for key in value:
            yield {f"{name}x" if name == key else name: each for name, each in value.items()}
            yield from ({**value, key: changed} for changed in misspelt(value[key]))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from ([*value[:at], changed, *value[at + 1 :]] for changed in misspelt(each))


def test_a_misspelt_key_is_found_wherever_it_is() -> None:
    """The schemas of this folder are no empty promise: not one key of these could be another."""
    free = ("labels", "annotations", "environment", "topologySpreadConstraints")
    resources = {resource["kind"]: resource for overlay in OVERLAYS for resource in built(overlay)}
    tried = 0
    for resource in filter(has_own_schema, resources.values()):
        spec = copy.deepcopy(resource["spec"])
        for changed in misspelt(spec):
            if not any(_at_a_free_key(spec, changed, name) for name in free):
                tried += 1
                with pytest.raises(jsonschema.ValidationError):
                    validate(resource | {"spec": changed})
    assert tried > 50


def _at_a_free_key(before: Any, after: Any, free: str) -> bool:
    """Whether the change is within a mapping of this name, which may have any keys."""
    if isinstance(before, dict) and set(before) == set(after):
        return any(
            (key == free or _at_a_free_key(before[key], after[key], free))
            for key in before
            if before[key] != after[key]
        )
    if isinstance(before, list):
        return any(_at_a_free_key(*pair, free) for pair in zip(before, after, strict=True) if pair[0] != pair[1])
    return False


def test_every_file_is_part_of_an_overlay_or_of_a_chart() -> None:
    named = {f"{overlay}/kustomization.yaml" for overlay in OVERLAYS} | set(VALUES)
    for overlay in OVERLAYS:
        text = (FOLDER / overlay / "kustomization.yaml").read_text(encoding="utf-8")
        named |= {f"{overlay}/{file}" for file in re.findall(r"(?:- |path: )([a-z-]+\.yaml)$", text, re.MULTILINE)}
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()} == named


@pytest.mark.parametrize("file", VALUES)
def test_every_value_is_one_of_the_chart(file: str) -> None:
    given = values(file)
    validate_values(VALUES[file], given)
    for changed in misspelt(given):
        if not _at_a_free_key(given, changed, "topologySpreadConstraints"):
            with pytest.raises(jsonschema.ValidationError):
                validate_values(VALUES[file], changed)


def test_the_functions_are_those_of_the_stack_file() -> None:
    written = (FOLDER / "functions" / "functions.yaml").read_text(encoding="utf-8")
    assert written == files.function_resources({}), "make functions"
    assert "image: ghcr.io/me/clip:1.2.3" in files.function_resources(
        {"SERVER": "ghcr.io", "OWNER": "me", "TAG": "1.2.3"}
    )


@pytest.mark.parametrize("overlay", WITH_FUNCTIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_requests_and_limits_are_those_that_the_documents_add_up_to(overlay: str, name: str) -> None:
    """The table of docs/deploy.md, and the same everywhere."""
    given = function(overlay, name)
    assert {kind: given[kind] for kind in ("requests", "limits")} == {
        kind: STACK[name].definition[kind] for kind in ("requests", "limits")
    }
    row = re.compile(rf"^\| `{name}`[^|]*\|[^|]*\| (\d+) / (\d+) MiB \| ([\d.]+) / ([\d.]+) \|$", re.MULTILINE)
    [numbers] = row.findall(DEPLOY)
    for kind, memory, cores in zip(("requests", "limits"), numbers[:2], numbers[2:], strict=True):
        assert given[kind]["memory"] == f"{memory}Mi"
        assert milli(given[kind]["cpu"]) == 1000 * float(cores)


@pytest.mark.parametrize("overlay", WITH_FUNCTIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_labels_and_annotations_are_ones_that_openfaas_reads(overlay: str, name: str) -> None:
    given = function(overlay, name)
    for kind, known in (("labels", SCALING), ("annotations", ANNOTATIONS)):
        for key, value in given.get(kind, {}).items():
            assert re.fullmatch(known[key], value), key


@pytest.mark.parametrize("overlay", ["pro", "enterprise"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_scaled_before_it_refuses_requests(overlay: str, name: str) -> None:
    labels = function(overlay, name)["labels"]
    assert labels["com.openfaas.scale.type"] == "capacity"
    assert int(labels["com.openfaas.scale.target"]) == STACK[name].max_inflight
    assert float(labels["com.openfaas.scale.target-proportion"]) < 1
    assert int(labels["com.openfaas.scale.min"]) >= 2  # a drained node leaves one
    # The page waits for its own function, which is small; clip costs what it is asked for.
    assert labels.get("com.openfaas.scale.zero", "false") == {"clip": "true", "index": "false"}[name]


def test_the_labels_for_faas_cli_are_those_of_the_overlay() -> None:
    given = dict(re.findall(r"--label (com\.openfaas\.scale[\w.-]*)=(\S+)", DEPLOY))
    assert given == function("pro", "clip")["labels"]


@pytest.mark.parametrize("overlay", ["base", "community"])
def test_nothing_in_the_community_edition_that_only_pro_has(overlay: str) -> None:
    assert not {each["kind"] for each in built(overlay)} & {"Function", "Profile"}
    text = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / overlay).iterdir())
    assert not any(label in text for label in PRO_LABELS)
    assert "openfaasPro" not in values("community/values.yaml")


def test_one_scales_a_function() -> None:
    """OpenFaaS' own rule, or an autoscaler of Kubernetes, and never both."""
    community = one(built("community"), "HorizontalPodAutoscaler", "clip")["spec"]
    assert community["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "clip"}
    assert values("community/values.yaml")["alertmanager"] == {"create": False}
    assert community["maxReplicas"] == 5  # the edition's limit
    assert milli(community["metrics"][0]["resource"]["target"]["averageValue"]) < milli(
        STACK["clip"].definition["limits"]["cpu"]
    )
    for overlay in ("pro", "enterprise"):
        scaled = [each for each in built(overlay) if each["kind"] == "HorizontalPodAutoscaler"]
        assert [each["metadata"]["namespace"] for each in scaled] == ["openfaas"]
        assert scaled[0]["spec"]["minReplicas"] == values("pro/values.yaml")["gateway"]["replicas"]


@pytest.mark.parametrize("overlay", ["community", "pro", "enterprise"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_node_can_be_drained(overlay: str, name: str) -> None:
    spec = one(built(overlay), "PodDisruptionBudget", name)["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"] == {"matchLabels": {"faas_function": name}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_replicas_are_spread_by_the_profile_that_the_function_names(name: str) -> None:
    profile = one(built("pro"), "Profile", function("pro", name)["annotations"]["com.openfaas.profile"])
    assert profile["metadata"]["namespace"] == "openfaas"
    constraints = profile["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"] for each in constraints} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for each in constraints:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["labelSelector"] == {"matchLabels": {"faas_function": name}}


def test_a_profile_that_no_pod_could_have_is_found() -> None:
    profile = copy.deepcopy(one(built("pro"), "Profile", "recognizer-clip"))
    profile["spec"]["topologySpreadConstraints"][0]["maxSkews"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validate(profile)


def test_the_network_leads_from_the_gateway_to_both_functions_and_from_index_back() -> None:
    policies = {name: one(built("base"), "NetworkPolicy", name)["spec"] for name in FUNCTIONS}
    gateway = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openfaas"}},
        "podSelector": {"matchLabels": {"app": "gateway"}},
    }
    port = [{"port": 8080, "protocol": "TCP"}]
    for name, policy in policies.items():
        assert policy["podSelector"] == {"matchLabels": {"faas_function": name}}
        assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
        assert policy["ingress"] == [{"from": [gateway], "ports": port}]
    assert "egress" not in policies["clip"]
    to_gateway, to_names = policies["index"]["egress"]
    assert to_gateway == {"to": [gateway], "ports": port}
    assert STACK["index"].environment["gateway_url"] == "http://gateway.openfaas:8080"
    assert {each["port"] for each in to_names["ports"]} == {53}


@pytest.mark.parametrize("address", [*PUBLIC, *PRIVATE])
def test_photos_are_fetched_from_where_the_function_would_connect_to(address: str) -> None:
    """Cloud storage, and nothing of the cluster; NAT64 is for the network to allow, where it has it."""
    policy = one(built("enterprise-by-url"), "NetworkPolicy", "clip")["spec"]
    assert policy["ingress"] == one(built("base"), "NetworkPolicy", "clip")["spec"]["ingress"]
    [_, to_storage] = policy["egress"]
    assert to_storage["ports"] == [{"port": 443, "protocol": "TCP"}]
    there = ipaddress.ip_address(address)
    leads = any(
        there in ipaddress.ip_network(each["ipBlock"]["cidr"])
        and not any(there in ipaddress.ip_network(network) for network in each["ipBlock"]["except"])
        for each in to_storage["to"]
    )
    documentation = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")  # nobody has these
    if not address.startswith((*documentation, "64:ff9b:", "5f00:")):
        assert leads == is_public(there)


def test_the_storage_is_an_origin_that_the_function_takes() -> None:
    [origin] = allowed_origins(function("enterprise-by-url", "clip")["environment"]["allow_urls"])
    assert origin.is_secure
    assert not any("allow_urls" in function(overlay, "clip")["environment"] for overlay in ("pro", "enterprise"))


@pytest.mark.parametrize("overlay", ["gateway", "gateway-per-client"])
def test_the_way_in_leads_to_the_two_functions_only(overlay: str) -> None:
    resources = built(overlay)
    rules = one(resources, "HTTPRoute", "recognizer")["spec"]["rules"]
    paths = {match["path"]["value"] for rule in rules if "backendRefs" in rule for match in rule["matches"]}
    assert paths == {f"/function/{name}" for name in FUNCTIONS}
    [insecure] = one(resources, "HTTPRoute", "recognizer-to-https")["spec"]["rules"]
    assert insecure["filters"][0]["requestRedirect"]["scheme"] == "https"
    assert "backendRefs" not in insecure
    listeners = {each["name"]: each for each in one(resources, "Gateway", "recognizer")["spec"]["listeners"]}
    for route in (each for each in resources if each["kind"] == "HTTPRoute"):
        assert {each["sectionName"] for each in route["spec"]["parentRefs"]} <= set(listeners)


def test_the_way_in_takes_what_the_functions_take_and_waits_longer_than_they_do() -> None:
    policy = one(built("gateway"), "BackendTrafficPolicy", "recognizer")["spec"]
    limit = size("limit", "1", {"limit": policy["requestBuffer"]["limit"]})
    for function in STACK.values():
        assert limit == Settings.from_environment(function.environment).max_body_bytes
    assert seconds("limit", "1s", {"limit": policy["timeout"]["http"]["requestTimeout"]}) > UPSTREAM_TIMEOUT


def test_each_client_has_a_limit_whatever_its_address() -> None:
    rules = one(built("gateway-per-client"), "BackendTrafficPolicy", "recognizer")["spec"]["rateLimit"]["global"][
        "rules"
    ]
    assert {rule["clientSelectors"][0]["sourceCIDR"]["value"] for rule in rules} == {"0.0.0.0/0", "::/0"}
    assert all(rule["clientSelectors"][0]["sourceCIDR"]["type"] == "Distinct" for rule in rules)
    assert len({rule["limit"]["requests"] for rule in rules}) == 1


def test_what_is_queued_is_kept_and_tried_again_only_where_that_helps() -> None:
    queue, nats = values("enterprise/values.yaml"), values("enterprise/nats-values.yaml")
    assert queue["jetstreamQueueWorker"] == {"mode": "function", "adaptiveConcurrency": True}
    assert queue["nats"]["streamReplication"] == nats["config"]["cluster"]["replicas"] == 3
    assert nats["config"]["jetstream"]["fileStore"]["pvc"]["enabled"]
    codes = function("enterprise", "clip")["annotations"]["com.openfaas.retry.codes"].split(",")
    assert {"429", "503"} <= set(codes)
    assert not {"500", "408", "413", "415", "422"} & set(codes)


def test_the_documents_name_every_overlay_and_the_versions_that_were_checked() -> None:
    text = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert {name for name in OVERLAYS if f"`{name}`" in text} == set(OVERLAYS)
    assert f"{KUBERNETES[1]} and {KUBERNETES[0]}" in text


def milli(quantity: str) -> int:
    """A quantity of processors, in thousandths."""
    assert quantity.endswith("m")
    return int(quantity[:-1])
