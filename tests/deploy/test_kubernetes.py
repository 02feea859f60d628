"""The manifests are valid, complete, and careful with every process type."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from clp_chassis.settings import read_settings
from clp_deploy.broker_permissions import definitions
from clp_deploy.database_roles import roles_sql
from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.secret_files import write_secret_folders
from clp_notifications.settings import Settings
from tests.deploy.manifests import built, named, pod_of

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base"
VERSION = "1.33"
# Kinds that a cluster learns from an operator; the validator knows the built-in ones.
LEARNT = {
    "ScaledObject": {
        "scaleTargetRef",
        "minReplicaCount",
        "maxReplicaCount",
        "triggers",
    },
    "TriggerAuthentication": {"secretTargetRef"},
}


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return built(FOLDER)


@pytest.fixture(scope="module")
def workloads(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return named(objects, "Deployment") | named(objects, "StatefulSet")


def test_every_object_is_valid(objects: list[dict[str, Any]]) -> None:
    for one in objects:
        if one["kind"] in LEARNT:
            assert LEARNT[one["kind"]] <= set(one["spec"]), one["metadata"]["name"]
        else:
            kubernetes_validate.validate(one, VERSION, strict=True)


def test_an_object_that_is_not_valid_is_noticed(objects: list[dict[str, Any]]) -> None:
    (first, *_) = named(objects, "Deployment").values()
    broken = first | {"spec": first["spec"] | {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


def test_every_file_of_the_folder_is_used() -> None:
    told = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    envs = [name for one in told["configMapGenerator"] for name in one["envs"]]
    assert {*told["resources"], *envs, "kustomization.yaml"} == {
        p.name for p in FOLDER.iterdir()
    }


def test_every_process_type_has_its_workload(
    workloads: dict[str, dict[str, Any]],
) -> None:
    assert set(workloads) == {t.name for t in PROCESS_TYPES}
    for name, workload in workloads.items():
        (container,) = pod_of(workload)["containers"]
        assert container["args"] == [name]
        assert (
            workload["spec"]["selector"]["matchLabels"]
            == workload["spec"]["template"]["metadata"]["labels"]
        )


def test_every_process_type_is_guarded(
    objects: list[dict[str, Any]], workloads: dict[str, dict[str, Any]]
) -> None:
    assert set(named(objects, "PodDisruptionBudget")) == set(workloads)
    for workload in workloads.values():
        pod = pod_of(workload)
        (container,) = pod["containers"]
        assert pod["terminationGracePeriodSeconds"] > 30, "longer than a process takes"
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not pod["automountServiceAccountToken"]


def test_a_service_is_given_its_own_secrets_alone(
    workloads: dict[str, dict[str, Any]],
) -> None:
    for process_type in PROCESS_TYPES:
        pod = pod_of(workloads[process_type.name])
        (container,) = pod["containers"]
        secrets = [
            source["secretRef"]["name"]
            for source in container["envFrom"]
            if "secretRef" in source
        ]
        (keys,) = (
            v["projected"]["sources"] for v in pod["volumes"] if v["name"] == "keys"
        )
        assert secrets == [f"clp-{process_type.service}"]
        assert keys[0]["secret"]["name"] == f"clp-{process_type.service}-key"


def test_what_is_mounted_is_there(workloads: dict[str, dict[str, Any]]) -> None:
    for workload in workloads.values():
        pod = pod_of(workload)
        claims = {
            c["metadata"]["name"]
            for c in workload["spec"].get("volumeClaimTemplates", ())
        }
        volumes = {volume["name"] for volume in pod["volumes"]} | claims
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_nobody_talks_to_anybody_by_default(objects: list[dict[str, Any]]) -> None:
    policies = named(objects, "NetworkPolicy")
    assert policies["nobody-by-default"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    entered = {
        policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for policy in policies.values()
        for entry in policy["spec"].get("ingress", ())
        if entry["ports"] == [{"protocol": "TCP", "port": "http"}]
    }
    assert entered == set(named(objects, "Service")) - {"search"}


def test_delivery_grows_with_its_queue_and_its_due_rows(
    objects: list[dict[str, Any]],
) -> None:
    (scaled,) = named(objects, "ScaledObject").values()
    triggers = {one["type"]: one["metadata"] for one in scaled["spec"]["triggers"]}
    rights = next(
        p for p in definitions()["permissions"] if p["user"] == "notifications"
    )
    assert triggers["rabbitmq"]["queueName"].replace(".", r"\.") in rights["read"]
    asked = triggers["postgresql"]["query"].removeprefix("select ")
    assert f"GRANT EXECUTE ON FUNCTION public.{asked} TO scaling" in roles_sql()
    logins = {one["authenticationRef"]["name"] for one in scaled["spec"]["triggers"]}
    assert logins == set(named(objects, "TriggerAuthentication"))


def test_what_the_scaler_logs_in_with_is_made(
    objects: list[dict[str, Any]], tmp_path: Path
) -> None:
    write_secret_folders(tmp_path, {})
    asked = {
        one["key"]
        for login in named(objects, "TriggerAuthentication").values()
        for one in login["spec"]["secretTargetRef"]
    }
    assert asked == {path.name for path in (tmp_path / "scaling").iterdir()}


def test_the_settings_are_settings(objects: list[dict[str, Any]]) -> None:
    given = dict(named(objects, "ConfigMap")["clp-settings"]["data"])
    read = read_settings(
        Settings, "CLP_NOTIFICATIONS", given | {"CLP_NOTIFICATIONS_SECRET": "s"}
    )
    assert read.keys_dir == "/etc/clp/keys"
    told = {
        line.lstrip("#").partition("=")[0]
        for path in (FOLDER.parents[1] / "environments").glob("*.env")
        for line in path.read_text().splitlines()
    }
    shared = {re.sub(r"^CLP_[A-Z]+_", "CLP_", name) for name in told}
    assert set(given) <= told | shared
