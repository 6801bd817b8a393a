"""The files that deploy images without building them, all made from ``stack.yml``.

A release has two of them. ``stack.yml`` is for ``faas-cli deploy -f stack.yml``; its keys are those of ``Services`` and
``Function`` in faas-cli's ``stack/schema.go``. ``functions.json`` is for ``faas-cli store deploy NAME --url URL``; its
keys are those of ``Store`` and ``StoreFunction`` in ``schema/store/v2/store.go``.

The third is part of the repository, for ``deploy/``: the functions as resources of Kubernetes; their keys are those of
the CustomResourceDefinition ``functions.openfaas.com`` of faas-netes.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local import stack

from .changelog import PROJECT, ReleaseError

_DESCRIPTIONS = {
    "index": "The page of the image recognizer: drop a photo, see what is in it.",
    "clip": "Says what is in a photo: CLIP by OpenVINO, on a processor without a GPU.",
}
_BY_DIGEST = re.compile(r"[\w.:/-]+@sha256:[0-9a-f]{64}")
# Keys that only a build needs.
_BUILD_KEYS = ("lang", "handler", "build_args")
_STORE_VERSION = "0.2.1"
_PLATFORMS = ("x86_64", "arm64")
_NAMESPACE = "openfaas-fn"
_WRITTEN = "# Written by `make functions` from stack.yml.\n"


def stack_file(images: Mapping[str, str]) -> dict[str, Any]:
    """``stack.yml`` with these images, each ``NAME@sha256:DIGEST``, and without what builds them.

    ``${OPENFAAS_URL}`` and ``${GATEWAY_URL}`` can still be set when it is deployed.

    Raises:
        ReleaseError: an image is missing or has no digest.
    """
    document: dict[str, Any] = yaml.safe_load((PROJECT / "stack.yml").read_text(encoding="utf-8"))
    for name, definition in document["functions"].items():
        fprocess = _fprocess(definition["lang"])
        for key in _BUILD_KEYS:
            definition.pop(key, None)
        definition.update(image=_image(images, name), fprocess=fprocess, skip_build=True)
    return document


def store_file(images: Mapping[str, str], source: str) -> dict[str, Any]:
    """A function store with the same functions; each image is for all of its platforms.

    Args:
        images: as for ``stack_file``.
        source: the address of the repository.
    """
    functions = [
        {
            "icon": "",
            "title": name,
            "name": name,
            "description": _DESCRIPTIONS[name],
            "fprocess": _fprocess(function.lang),
            "repo_url": source,
            "readOnlyRootFilesystem": function.definition["readonly_root_filesystem"],
            "environment": dict(function.environment),
            "labels": function.definition.get("labels", {}),
            "annotations": function.definition["annotations"],
            "images": dict.fromkeys(_PLATFORMS, _image(images, name)),
        }
        for function in stack.read(PROJECT / "stack.yml", {})
        for name in [function.name]
    ]
    return {"version": _STORE_VERSION, "functions": functions}


def function_resources(variables: Mapping[str, str] = os.environ) -> str:
    """The functions as resources of the kind ``Function``, in YAML, with what the variables fill into ``stack.yml``."""
    resources = [
        {
            "apiVersion": "openfaas.com/v1",
            "kind": "Function",
            "metadata": {"name": function.name, "namespace": _NAMESPACE},
            "spec": {
                "name": function.name,
                "image": function.image,
                "environment": dict(function.environment),
                "annotations": function.definition["annotations"],
                "readOnlyRootFilesystem": function.definition["readonly_root_filesystem"],
                "requests": function.definition["requests"],
                "limits": function.definition["limits"],
            },
        }
        for function in stack.read(PROJECT / "stack.yml", variables)
    ]
    return _WRITTEN + yaml.safe_dump_all(resources, sort_keys=False, width=120)


def build_arguments(name: str, version: str) -> list[str]:
    """The build arguments of a function in ``stack.yml``, each ``NAME=VALUE``.

    Raises:
        ReleaseError: there is no such function.
    """
    functions = {function.name: function for function in stack.read(PROJECT / "stack.yml", {"TAG": version})}
    if name not in functions:
        raise ReleaseError(f"stack.yml has no function {name}.")
    return [f"{key}={value}" for key, value in functions[name].definition["build_args"].items()]


def _image(images: Mapping[str, str], name: str) -> str:
    image = images.get(name, "")
    if not _BY_DIGEST.fullmatch(image):
        raise ReleaseError(f"{name} needs an image by digest, NAME@sha256:DIGEST, not {image!r}.")
    return image


def _fprocess(template: str) -> str:
    path = Path(PROJECT, "template", template, "template.yml")
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))["fprocess"])
