"""What the readiness checks of running containers say."""

from clp_chassis.runner import ContainerGroup


def failures(group: ContainerGroup) -> list[str]:
    """The reasons why a group of containers is not ready."""
    found: list[str] = []
    for check in group.probes().checks.values():
        try:
            check()
        except OSError as error:
            found.append(str(error))
    return found
