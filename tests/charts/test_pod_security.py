"""Pod Security Standards as the admission controller of each version decides."""

import pytest

from windlass.charts import schemas
from windlass.charts.checks.pod_security import Level, violations
from windlass.charts.checks.world import World
from windlass.charts.documents import Resource, load

HARD = """\
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
"""
PLUS = "securityContext: {{{}, allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}"
CONTAINER = "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"


def refused(spec: str, level: str, version: str = "1.37", metadata: str = "") -> list[str]:
    text = f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{metadata}spec:\n{spec}"
    document = load(text)[0]
    data = document.data
    assert isinstance(data, dict)
    world = World([Resource(document, (), data)], schemas.of("1.37"))
    number = tuple(int(part) for part in version.split("."))
    return sorted({one.control for one in violations(world.pods[0], Level(level), number)})


def pod(lines: str = "", container: str = "", *, kind: str = "containers") -> str:
    body = f"  {kind}:\n    - name: a\n      image: a:1\n"
    body += "".join(f"      {line}\n" for line in container.splitlines())
    return "".join(f"  {line}\n" for line in lines.splitlines()) + body


BASELINE = [
    ("hostNetwork: true", "", "hostNamespaces"),
    ("hostPID: true", "", "hostNamespaces"),
    ("", "securityContext: {privileged: true}", "privileged"),
    ("", "securityContext: {capabilities: {add: [NET_RAW]}}", "capabilities_baseline"),
    ("", "securityContext: {capabilities: {add: [CAP_CHOWN]}}", "capabilities_baseline"),
    ("volumes: [{name: a, hostPath: {path: /}}]", "", "hostPathVolumes"),
    ("", "ports: [{containerPort: 1, hostPort: 1}]", "hostPorts"),
    ("securityContext: {appArmorProfile: {type: Unconfined}}", "", "appArmorProfile"),
    ("", "securityContext: {seLinuxOptions: {type: spc_t}}", "seLinuxOptions"),
    ("securityContext: {seLinuxOptions: {user: u}}", "", "seLinuxOptions"),
    ("", "securityContext: {procMount: Unmasked}", "procMount"),
    ("securityContext: {seccompProfile: {type: Unconfined}}", "", "seccompProfile_baseline"),
    ("securityContext: {sysctls: [{name: kernel.sem, value: a}]}", "", "sysctls"),
    ("securityContext: {windowsOptions: {hostProcess: true}}", "", "windowsHostProcess"),
    ("", "livenessProbe: {httpGet: {host: a, port: 1}}", "hostProbesAndHostLifecycle"),
    ("", "lifecycle: {preStop: {tcpSocket: {host: a, port: 1}}}", "hostProbesAndHostLifecycle"),
]


@pytest.mark.parametrize(("lines", "container", "control"), BASELINE)
@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_the_baseline_refuses(lines: str, container: str, control: str, kind: str) -> None:
    assert refused(pod(lines, container, kind=kind), "baseline") == [control]
    assert refused(pod(lines, container, kind=kind), "privileged") == []


@pytest.mark.parametrize(
    ("lines", "container"),
    [
        ("", "securityContext: {capabilities: {add: [CHOWN, SYS_CHROOT, MKNOD]}}"),
        ("", "securityContext: {procMount: Default}"),
        ("", "ports: [{containerPort: 1, hostPort: 0}]"),
        ("securityContext: {seLinuxOptions: {type: container_t, level: s0}}", ""),
        ("hostNetwork: false\nhostUsers: true", ""),
        ("", "livenessProbe: {httpGet: {host: '', port: 1}}"),
    ],
)
def test_the_baseline_lets_through(lines: str, container: str) -> None:
    assert refused(pod(lines, container), "baseline") == []


@pytest.mark.parametrize(
    ("lines", "container", "since"),
    [
        ("securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: a}]}", "", "1.32"),
        ("securityContext: {sysctls: [{name: net.ipv4.tcp_notsent_lowat, value: a}]}", "", "1.37"),
        ("", "securityContext: {seLinuxOptions: {type: container_engine_t}}", "1.31"),
        ("hostUsers: false", "securityContext: {procMount: Unmasked}", "1.35"),
    ],
)
def test_what_became_allowed(lines: str, container: str, since: str) -> None:
    before = f"1.{int(since.split('.')[1]) - 1}"

    assert refused(pod(lines, container), "baseline", since) == []
    assert len(refused(pod(lines, container), "baseline", before)) == 1


def test_another_host_in_a_probe_is_refused_from_1_34_on() -> None:
    spec = pod("", "readinessProbe: {tcpSocket: {host: a, port: 1}}")

    assert refused(spec, "baseline", "1.33") == []
    assert refused(spec, "baseline", "1.34") == ["hostProbesAndHostLifecycle"]


def test_app_armor_annotations_still_count() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/a"
    for value, expected in (
        ("unconfined", ["appArmorProfile"]),
        ("runtime/default", []),
        ("localhost/own", []),
    ):
        metadata = f"  annotations:\n    {key}: {value}\n"
        assert refused(pod(), "baseline", metadata=metadata) == expected


def test_a_hardened_pod_passes_restricted() -> None:
    assert refused(HARD + pod("", CONTAINER), "restricted") == []


def test_a_plain_pod_breaks_four_controls_of_restricted() -> None:
    assert refused(pod(), "restricted") == [
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    ]


@pytest.mark.parametrize(
    ("lines", "container", "control"),
    [
        ("volumes: [{name: a, nfs: {server: a, path: /}}]", CONTAINER, "restrictedVolumes"),
        ("volumes: [{name: a, hostPath: {path: /}}]", CONTAINER, "restrictedVolumes"),
        ("", CONTAINER.replace("ALL]", "ALL], add: [CHOWN]"), "capabilities_restricted"),
        ("", CONTAINER.replace("{allow", "{runAsUser: 0, allow"), "runAsUser"),
        ("", CONTAINER.replace("{allow", "{runAsNonRoot: false, allow"), "runAsNonRoot"),
        ("hostUsers: false", PLUS.format("procMount: Unmasked"), "procMount_restricted"),
        ("", PLUS.format("seccompProfile: {type: Unconfined}"), "seccompProfile_restricted"),
    ],
)  # fmt: skip
def test_restricted_refuses(lines: str, container: str, control: str) -> None:
    assert refused(HARD + pod(lines, container), "restricted") == [control]


def test_restricted_lets_through_what_it_allows() -> None:
    added = CONTAINER.replace("ALL]", "ALL], add: [NET_BIND_SERVICE]")
    volumes = "volumes: [{name: a, image: {reference: a}}, {name: b, csi: {driver: a}}, {name: c}]"

    assert refused(HARD + pod(volumes, added), "restricted") == []


def test_a_pod_in_a_user_namespace_may_be_root_from_1_35_on() -> None:
    container = CONTAINER.replace("{allow", "{runAsUser: 0, allow")
    spec = pod(
        "hostUsers: false\nsecurityContext: {seccompProfile: {type: RuntimeDefault}}", container
    )

    assert refused(spec, "restricted", "1.34") == ["runAsNonRoot", "runAsUser"]
    assert refused(spec, "restricted", "1.35") == []


def test_windows_pods_are_not_asked_for_what_windows_has_not() -> None:
    spec = pod("os: {name: windows}\nsecurityContext: {runAsNonRoot: true}")

    assert refused(spec, "restricted") == []
    assert len(refused(spec, "restricted", "1.24")) == 3


def test_a_container_may_take_back_what_the_pod_says() -> None:
    spec = HARD + pod("", CONTAINER.replace("{allow", "{runAsNonRoot: true, allow"))

    assert refused(
        spec.replace("runAsNonRoot: true, sec", "runAsNonRoot: false, sec"), "restricted"
    ) == ["runAsNonRoot"]
