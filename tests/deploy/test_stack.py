"""stack.yml, index.yml and clip.yml, as faas-cli and OpenFaaS Community Edition take them."""

import re
from typing import Any

import pytest
import yaml

from local import stack
from local.model_names import MODELS
from server.environment import seconds
from server.settings import Settings
from tests.launch import PROJECT

FILES = ["stack.yml", "index.yml", "clip.yml"]
FUNCTIONS = ["index", "clip"]
# What the Community Edition refuses to deploy.
PRO_LABELS = ("com.openfaas.scale.zero", "com.openfaas.scale.target", "com.openfaas.scale.type")
# The gateway's own default, and what a pod has to end (Kubernetes).
UPSTREAM_TIMEOUT, GRACE_PERIOD = 60, 30
# How long the gateway's provider keeps a connection to a function that it does not use.
PROVIDER_IDLE_TIMEOUT = 5


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PROJECT / name).read_text(encoding="utf-8"))
    return document


@pytest.fixture(params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> stack.Function:
    return next(one for one in stack.read(PROJECT / "stack.yml", {}) if one.name == request.param)


def test_stack_is_the_two_other_files_together() -> None:
    whole, parts = load("stack.yml"), [load("index.yml"), load("clip.yml")]
    assert whole["functions"] == parts[0]["functions"] | parts[1]["functions"]
    for part in parts:
        assert {**part, "functions": None} == {**whole, "functions": None}


def test_faas_cli_finds_no_other_stack_file() -> None:
    assert not (PROJECT / "stack.yaml").exists()  # it would come first


@pytest.mark.parametrize("name", FILES)
def test_only_keys_that_faas_cli_reads(name: str) -> None:
    document = load(name)
    assert set(document) == {"version", "provider", "functions"}
    assert document["version"] == 1.0
    known = {"lang", "handler", "image", "environment", "build_args", "annotations", "labels", "limits", "requests"}
    for definition in document["functions"].values():
        assert set(definition) <= known | {"readonly_root_filesystem"}
        for strings in (definition["environment"], definition.get("build_args", {}), definition["annotations"]):
            assert all(isinstance(key, str) and isinstance(value, str) for key, value in strings.items())


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_the_community_edition_refuses(name: str) -> None:
    for definition in load(name)["functions"].values():
        assert not any(label.startswith(PRO_LABELS) for label in definition.get("labels", {}))
        assert "secrets" not in definition  # one that does not exist refuses the deployment


def test_owner_tag_and_server_choose_the_image() -> None:
    images = [one.image for one in stack.read(PROJECT / "stack.yml", {})]
    assert images == ["docker.io/example/index:latest", "docker.io/example/clip:latest"]
    chosen = stack.read(PROJECT / "stack.yml", {"SERVER": "ttl.sh", "OWNER": "me", "TAG": "1h"})
    assert [one.image for one in chosen] == ["ttl.sh/me/index:1h", "ttl.sh/me/clip:1h"]


def test_the_model_is_a_build_argument() -> None:
    [index, clip] = stack.read(PROJECT / "stack.yml", {})
    assert clip.definition["build_args"]["MODEL"] in MODELS
    assert clip.definition["build_args"]["PRETRAINED"] in MODELS[clip.definition["build_args"]["MODEL"]]
    assert clip.has_model
    assert not index.has_model
    [_, bundled] = stack.read(PROJECT / "stack.yml", {"MODEL": "bundled"})
    assert bundled.definition["build_args"]["MODEL"] == "bundled"


def test_the_tag_is_the_version_of_the_image_and_no_build_argument_is_empty() -> None:
    """faas-cli drops all build arguments when one of them is empty."""
    for functions in (stack.read(PROJECT / "stack.yml", {}), stack.read(PROJECT / "stack.yml", {"TAG": "1.2.3"})):
        assert {function.definition["build_args"]["VERSION"] for function in functions} == {
            function.image.rpartition(":")[2] for function in functions
        }
        assert all(value for function in functions for value in function.definition["build_args"].values())


def test_the_handler_and_the_template_are_there(function: stack.Function) -> None:
    assert (function.handler / "handler.py").is_file()
    assert (PROJECT / "template" / function.lang / "template.yml").is_file()


def test_timeouts_chain(function: stack.Function) -> None:
    environment = function.environment
    read, write, execution, health = (
        seconds(name, "", environment)
        for name in ("read_timeout", "write_timeout", "exec_timeout", "healthcheck_interval")
    )
    own = settings(function)
    assert own.handler_wait < own.request_timeout < execution < write < UPSTREAM_TIMEOUT
    # A slow sender's place is free after read_timeout, and the 408 is written before write_timeout.
    assert own.body_timeout < read <= own.body_timeout + 1 < own.request_timeout
    # The watchdog closes unused connections after it, and must not be the first to do so.
    assert read > PROVIDER_IDLE_TIMEOUT
    assert health + write < GRACE_PERIOD


def test_a_caller_waits_longer_than_what_it_calls() -> None:
    [index, clip] = stack.read(PROJECT / "stack.yml", {})
    called_for = seconds("clip_timeout", "", index.environment)
    assert clip.exec_timeout < called_for < settings(index).request_timeout < index.exec_timeout


def test_bodies_take_less_than_half_of_the_memory(function: stack.Function) -> None:
    limit = int(function.definition["limits"]["memory"].removesuffix("Mi")) << 20
    own = settings(function)
    assert own.max_buffered_bytes + own.max_body_bytes < limit / 2


def test_the_server_has_threads_to_spare(function: stack.Function) -> None:
    assert 0 < function.max_inflight < settings(function).server_threads


def test_containers_are_locked_down_and_say_when_they_are_ready(function: stack.Function) -> None:
    assert function.definition["readonly_root_filesystem"] is True
    assert function.environment["suppress_lock"] == "true"
    assert function.environment["ready_path"] == "/ready"
    assert function.definition["annotations"]["com.openfaas.ready.http.path"] == "/_/ready"


@pytest.mark.parametrize("kind", ["limits", "requests"])
def test_memory_and_cpu_are_quantities_of_kubernetes(function: stack.Function, kind: str) -> None:
    assert re.fullmatch(r"\d+(Mi|Gi)", function.definition[kind]["memory"])
    assert re.fullmatch(r"\d+m", function.definition[kind]["cpu"])


def settings(function: stack.Function) -> Settings:
    return Settings.from_environment(function.environment)
