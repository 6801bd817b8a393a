"""The resources of deploy/, as kustomize puts them together, and what holds them to their schemas."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import kubernetes_validate
import yaml

from tests.launch import PROJECT

FOLDER = PROJECT / "deploy"
OVERLAYS = sorted(path.parent.name for path in FOLDER.glob("*/kustomization.yaml"))
VALUES = {
    "community/values.yaml": "openfaas/openfaas",
    "pro/values.yaml": "openfaas/openfaas",
    "enterprise/values.yaml": "openfaas/openfaas",
    "enterprise/nats-values.yaml": "nats/nats",
    "gateway-per-client/values.yaml": "gateway-helm",
}
# The newest, and the oldest that Envoy Gateway 1.9 is made for.
KUBERNETES = ("1.37", "1.33")
_KUBECTL = Path(sys.executable).parent / "kubectl"

Resource: TypeAlias = dict[str, Any]


@cache
def _text(overlay: str) -> str:
    # A configuration of somebody's own cluster is not read.
    command = [str(_KUBECTL), "kustomize", str(FOLDER / overlay)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={"KUBECONFIG": ""})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def built(overlay: str) -> list[Resource]:
    """What ``kubectl apply -k deploy/OVERLAY`` would send."""
    return list(yaml.safe_load_all(_text(overlay)))


def one(resources: list[Resource], kind: str, name: str) -> Resource:
    [found] = [each for each in resources if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


@cache
def _schemas() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "schemas.yaml").read_text(encoding="utf-8"))
    _close(document)
    return document


def _close(schema: Any) -> None:
    """Let no object have other keys than its ``properties``."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for each in schema.values():
            _close(each)


@cache
def _validator(part: str, name: str) -> jsonschema.Draft202012Validator:
    schema = _schemas()[part][name] | {"$defs": _schemas()["$defs"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def has_own_schema(resource: Resource) -> bool:
    """Whether its schema is in this folder; the others are Kubernetes' own, which are in a package."""
    return _name(resource) in _schemas()["resources"]


def _name(resource: Resource) -> str:
    return f"{resource['apiVersion']} {resource['kind']}"


def validate(resource: Resource, version: str = KUBERNETES[0]) -> None:
    """Raise jsonschema.ValidationError where the API server would refuse it, or drop a part of it."""
    if not has_own_schema(resource):
        kubernetes_validate.validate(resource, version, strict=True)
        return
    assert set(resource) == {"apiVersion", "kind", "metadata", "spec"}
    _validator("resources", _name(resource)).validate(resource["spec"])
    if resource["kind"] == "Profile":
        validate(pod_with(resource["spec"]), version)


def pod_with(profile: Resource) -> Resource:
    """A pod of a function that has this profile: OpenFaaS copies the fields as they are."""
    container = {"name": "function", "image": "function"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "function"},
        "spec": {"containers": [container], **profile},
    }


def values(file: str) -> dict[str, Any]:
    """A file of values for Helm."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))
    return read


def validate_values(chart: str, given: dict[str, Any]) -> None:
    """Raise jsonschema.ValidationError for a value that the chart does not have, which Helm ignores."""
    _validator("values", chart).validate(given)
