"""All rules over 1,000 Kubernetes documents, beside Checkov 3 on the same files.

Two comparisons, both of processor time on one core, which other work on the machine touches little:
as programs, from start to exit with a report, and warm, the checks alone in a process that has
checked something before. Checkov comes from the package index into a virtual environment of its own
(kept in .cache), without the network when it runs.

    .venv/bin/python -m benchmarks.charts_check [--documents 1000] [--rounds 3] [--without-checkov]
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Options
from windlass.charts.documents import read

CHECKOV = "checkov>=3,<4"
CACHE = Path(__file__).parents[1] / ".cache" / "checkov"
# What Checkov's own program does between its start and its report, a second time in one process.
WARM = """
import sys, time
from checkov.kubernetes.runner import Runner
from checkov.runner_filter import RunnerFilter
for folder in sys.argv[1:]:
    began = time.process_time()
    Runner().run(root_folder=folder, runner_filter=RunnerFilter(framework=["kubernetes"]))
    print(time.process_time() - began)
"""
# Ten objects as an application has them: some good, some as one finds them.
APPLICATION = """\
apiVersion: v1
kind: Namespace
metadata: {{name: shop-{n}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: web, namespace: shop-{n}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: shop-{n}}}
data:
  LOG_LEVEL: info
  DATABASE_PASSWORD_FILE: /run/secrets/database
  nginx.conf: |
    server {{
      listen 8080;
      location / {{ proxy_pass http://api; }}
    }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop-{n}, labels: {{app: web}}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: web
          image: ghcr.io/acme/web:1.{n}
          ports: [{{name: http, containerPort: 8080}}]
          envFrom: [{{configMapRef: {{name: settings}}}}]
          readinessProbe: {{httpGet: {{path: /ready, port: http}}}}
          livenessProbe: {{httpGet: {{path: /alive, port: http}}}}
          resources: {{requests: {{cpu: 100m, memory: 128Mi}}, limits: {{cpu: 1, memory: 128Mi}}}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: shop-{n}}}
spec:
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec:
      initContainers:
        - name: migrate
          image: acme/api:latest
          command: [migrate]
      containers:
        - name: api
          image: acme/api
          env:
            - {{name: DATABASE_URL, value: "postgres://shop:geheim{n}@db/shop"}}
            - {{name: MODE, value: production}}
          ports: [{{containerPort: 8000}}]
        - name: cache
          image: redis:7
          volumeMounts: [{{name: data, mountPath: /data}}]
      volumes: [{{name: data, hostPath: {{path: /srv/cache}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop-{n}}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: http}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, namespace: shop-{n}}}
spec:
  rules:
    - host: shop-{n}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: web, port: {{number: 80}}}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: web, namespace: shop-{n}}}
rules:
  - {{apiGroups: [""], resources: [pods, secrets], verbs: [get, list]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: web, namespace: shop-{n}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}}
subjects: [{{kind: ServiceAccount, name: web, namespace: shop-{n}}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: report, namespace: shop-{n}}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {{name: report, image: "acme/report:2"}}
"""
EACH = APPLICATION.count("\n---\n") + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-checkov", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n in range(given.documents // EACH):
            (folder / f"shop-{n}.yaml").write_text(APPLICATION.format(n=n))
        warm = in_process(folder, given.rounds)
        ours = [sys.executable, "-m", "windlass.cli.main", "charts", "check", "--all", str(folder)]
        ours[1:3] = ["-c", "from windlass.cli.main import main; main()"]
        single = [*ours[:-1], str(folder / "shop-0.yaml")]
        programs = {"windlass charts check, one file": single, "windlass charts check": ours}
        if not given.without_checkov:
            programs["checkov"] = [
                str(checkov()), "-d", str(folder), "--framework", "kubernetes", "--compact",
                "--quiet", "--skip-download", "-o", "json",
            ]  # fmt: skip
        took: dict[str, list[tuple[float, float]]] = {title: [] for title in programs}
        for number in range(given.rounds):
            for title, command in programs.items():
                # Checkov needs minutes: once is enough to know.
                if title != "checkov" or number == 0:
                    took[title].append(run(command))
        theirs = 0.0 if given.without_checkov else checkov_warm(folder, given.rounds)
    for title, times in took.items():
        processor = statistics.median(one[0] for one in times)
        print(f"{title:<34} {processor:8.2f} s of processor, {times[0][1]:8.2f} s on the clock")
    if "checkov" in took:
        ours_took = statistics.median(one[0] for one in took["windlass charts check"])
        ratio = took["checkov"][0][0] / ours_took
        print(f"checkov / windlass, programs: {ratio:.0f} times the processor time (goal: 50)")
        print(f"{'checkov, warm':<34} {theirs:8.2f} s of processor")
        print(f"checkov / windlass, both warm: {theirs / warm:.0f} times the processor time")


def checkov_warm(folder: Path, rounds: int) -> float:
    """Processor seconds of its checks alone, after one that loaded everything."""
    python = checkov().with_name("python")
    done = subprocess.run(
        [str(python), "-c", WARM, *[str(folder)] * (rounds + 1)],
        capture_output=True, text=True, check=True, env={**os.environ, "LOG_LEVEL": "ERROR"},
    )  # fmt: skip
    return statistics.median(float(line) for line in done.stdout.split()[1:])


def in_process(folder: Path, rounds: int) -> float:
    """Seconds for reading and checking alone, all rules on, warm."""
    texts = [(file.read_text(), file.name) for file in sorted(folder.iterdir())]
    times: list[float] = []
    report = engine.check([read(*texts[0])], Options(with_optional=True))
    for _ in range(rounds):
        began = time.process_time()
        report = engine.check([read(*one) for one in texts], Options(with_optional=True))
        times.append(time.process_time() - began)
    counts = len(report.objects), len(engine.rules()), len(report.findings)
    print("{} documents, {} rules, {} findings".format(*counts))
    print(f"{'warm (goal: under 2 s)':<34} {statistics.median(times):8.2f} s of processor")
    crowded = [read(in_one_namespace(text, n), name) for n, (text, name) in enumerate(texts)]
    began = time.process_time()
    engine.check(crowded, Options(with_optional=True))
    took = time.process_time() - began
    print(f"{'  all in one namespace, read before':<34} {took:8.2f} s of processor")
    return statistics.median(times)


def in_one_namespace(text: str, n: int) -> str:
    """The same application beside the others, under names of its own."""
    text = re.sub(r"shop-\d+", "shop", text)
    return re.sub(r"\b(name|app): (web|api|settings|report)\b", rf"\1: \2-{n}", text)


def run(command: list[str]) -> tuple[float, float]:
    """(processor seconds, seconds on the clock) of a program that is held to one core."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    core = min(os.sched_getaffinity(0))
    environment = {**os.environ, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SECRETS_MULTIPROCESS": "false"}
    done = subprocess.run(
        command, capture_output=True, env=environment, check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f"{command[0]} failed: {done.stderr.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return processor, time.perf_counter() - began


def checkov() -> Path:
    program = CACHE / "bin" / "checkov"
    if not program.exists():
        print("Installing Checkov (once) …", flush=True)
        venv.create(CACHE, with_pip=True)
        subprocess.run([str(CACHE / "bin" / "pip"), "-q", "install", CHECKOV], check=True)
    return program


if __name__ == "__main__":
    main()
