"""How long a form of ten workloads takes to become manifests, and reading and writing YAML beside
PyYAML's own fastest reader and writer (libyaml) with the same documents, in alternating rounds. All
of it is work of one core without waiting, so its processor time is what is measured.

    .venv/bin/python -m benchmarks.charts_generate [--rounds 40]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import yaml

from windlass.charts import form
from windlass.charts.documents import dump, read, resources
from windlass.charts.generate import manifests, text

WORKLOAD = """
  - name: web{n}
    expose: {{path: /web{n}}}
    autoscale: {{max: 9}}
    containers:
      - image: ghcr.io/acme/web:1.{n}.0
        ports: [8080]
        env:
          LEVEL: info
          SINCE: "2001-12-14"
          SWITCH: "on"
        envFrom: [{{configMapRef: {{name: settings}}}}]
"""
FORM = """
namespace: shop
domain: shop.example.com
requestsPerSecond: 50
certificate: {email: ops@example.com}
quota: {limitsCpu: 40, limitsMemory: 64Gi}
resources:
  - {type: ConfigMap, name: settings, data: {level: info, enabled: "yes"}}
  - {type: Secret, name: database, values: {password: correct horse}}
workloads:
""" + "".join(WORKLOAD.format(n=n) for n in range(10))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    made = manifests(form.read(FORM))
    written = dump(*made)
    print(f"10 workloads make {len(made)} objects, {len(written) >> 10} KiB of YAML")
    sides: dict[str, Callable[[], object]] = {
        "form text to YAML": lambda: text(form.read(FORM)),
        "the manifests alone": lambda: manifests(form.read(FORM)),
        "write, ours": lambda: dump(*made),
        "write, PyYAML": lambda: yaml.dump_all(made, Dumper=yaml.CSafeDumper, sort_keys=False),
        "read with places, ours": lambda: resources(read(written)),
        "read, PyYAML": lambda: list(yaml.load_all(written, yaml.CSafeLoader)),
    }
    took: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            began = time.process_time()
            side()
            took[name].append((time.process_time() - began) * 1e3)
    for name, values in took.items():
        values.sort()
        p95 = values[int(len(values) * 0.95)]
        print(f"{name:<24} p50 {statistics.median(values):6.2f} ms  p95 {p95:6.2f} ms")
    middle = {name: statistics.median(values) for name, values in took.items()}
    print(f"write, PyYAML / ours: {middle['write, PyYAML'] / middle['write, ours']:.1f}")
    print(f"read, PyYAML / ours: {middle['read, PyYAML'] / middle['read with places, ours']:.1f}")


if __name__ == "__main__":
    main()
