"""Kubernetes manifests: a workload for each process type, with its guards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from clp_chassis.messaging.event_consumer import QUEUE_VERSION
from clp_deploy.database_roles import DUE_MAILS
from clp_deploy.processes import PROCESS_TYPES, ProcessType
from clp_deploy.service_inventory import dealings

HEAD: Final = """\
# A workload for each process type, with what guards it. Written by `make deploy-files`
# from the list of process types; lay an overlay over it to change anything.
"""
IMAGE: Final = "clp-communications"
# A process finishes its work in 30 seconds at most, and is killed after that.
GRACE_S: Final = 45
OBSERVE_PORT: Final = 9100
USER: Final = 10001


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a process type there is to begin with.

    ``port`` is set for a type that serves HTTP, ``data`` for one with a folder of its
    own, ``files`` for one that shares the folder of attachments.
    """

    copies: int
    cpu: str
    memory: str
    port: int = 0
    data: str = ""
    files: bool = False


SIZES: Final = {
    "projects": Size(copies=2, cpu="200m", memory="192Mi"),
    "messages": Size(copies=2, cpu="500m", memory="256Mi", port=8000, files=True),
    "search": Size(copies=2, cpu="500m", memory="512Mi", data="20Gi"),
    "notifications": Size(copies=2, cpu="250m", memory="256Mi", port=8001),
    "delivery": Size(copies=1, cpu="250m", memory="256Mi"),
}


def processes_yaml() -> str:
    """All manifests, in one file."""
    documents = [one for t in PROCESS_TYPES for one in _manifests_of(t)]
    documents.append(_scaling_of_delivery())
    text: str = yaml.safe_dump_all(documents, sort_keys=False, width=88)
    return HEAD + text


def _manifests_of(process_type: ProcessType) -> Iterator[dict[str, Any]]:
    size = SIZES[process_type.name]
    yield _workload(process_type, size)
    yield _object(
        "policy/v1/PodDisruptionBudget",
        process_type.name,
        {"maxUnavailable": 1, "selector": _selector(process_type)},
    )
    if size.port or size.data:
        ports = [{"name": "http", "port": size.port or 8000, "targetPort": "http"}]
        yield _object(
            "v1/Service",
            process_type.name,
            {"selector": _labels(process_type.name), "ports": ports}
            if size.port
            # A stateful set wants a name for its pods; nobody connects.
            else {"selector": _labels(process_type.name), "clusterIP": "None"},
        )


def _workload(process_type: ProcessType, size: Size) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "replicas": size.copies,
        "selector": _selector(process_type),
        "template": {
            "metadata": {"labels": _labels(process_type.name)},
            "spec": _pod(process_type, size),
        },
    }
    if not size.data:
        # A new process takes work before an old one stops taking it.
        calm = {"maxUnavailable": 0, "maxSurge": 1}
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": calm}
        return _object("apps/v1/Deployment", process_type.name, spec)
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size.data}},
    }
    spec["serviceName"] = process_type.name
    spec["podManagementPolicy"] = "Parallel"
    spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    return _object("apps/v1/StatefulSet", process_type.name, spec)


def _pod(process_type: ProcessType, size: Size) -> dict[str, Any]:
    service = process_type.service
    secrets = {
        "sources": [
            {"secret": {"name": f"clp-{service}-key"}},
            {"configMap": {"name": "clp-trusted-keys"}},
        ],
        "defaultMode": 0o440,
    }
    volumes: list[dict[str, Any]] = [
        {"name": "scratch", "emptyDir": {}},
        {"name": "keys", "projected": secrets},
        {"name": "tls", "configMap": {"name": "clp-authority"}},
    ]
    if size.files:
        claim = {"claimName": "clp-files"}
        volumes.append({"name": "files", "persistentVolumeClaim": claim})
    return {
        "terminationGracePeriodSeconds": GRACE_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": _selector(process_type),
            }
        ],
        "containers": [_container(process_type, size)],
        "volumes": volumes,
    }


def _container(process_type: ProcessType, size: Size) -> dict[str, Any]:
    mounts = [
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - of the container
        {"name": "keys", "mountPath": "/etc/clp/keys", "readOnly": True},
        {"name": "tls", "mountPath": "/etc/clp/tls", "readOnly": True},
    ]
    if size.files:
        mounts.append({"name": "files", "mountPath": "/var/lib/clp/files"})
    if size.data:
        mounts.append({"name": "data", "mountPath": "/var/lib/clp"})
    container: dict[str, Any] = {
        "name": process_type.name,
        "image": IMAGE,
        "args": [process_type.name],
        "ports": [{"name": "observe", "containerPort": OBSERVE_PORT}],
        "envFrom": [
            {"configMapRef": {"name": "clp-settings"}},
            {"secretRef": {"name": f"clp-{process_type.service}"}},
        ],
        "resources": {
            "requests": {"cpu": size.cpu, "memory": size.memory},
            # No limit of CPU: a throttled process is late for everybody.
            "limits": {"memory": _twice(size.memory)},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": {**_looks("live"), "periodSeconds": 2, "failureThreshold": 90},
        "livenessProbe": {**_looks("live"), "periodSeconds": 10, "failureThreshold": 3},
        "readinessProbe": {**_looks("ready"), "periodSeconds": 5},
        "volumeMounts": mounts,
    }
    if size.port:
        container["ports"].append({"name": "http", "containerPort": size.port})
    return container


def _scaling_of_delivery() -> dict[str, Any]:
    """More deliverers while events wait in their queue, or mails are due."""
    (queue,) = (
        f"evt-{event.source}--{event.service}.{event.method}.{QUEUE_VERSION}"
        for one in dealings()
        for event in one.hears
        if event.service == "notifications_delivery"
    )
    waiting = {
        # The management port is closed.
        "protocol": "amqp",
        "queueName": queue,
        "mode": "QueueLength",
        "value": "200",
    }
    rows = {"query": f"select {DUE_MAILS}()", "targetQueryValue": "100"}
    return _object(
        "keda.sh/v1alpha1/ScaledObject",
        "delivery",
        {
            "scaleTargetRef": {"name": "delivery"},
            "minReplicaCount": 1,
            "maxReplicaCount": 8,
            "pollingInterval": 15,
            "cooldownPeriod": 120,
            "triggers": [
                _trigger("rabbitmq", waiting, "clp-scaling-broker"),
                _trigger("postgresql", rows, "clp-scaling-database"),
            ],
        },
    )


def _trigger(kind: str, metadata: dict[str, str], login: str) -> dict[str, Any]:
    return {
        "type": kind,
        "metadata": metadata,
        "authenticationRef": {"name": login},
    }


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    version, _, kind = kind.rpartition("/")
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": spec,
    }


def _labels(name: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/part-of": "clp-communications",
        "app.kubernetes.io/name": name,
    }


def _selector(process_type: ProcessType) -> dict[str, Any]:
    return {"matchLabels": _labels(process_type.name)}


def _looks(at: str) -> dict[str, Any]:
    return {"httpGet": {"path": f"/{at}", "port": "observe"}, "timeoutSeconds": 5}


def _twice(memory: str) -> str:
    return f"{int(memory.removesuffix('Mi')) * 2}Mi"
