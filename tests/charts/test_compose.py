"""A compose file becomes a form, and each of its lines is told: exact, adapted, impossible."""

import json

import pytest

from tests.charts.test_command import run
from windlass.charts import form
from windlass.charts.compose import Converted, Verdict, convert, values
from windlass.charts.documents import Unreadable, dump, load
from windlass.charts.generate import manifests

SHOP = """\
name: shop
services:
  web:
    image: ghcr.io/acme/web:${TAG:-1.2.0}
    command: serve --name "two words"
    entrypoint: [/init]
    ports: ["8080:80", "127.0.0.1:53:53/udp", 22:22]
    environment:
      DEBUG: yes
      PORT: 8080
      DB_HOST: my_db
      API_TOKEN: sk_live_abcdefghijklmnop1234
      REGION:
    depends_on: [my_db]
    volumes: ["./conf:/etc/conf:ro", "/srv", cache:/cache]
    healthcheck: {test: [CMD, ok], interval: 1m30s, timeout: 500ms, retries: 3, start_period: 40s}
    deploy:
      replicas: 3
      resources: {limits: {cpus: 0.50, memory: 512M}, reservations: {memory: 0.25g}}
    restart: unless-stopped
    user: "1000:2000"
    stop_grace_period: 1m
    ulimits: {nofile: 1024}
    volumess: []
  my_db:
    image: postgres:16
    volumes: [data:/var/lib/postgresql/data]
    secrets: [pw]
  migrate:
    image: ghcr.io/acme/web:1.2.0
    volumes: [cache:/cache]
  late:
    image: ghcr.io/acme/web:1.2.0
    depends_on: {migrate: {condition: service_completed_successfully}}
  debug: {image: adminer, profiles: [debug]}
volumes: {data: {}, cache: {}}
secrets: {pw: {file: ./pw}}
"""


@pytest.fixture(scope="module")
def shop() -> Converted:
    return convert(SHOP)


def told(made: Converted, path: str) -> list[tuple[str, int]]:
    return [(one.verdict.value, one.line) for one in made.notes if one.path == path]


def test_what_is_made_is_a_form_that_manifests_come_of(shop: Converted):
    app, flaws = form.parse(shop.form)

    assert flaws == []
    assert app is not None
    kinds = {(str(one["kind"]), one["metadata"]["name"]) for one in manifests(app)}  # type: ignore[index]
    assert {("Deployment", "web"), ("StatefulSet", "my-db"), ("Job", "migrate")} <= kinds
    assert ("Service", "my-db") in kinds, "others reach the database by its name"
    assert not any(name == "debug" for _, name in kinds)


def test_a_container_runs_what_the_service_runs(shop: Converted):
    container = shop.form["workloads"][0]["containers"][0]

    assert container["image"] == "ghcr.io/acme/web:1.2.0"
    assert container["command"] == ["/init"]
    assert container["args"] == ["serve", "--name", "two words"]
    assert [one["containerPort"] for one in container["ports"]] == [80, 53, 22]
    assert container["ports"][1]["protocol"] == "UDP"
    assert container["resources"] == {
        "limits": {"cpu": "500m", "memory": "512Mi"},
        "requests": {"memory": "0.25Gi"},
    }
    assert container["securityContext"] == {"runAsUser": 1000, "runAsGroup": 2000}
    assert container["readinessProbe"]["periodSeconds"] == 90
    assert container["readinessProbe"]["timeoutSeconds"] == 1
    assert shop.form["workloads"][0]["pod"]["terminationGracePeriodSeconds"] == 60


def test_variables_are_texts_as_compose_reads_them_and_secrets_go_into_a_secret(shop: Converted):
    variables = {one["name"]: one for one in shop.form["workloads"][0]["containers"][0]["env"]}

    assert variables["DEBUG"]["value"] == "yes"
    assert variables["PORT"]["value"] == "8080"
    assert variables["REGION"]["value"] == ""
    reference = {"name": "web-secrets", "key": "API_TOKEN"}
    assert variables["API_TOKEN"]["valueFrom"] == {"secretKeyRef": reference}
    secret = next(one for one in shop.form["resources"] if one["name"] == "web-secrets")
    assert secret["values"] == {"API_TOKEN": "sk_live_abcdefghijklmnop1234"}


def test_each_line_is_told_with_its_place(shop: Converted):
    assert told(shop, "services.web.image") == [("adapted", 4), ("exact", 4)]
    assert told(shop, "services.web.command") == [("exact", 5)]
    assert told(shop, "services.web.ports[0]") == [("adapted", 7)]
    assert told(shop, "services.web.ports[2]") == [("exact", 7)]
    assert told(shop, "services.web.environment.API_TOKEN") == [("adapted", 12)]
    assert told(shop, "services.web.volumes[0]") == [("impossible", 15)]
    assert told(shop, "services.web.volumes[1]") == [("exact", 15)]
    assert told(shop, "services.web.ulimits") == [("impossible", 23)]
    assert told(shop, "services.web.volumess") == [("impossible", 24)]
    assert told(shop, "services.debug") == [("adapted", 35)]
    assert told(shop, "secrets.pw") == [("adapted", 37)]
    assert shop.count(Verdict.impossible) == 3


def test_a_disk_of_one_is_its_own_and_a_shared_one_is_claimed(shop: Converted):
    web, database = shop.form["workloads"][:2]

    assert database["storage"][0]["mountPath"] == "/var/lib/postgresql/data"
    assert database["replicas"] == 1
    claim = {"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}
    assert claim in web["pod"]["volumes"]
    claims = [one for one in shop.form["resources"] if one["type"] == "PersistentVolumeClaim"]
    assert claims[0]["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("kind: Deployment\n", 1, "no compose file"),
        ("", 1, "no compose file"),
        ("services:\n  a: {image: x}\n---\nservices: {}\n", 4, "no compose file"),
        ("services:\n\ta: 1\n", 2, "tab"),
        ("services: [1]\n", 1, "no compose file"),
        ("services:\n  a: 1\n  a: 2\n", 3, "`a`"),
    ],
)
def test_what_is_no_compose_file_is_refused_at_its_line(text: str, line: int, says: str):
    with pytest.raises(Unreadable) as refused:
        convert(text)

    assert refused.value.problems[0].line == line
    assert says in refused.value.problems[0].message


@pytest.mark.parametrize(
    "service",
    [
        "1",
        "{}",
        "{image: 1, ports: x, volumes: 5, environment: 7, deploy: 3, healthcheck: 4}",
        "{image: a, ports: [{}, [], 99999, 5-1], volumes: [{}, [], 1, ':'], networks: [a]}",
        "{image: a, deploy: {resources: {limits: {cpus: x, memory: y}}, placement: {}, other: 1}}",
        '{image: a, command: "a \'b", user: root, security_opt: [1], extra_hosts: [1], sysctls: 3}',
        "{image: a, secrets: [{}], configs: [1], depends_on: 4, labels: 5, tmpfs: 3, dns: 9}",
        "{image: '${A:?no}', profiles: [a], extends: b, network_mode: host, platform: linux/arm64}",
        "{image: a, healthcheck: {test: [], interval: x}, stop_grace_period: x, shm_size: x}",
        "{image: a, environment: [A, 'B=1', 3], env_file: x, build: ., links: ['b:c'], pid: host}",
    ],
)
def test_whatever_a_service_says_each_key_is_told_and_nothing_breaks(service: str):
    made = convert(f"services:\n  a: {service}\n  b: {{image: x}}\n")

    data = load(f"a: {service}\n")[0].data
    keys = data["a"] if isinstance(data, dict) and isinstance(data["a"], dict) else {}  # type: ignore[index]
    if "profiles" not in keys:
        for key in keys:
            assert any(one.path.startswith(f"services.a.{key}") for one in made.notes), key


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m30s", 90), ("500ms", 1), ("2h", 7200), ("x", None), ("", None)]
)
def test_durations(text: str, seconds: int | None):
    assert values.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$$A", "$A"),
        ("${A:-b}-$B", "b-"),
        ("${A-${B:-c}}", "c"),
        ("${A:+set}", ""),
        ("100%", "100%"),
        ("$", "$"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, filled: str):
    assert values.Filled(text).text == filled


def test_the_command_writes_the_form_and_tells_the_lines():
    done = run("import", "-", stdin=SHOP)

    assert load(done.stdout)[0].data == load(dump(convert(SHOP).form))[0].data
    assert "impossible: services.web.ulimits" in done.stderr
    assert "3 impossible" in done.stderr
    assert run("import", "-", "--strict", stdin=SHOP).exit_code == 1
    shown = json.loads(run("import", "-", "--json", stdin=SHOP).stdout)
    assert shown["data"]["notes"][0]["verdict"] == "exact"
    refused = run("import", "-", stdin="a: 1\n")
    assert refused.exit_code == 2
    assert "no compose file" in refused.stderr
