"""Charts of strangers, rendered by real Helm: what comes out, and what cannot happen."""

import subprocess
import sys

import msgspec
import pytest

from tests.helm.packing import ABOUT, CHART, packed
from windlass.charts.helm import rendered
from windlass.charts.helm.rendered import Part
from windlass.helm import archive, process
from windlass.helm.errors import HelmFailed
from windlass.helm.process import Asked, Limits

pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")

pytestmark = pytest.mark.anyio
# The machine may be busy: what is to end a run is what the test is about.
PATIENT = Limits(cpu_seconds=60, wall_seconds=300)


async def made(files, values=None, *, limits: Limits = PATIENT, **asked) -> process.Rendered:
    given = archive.clean(packed(files))
    return await process.render(given.data, values or {}, Asked(**asked), limits=limits)


async def failure(files, values=None, *, limits: Limits = PATIENT, **asked) -> HelmFailed:
    with pytest.raises(HelmFailed) as caught:
        await made(files, values, limits=limits, **asked)
    return caught.value


async def test_templates_get_effective_values_and_what_they_are_rendered_for():
    answer = await made(
        CHART
        | {
            "templates/about.yaml": "release: {{ .Release.Name }} {{ .Release.Namespace }} "
            "{{ .Release.IsUpgrade }}\ncluster: {{ .Capabilities.KubeVersion.Version }} "
            '{{ .Capabilities.APIVersions.Has "acme.dev/v1" }}\n'
            'live: {{ lookup "v1" "Secret" "" "" }}\n'
        },
        {"replicas": 5},
        release="prod",
        namespace="shops",
        kubernetes="1.31.2",
        api_versions=("acme.dev/v1",),
        is_upgrade=True,
    )

    assert 'image: "ghcr.io/acme/shop:4.5"' in answer.templates["shop/templates/deployment.yaml"]
    assert "replicas: 5" in answer.templates["shop/templates/deployment.yaml"]
    assert answer.templates["shop/templates/about.yaml"] == (
        "release: prod shops true\ncluster: v1.31.2 true\nlive: map[]\n"
    )
    assert answer.values == {"replicas": 5, "image": {"repository": "ghcr.io/acme/shop", "tag": ""}}
    assert answer.metadata.version == "1.2.3"


async def test_hooks_tests_crds_and_notes_stand_apart():
    def object_of(kind: str, name: str, hook: str = "") -> str:
        about = (
            f'annotations: {{"helm.sh/hook": "{hook}", "helm.sh/hook-weight": "-5"}}'
            if hook
            else ""
        )
        return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n  {about}\n"

    answer = await made(
        {
            "Chart.yaml": ABOUT,
            "crds/shops.yaml": object_of("CustomResourceDefinition", "shops.acme.dev"),
            "templates/NOTES.txt": "Open {{ .Release.Name }}\n",
            "templates/_name.tpl": '{{ define "name" }}x{{ end }}',
            "templates/a.yaml": object_of("ConfigMap", "plain")
            + "---\n# nothing\n---\n"
            + object_of("Job", "migrate", "pre-install,pre-upgrade"),
            "templates/tests/t.yaml": object_of("Pod", "probe", "test"),
            "templates/empty.yaml": "{{ if false }}a{{ end }}\n",
        }
    )
    found = rendered.sort(answer.templates, answer.crds, chart="shop")

    assert [(one.part, one.kind, one.name) for one in found.pieces] == [
        (Part.crd, "CustomResourceDefinition", "shops.acme.dev"),
        (Part.manifest, "ConfigMap", "plain"),
        (Part.hook, "Job", "migrate"),
        (Part.test, "Pod", "probe"),
    ]
    hook = found.of(Part.hook)[0]
    assert (hook.hooks, hook.weight) == (("pre-install", "pre-upgrade"), -5)
    assert found.notes == "Open release"
    assert [one.documents[0].file for one in found.readings] == [
        "shop/crds/shops.yaml",
        "shop/templates/a.yaml",
    ]


async def test_dependencies_are_rendered_with_their_conditions_aliases_and_libraries():
    child = "apiVersion: v2\nversion: 0.1.0\nname: "
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
    answer = await made(
        {
            "Chart.yaml": ABOUT
            + "dependencies:\n- {name: cache, version: 0.1.0, alias: sessions}\n"
            + "- {name: mail, version: 0.1.0, condition: mail.enabled}\n"
            + "- {name: common, version: 0.1.0}\n",
            "values.yaml": "mail: {enabled: false}\nsessions: {size: 7}\n",
            "templates/a.yaml": config % '{{ include "common.name" . }}',
            "charts/cache/Chart.yaml": child + "cache\n",
            "charts/cache/templates/c.yaml": config % "cache-{{ .Values.size }}",
            "charts/mail-0.1.0.tgz": packed({"Chart.yaml": child + "mail\n"}, top="mail/"),
            "charts/common/Chart.yaml": child + "common\ntype: library\n",
            "charts/common/templates/_n.tpl": '{{ define "common.name" }}shared{{ end }}',
        }
    )

    names = [one.name for one in rendered.sort(answer.templates, answer.crds).pieces]
    assert names == ["cache-7", "shared"]


async def test_what_helm_refuses_is_said_with_its_place():
    template = "templates/a.yaml"
    about = {"Chart.yaml": ABOUT}
    error = await failure({**about, template: "a: 1\nb: {{ .Values.x.y.z }}\n"})
    assert (error.code, error.file, error.line) == ("render", "shop/templates/a.yaml", 2)
    assert "nil pointer" in error.message

    error = await failure({**about, template: '\n\nb: {{ required "say which tag" .Values.tag }}'})
    assert (error.code, error.line, error.message) == ("template-fail", 3, "say which tag")

    schema = '{"properties":{"image":{"properties":{"tag":{"type":"string"}}},"n":{"minimum":1}}}'
    given = {**about, template: "a: 1", "values.schema.json": schema}
    error = await failure(given, {"image": {"tag": 5}, "n": 0})
    assert (error.code, error.values) == ("values-schema", ("image.tag", "n"))

    error = await failure({"Chart.yaml": ABOUT + "kubeVersion: '>=1.40'\n", template: "a: 1"})
    assert error.code == "kubernetes"
    assert ">=1.40" in error.message

    error = await failure({"Chart.yaml": ABOUT + "type: library\n"})
    assert error.code == "library"
    error = await failure({"Chart.yaml": ABOUT + "dependencies: [{name: redis, version: 1.x}]\n"})
    assert (error.code, "redis 1.x" in error.message) == ("dependencies", True)
    assert (await failure({"Chart.yaml": "name: ["})).code == "chart"
    assert (await failure({**about, "values.yaml": "a: [1"})).code == "chart"


async def test_a_chart_that_takes_memory_time_or_room_is_ended():
    about = {"Chart.yaml": ABOUT}
    twice = '{{- $s = printf "%s%s" $s $s }}'
    eater = '{{- $s := "xxxxxxxx" }}{{- range until 60 }}' + twice + "{{ end }}a: {{ $s }}"
    assert (await failure({**about, "templates/a.yaml": eater})).code == "memory"

    endless = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"
    quick = Limits(cpu_seconds=1, wall_seconds=300)
    assert (await failure({**about, "templates/a.yaml": endless}, limits=quick)).code == "time"
    hurried = Limits(cpu_seconds=60, wall_seconds=0.5)
    assert (await failure({**about, "templates/a.yaml": endless}, limits=hurried)).code == "time"

    large = '{{ $s := repeat 100000 "abcdefgh" }}{{ range until 8 }}{{ $s }}{{ end }}'
    small = msgspec.structs.replace(PATIENT, output=1 << 20)
    assert (await failure({**about, "templates/a.yaml": large}, limits=small)).code == "output"

    circle = '{{ define "x" }}{{ include "x" . }}{{ end }}a: {{ include "x" . }}'
    assert (await failure({**about, "templates/a.yaml": circle})).code == "render"


async def test_a_schema_reaches_neither_files_nor_the_network():
    schema = (
        '{"$schema":"http://127.0.0.1:1/meta","properties":{"a":{"$ref":"http://127.0.0.1:1/x"},'
        '"b":{"$ref":"file:///etc/passwd"},"c":{"$ref":"#/$defs/c"}},"$defs":{"c":{"type":"string"}}}'
    )
    nested = packed(
        {"Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n", "values.schema.json": schema},
        top="sub/",
    )
    files = {"Chart.yaml": ABOUT, "values.schema.json": schema, "charts/sub-1.0.0.tgz": nested}
    given = archive.clean(packed(files))

    assert (
        await process.render(given.data, {"a": 1, "b": 2}, Asked(), limits=PATIENT)
    ).templates == {}
    assert len(given.notes) == 6
    assert (await failure(files, {"c": 1})).values == ("c",)


async def test_templates_find_nothing_of_the_machine():
    text = '{{ getHostByName "localhost" }}{{ .Files.Get "/etc/passwd" }}{{ .Files.Get "../../x" }}'
    answer = await made({"Chart.yaml": ABOUT, "templates/a.yaml": f"a: '{text}'"})

    assert answer.templates["shop/templates/a.yaml"] == "a: ''"
    error = await failure({"Chart.yaml": ABOUT, "templates/a.yaml": '{{ env "HOME" }}'})
    assert "not defined" in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="system-call filters are Linux'")
def test_the_child_cannot_open_connect_or_start_anything():
    tries = """
import os, socket, subprocess, threading
from windlass.helm import confine
said = []
def attempt(name, what):
    try:
        what()
    except OSError as error:
        said.append(f"{name} {error.errno}")
    else:
        said.append(f"{name} DONE")
def all_of_them():
    attempt("open", lambda: open("/etc/passwd"))
    attempt("create", lambda: os.open("/tmp/x", os.O_CREAT | os.O_WRONLY))
    attempt("socket", lambda: socket.socket())
    attempt("unix", lambda: socket.socket(socket.AF_UNIX))
    attempt("exec", lambda: os.execv("/bin/true", ["true"]))
    attempt("delete", lambda: os.unlink("/tmp/x"))
    attempt("kill", lambda: os.kill(os.getppid(), 0))
go = threading.Event()
older = threading.Thread(target=lambda: (go.wait(), all_of_them()))
older.start()
confine.limit(memory=64 << 20, cpu_seconds=30)
confine.forbid()
all_of_them()
go.set()
older.join()
try:
    bytearray(1 << 30)
except MemoryError:
    said.append("memory")
print(" ".join(said), flush=True)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", tries], capture_output=True, text=True, timeout=120
    )

    refused = "open 1 create 1 socket 1 unix 1 exec 1 delete 1 kill 1"
    assert done.stdout.strip() == f"{refused} {refused} memory", done.stderr
