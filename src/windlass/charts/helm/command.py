"""The model of a command → the command that runs: the same model gives the same words, always."""

import shlex

from windlass.charts.helm.line import DEFAULT_SECONDS, Line

HISTORY = 10


def words(line: Line, *, chart: list[str] | None = None, helm: int = 4) -> list[str]:
    """The words of `helm upgrade --install`; `chart` replaces the chart's address, its version and
    the values, where these were made into files already. `helm` is the major version that runs.
    """
    made = ["helm", "upgrade", line.release or "NAME"]
    made += chart if chart is not None else [*_chart(line), *_values(line)]
    made.append("--install")
    if line.namespace:
        made += ["--namespace", line.namespace]
    if line.create_namespace:
        made.append("--create-namespace")
    made += _waiting(line, helm)
    if line.keep_values:
        made.append(f"--{line.keep_values}-values")
    if line.cleanup_on_fail:
        made.append("--cleanup-on-fail")
    if line.history_max != HISTORY:
        made += ["--history-max", str(line.history_max)]
    if line.skip_crds:
        made.append("--skip-crds")
    if line.no_hooks:
        made.append("--no-hooks")
    if line.server_side and helm >= 4:
        made.append(f"--server-side={line.server_side}")
    made += [f"--{name}" for name in sorted(line.confirm)]
    if line.description:
        made += ["--description", line.description]
    if line.labels:
        made += ["--labels", ",".join(f"{key}={line.labels[key]}" for key in sorted(line.labels))]
    if line.dry_run:
        made.append("--dry-run=client")
    return made


def shown(line: Line) -> str:
    """The command as people read it, and as `line.parse` reads it again."""
    return shlex.join(words(line))


def _chart(line: Line) -> list[str]:
    chart = line.chart
    if chart.repository and not chart.url:
        made = [f"{chart.repository}/{chart.name}"]
    elif chart.is_oci or chart.is_file:
        made = [chart.url + (f"@{chart.digest}" if chart.digest else "")]
    else:
        made = [chart.name, "--repo", chart.url]
    if line.version:
        made += ["--version", line.version]
    if line.devel:
        made.append("--devel")
    return made


def _values(line: Line) -> list[str]:
    given = [word for name in line.files for word in ("--values", name)]
    return given + [word for one in line.settings for word in (f"--{one.option}", one.text)]


def _waiting(line: Line, helm: int) -> list[str]:
    made: list[str] = []
    if line.wait:
        made.append(f"--wait={line.wait}" if helm >= 4 else "--wait")
    if line.wait_for_jobs:
        made.append("--wait-for-jobs")
    if line.rollback_on_failure:
        made.append("--rollback-on-failure" if helm >= 4 else "--atomic")
    if line.timeout_seconds != DEFAULT_SECONDS:
        made += ["--timeout", f"{line.timeout_seconds}s"]
    return made
