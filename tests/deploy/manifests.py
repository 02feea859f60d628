"""Build a kustomization as kustomize does: resources, config maps and namespace."""

from pathlib import Path
from typing import Any

import yaml

SUPPORTED = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "configMapGenerator",
    "images",
}


def built(folder: Path) -> list[dict[str, Any]]:
    """All objects of a kustomization; an unsupported field is an error."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unsupported = set(kustomization) - SUPPORTED
    assert not unsupported, unsupported
    objects = [
        one
        for name in kustomization["resources"]
        for one in yaml.safe_load_all((folder / name).read_text())
    ]
    for generated in kustomization["configMapGenerator"]:
        lines = [
            line.partition("=")
            for name in generated["envs"]
            for line in (folder / name).read_text().splitlines()
            if line and not line.startswith("#")
        ]
        data = {key: value for key, _, value in lines}
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": generated["name"]},
                "data": data,
            }
        )
    for one in objects:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = kustomization["namespace"]
    return objects


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec
