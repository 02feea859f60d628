"""The manifests are valid and complete for every process type."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from clp_chassis.settings import read_whole_environment
from clp_deploy.broker_permissions import definitions
from clp_deploy.database_roles import roles_sql
from clp_deploy.environments import all_settings
from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.secret_files import write_secret_folders
from clp_notifications.settings import Settings
from tests.deploy.manifests import built, named, pod_of

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base"
VERSION = "1.33"
# Kinds of custom resources; the validator knows the built-in ones.
CUSTOM = {
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
        if one["kind"] in CUSTOM:
            assert CUSTOM[one["kind"]] <= set(one["spec"]), one["metadata"]["name"]
        else:
            kubernetes_validate.validate(one, VERSION, strict=True)


def test_an_invalid_object_is_noticed(objects: list[dict[str, Any]]) -> None:
    (first, *_) = named(objects, "Deployment").values()
    broken = first | {"spec": first["spec"] | {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


def test_every_file_of_the_folder_is_used() -> None:
    content = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    envs = [name for one in content["configMapGenerator"] for name in one["envs"]]
    assert {*content["resources"], *envs, "kustomization.yaml"} == {
        p.name for p in FOLDER.iterdir()
    }


def test_every_process_type_has_a_workload(
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


def test_every_workload_is_restricted_and_probed(
    objects: list[dict[str, Any]], workloads: dict[str, dict[str, Any]]
) -> None:
    assert set(named(objects, "PodDisruptionBudget")) == set(workloads)
    for workload in workloads.values():
        pod = pod_of(workload)
        (container,) = pod["containers"]
        assert pod["terminationGracePeriodSeconds"] > 30, "longer than a shutdown"
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not pod["automountServiceAccountToken"]


def test_a_workload_mounts_the_secrets_of_its_service_only(
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


def test_the_role_that_owns_the_tables_is_in_the_init_container_alone(
    workloads: dict[str, dict[str, Any]],
) -> None:
    for process_type in PROCESS_TYPES:
        pod = pod_of(workloads[process_type.name])
        (container,) = pod["containers"]
        (migration,) = pod["initContainers"]
        service = process_type.service
        assert migration["args"] == [service, "migrate"]
        (source,) = migration["envFrom"]
        assert source["secretRef"]["name"] == f"clp-{service}-migration"
        # Search has a database only where its index is in PostgreSQL.
        assert source["secretRef"].get("optional", False) == (service == "search")
        assert "migration" not in str(container["envFrom"])
        assert migration["securityContext"] == container["securityContext"]
        assert {m["name"] for m in migration["volumeMounts"]} == {"scratch", "tls"}


def test_every_mount_has_a_volume(workloads: dict[str, dict[str, Any]]) -> None:
    for workload in workloads.values():
        pod = pod_of(workload)
        claims = {
            c["metadata"]["name"]
            for c in workload["spec"].get("volumeClaimTemplates", ())
        }
        volumes = {volume["name"] for volume in pod["volumes"]} | claims
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_traffic_is_denied_by_default(objects: list[dict[str, Any]]) -> None:
    policies = named(objects, "NetworkPolicy")
    assert policies["deny-by-default"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    reachable = {
        policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for policy in policies.values()
        for entry in policy["spec"].get("ingress", ())
        if entry["ports"] == [{"protocol": "TCP", "port": "http"}]
    }
    assert reachable == set(named(objects, "Service")) - {"search"}


def test_delivery_scales_with_its_queue_and_its_due_mails(
    objects: list[dict[str, Any]],
) -> None:
    (scaled,) = named(objects, "ScaledObject").values()
    triggers = {one["type"]: one["metadata"] for one in scaled["spec"]["triggers"]}
    permission = next(
        p for p in definitions()["permissions"] if p["user"] == "notifications"
    )
    assert triggers["rabbitmq"]["queueName"].replace(".", r"\.") in permission["read"]
    function = triggers["postgresql"]["query"].removeprefix("select ")
    assert f"GRANT EXECUTE ON FUNCTION public.{function} TO scaling" in roles_sql()
    logins = {one["authenticationRef"]["name"] for one in scaled["spec"]["triggers"]}
    assert logins == set(named(objects, "TriggerAuthentication"))


def test_the_secrets_of_the_autoscaler_are_generated(
    objects: list[dict[str, Any]], tmp_path: Path
) -> None:
    write_secret_folders(tmp_path, {})
    keys = {
        one["key"]
        for login in named(objects, "TriggerAuthentication").values()
        for one in login["spec"]["secretTargetRef"]
    }
    assert keys == {path.name for path in (tmp_path / "scaling").iterdir()}


def test_the_config_map_holds_known_settings(objects: list[dict[str, Any]]) -> None:
    given = dict(named(objects, "ConfigMap")["clp-settings"]["data"])
    secrets = {
        "CLP_NOTIFICATIONS_SECRET": "s" * 32,
        "CLP_NOTIFICATIONS_DATABASE_URL": "postgresql+psycopg://notifications@db/n",
    }
    read = read_whole_environment(Settings, "notifications", given | secrets)
    assert read.keys_dir == "/etc/clp/keys"
    known = {
        name
        for described in all_settings().values()
        for one in described
        for name in (one.variable, one.shared_variable)
    }
    assert set(given) <= known
