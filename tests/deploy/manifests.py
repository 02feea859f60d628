"""What kustomize would make of a folder: its resources, with what it generates and names."""

from pathlib import Path
from typing import Any

import yaml

UNDERSTOOD = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "configMapGenerator",
    "images",
}


def built(folder: Path) -> list[dict[str, Any]]:
    """All objects of a kustomization; what this does not understand is an error."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(told) <= UNDERSTOOD, f"teach this about {set(told) - UNDERSTOOD}"
    objects = [
        one
        for name in told["resources"]
        for one in yaml.safe_load_all((folder / name).read_text())
    ]
    for generated in told["configMapGenerator"]:
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
            one["metadata"]["namespace"] = told["namespace"]
    return objects


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec
