"""A pasted `helm upgrade --install …` → what it means. What then runs is made from that, anew.

`parse(text)` takes one command, with the `helm repo add` and `helm repo update` that stand before
it in most instructions; everything else is a `Refused` with a code, the reason and what to do.
"""

import re
from collections.abc import Callable

import msgspec

from windlass.charts.helm import references, setting
from windlass.charts.helm.flags import Treatment
from windlass.charts.helm.options import Option, split
from windlass.charts.helm.references import Chart, Repository
from windlass.charts.helm.words import Refused, Word, commands

DEFAULT_SECONDS = 300
MOST_SECONDS = 3600
MOST_HISTORY = 100

_HELM = ("helm", "helm3", "helm4")
_OTHERS = frozenset(
    ("rm", "kill", "sudo", "sh", "bash", "zsh", "kubectl", "curl", "wget", "docker", "git", "cd")
)
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class Setting(msgspec.Struct, frozen=True):
    """One `--set…`: which of them, and its text."""

    option: str
    text: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a command asks for. Everything in it was looked at; nothing of it is a path."""

    release: str
    """Empty after --generate-name: ask for one."""
    chart: Chart
    namespace: str = ""
    """Empty is the one that the cluster's credentials name."""
    create_namespace: bool = False
    version: str = ""
    """A version or a range; empty is the newest."""
    devel: bool = False
    settings: tuple[Setting, ...] = ()
    keep_values: str = ""
    """`reuse`, `reset` or `reset-then-reuse`: what becomes of values given before."""
    wait: str = ""
    """`watcher`, `legacy` or `hookOnly`; empty is Helm's default."""
    wait_for_jobs: bool = False
    timeout_seconds: int = DEFAULT_SECONDS
    rollback_on_failure: bool = False
    cleanup_on_fail: bool = False
    history_max: int = 10
    description: str = ""
    labels: dict[str, str] = {}
    skip_crds: bool = False
    no_hooks: bool = False
    server_side: str = ""
    """`true`, `false` or `auto`; empty is Helm's default."""
    dry_run: bool = False
    confirm: tuple[str, ...] = ()
    """Options that somebody must say yes to."""
    files: tuple[str, ...] = ()
    """Names behind `-f`: their texts are to be asked for, nothing of that name is read."""
    repositories: tuple[Repository, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out of the command, and why."""

    @property
    def needs_repository(self) -> str:
        """The name of a repository whose address the command does not tell; empty if none."""
        return "" if self.chart.url else self.chart.repository

    def values(self, *texts: setting.Values) -> setting.Values:
        """The values of the command over those of its files, in Helm's order."""
        merged: setting.Values = {}
        for one in texts:
            setting.merge(merged, one)
        return setting.apply(merged, ((one.option, one.text) for one in self.settings))


def parse(text: str) -> Line:
    """What a pasted command means. Raises Refused."""
    repositories: list[Repository] = []
    found: list[Word] | None = None
    for words in commands(text):
        if (added := _repository_of(words)) is not None:
            repositories += added
        elif found is None:
            found = words
        else:
            raise Refused(
                "several-commands",
                "Invalid characters detected: a second command stands on a line of its own",
                "Paste one command, with a \\ at the end of each line that goes on",
                at=words[0].at,
            )
    if found is None:
        raise Refused("empty", "There is no command", "Paste helm upgrade --install …")
    arguments, options = split(_after_verb(found))
    line = _filled(arguments, options, tuple(repositories))
    read: setting.Values = {}
    for option in options:
        if option.name in setting.ORDER:
            _placed(option, lambda text, name=option.name: setting.apply(read, [(name, text)]))
    line.values()
    return line


def _placed(option: Option, reader: Callable[[str], object]) -> object:
    """What an option's word means; a refusal says where the option stands."""
    try:
        return reader(option.value)
    except Refused as error:
        raise Refused(error.code, error.message, error.hint, at=option.at) from None


def _repository_of(words: list[Word]) -> list[Repository] | None:
    """What `helm repo add` brings; None for other commands than `helm repo`."""
    texts = [word.text for word in words]
    if len(texts) < 3 or texts[0] not in _HELM or texts[1] != "repo":
        return None
    if texts[2] in ("update", "up", "list"):
        return []
    if texts[2] != "add":
        raise Refused("other-command", f"`helm repo {texts[2]}` is not run", at=words[2].at)
    plain = [text for text in texts[3:] if text != "--force-update"]
    if any(text.startswith("-") for text in plain):
        what = next(text for text in plain if text.startswith("-"))
        hint = "A repository is a name and an address"
        raise Refused("refused-option", f"{what} is not taken here", hint, at=words[0].at)
    try:
        return [references.repository(" ".join(plain))]
    except Refused as error:
        raise Refused(error.code, error.message, error.hint, at=words[0].at) from None


def _after_verb(words: list[Word]) -> list[Word]:
    """The words behind `helm upgrade` or `helm install`; a command without them is taken, too."""
    first = words[0].text
    if first in _HELM:
        verb = words[1].text if len(words) > 1 else ""
        if verb in ("upgrade", "install"):
            return words[2:]
        hint = "Only helm upgrade --install is; histories, rollbacks and the rest are buttons"
        raise Refused("other-command", f"`{f'helm {verb}'.strip()}` is not run here", hint)
    has_chart = len(words) > 1 and ("/" in words[1].text or first.startswith("-"))
    if first in _OTHERS or "=" in first or not has_chart:
        hint = "Only helm upgrade --install NAME CHART is taken"
        if first == "sudo":
            hint = "Leave it out: nothing here runs as root"
        raise Refused("command", f"`{first}` is not Helm", hint, at=words[0].at)
    return words


def _filled(
    arguments: list[Word], options: list[Option], repositories: tuple[Repository, ...]
) -> Line:
    last = {one.name: one for one in options}

    def on(name: str) -> bool:
        return name in last and last[name].is_on

    def text(name: str) -> str:
        return last[name].value if name in last else ""

    def read(name: str, reader: Callable[[str], object], default: object) -> object:
        return _placed(last[name], reader) if name in last else default

    release, chart, tagged = _named(arguments, repo=text("repo"), generated=on("generate-name"))
    if chart.repository and not chart.url:
        known = {one.name: one.url for one in repositories}
        chart = msgspec.structs.replace(chart, url=known.get(chart.repository, ""))
    return msgspec.convert(
        {
            "release": release,
            "chart": chart,
            "namespace": read("namespace", references.namespace, ""),
            "create_namespace": on("create-namespace"),
            "version": read("version", references.version, tagged),
            "devel": on("devel"),
            "settings": tuple(Setting(o.name, o.value) for o in options if o.name in setting.ORDER),
            "keep_values": _keeping(on),
            "wait": read("wait", _wait, ""),
            "wait_for_jobs": on("wait-for-jobs"),
            "timeout_seconds": read("timeout", _seconds, DEFAULT_SECONDS),
            "rollback_on_failure": on("atomic") or on("rollback-on-failure"),
            "cleanup_on_fail": on("cleanup-on-fail"),
            "history_max": read("history-max", _history, 10),
            "description": text("description")[:500],
            "labels": read("labels", _labels, {}),
            "skip_crds": on("skip-crds"),
            "no_hooks": on("no-hooks"),
            "server_side": read("server-side", _server_side, ""),
            "dry_run": read("dry-run", _dry_run, False),
            "confirm": tuple(
                o.name for o in last.values() if o.flag.treatment is Treatment.confirmed and o.is_on
            ),
            "files": tuple(part for o in options if o.name == "values" for part in _files(o)),
            "repositories": repositories,
            "notes": tuple(
                f"--{o.name} is left out: {o.flag.why}"
                for o in last.values()
                if o.flag.treatment is Treatment.ignored
            ),
        },
        Line,
        from_attributes=True,
    )


def _named(arguments: list[Word], *, repo: str, generated: bool) -> tuple[str, Chart, str]:
    """Release, chart, and the version in the chart's own word."""
    given = [word.text for word in arguments]
    if generated and len(given) == 1:
        return "", *references.chart(given[0], repo=repo, at=arguments[0].at)
    if len(given) == 2 and not generated:
        # The chart first: what stands for it tells what the writer had in mind.
        chart, tagged = references.chart(given[1], repo=repo, at=arguments[1].at)
        return references.release(given[0], at=arguments[0].at), chart, tagged
    if len(given) == 1:
        hint = f"Write helm upgrade --install my-name {given[0]}"
        if "/" in given[0] or "." in given[0]:
            raise Refused("arguments", "The release has no name", hint, at=arguments[0].at)
        hint = f"Write helm upgrade --install {given[0]} REPOSITORY/CHART"
        raise Refused("arguments", "The chart is missing", hint, at=arguments[0].at)
    if not given:
        hint = "Write helm upgrade --install NAME CHART"
        raise Refused("arguments", "The release's name and the chart are missing", hint)
    extra = arguments[1 if generated else 2] if len(given) > 1 else arguments[0]
    hint = "A command has a name and a chart; put values with blanks into 'quotation marks'"
    if extra.text in ("true", "false"):
        hint = f"A switch takes its word with =, as in --wait={extra.text}"
    if not extra.text.strip():
        hint = "A \\ must be the last character of its line"
    raise Refused("arguments", f"`{extra.text}` is one argument too many", hint, at=extra.at)


def _keeping(on: Callable[[str], bool]) -> str:
    for name in ("reset", "reuse", "reset-then-reuse"):  # as Helm decides when there are several
        if on(f"{name}-values"):
            return name
    return ""


def _wait(text: str) -> str:
    known = {"true": "watcher", "false": "", "watcher": "watcher", "legacy": "legacy"}
    known["hookOnly"] = "hookOnly"
    if text in known:
        return known[text]
    raise Refused("option", f"--wait={text} is not known", "watcher, legacy or hookOnly")


def _dry_run(text: str) -> bool:
    if text in ("client", "server", "true"):
        return True
    if text in ("none", "false"):
        return False
    raise Refused("option", f"--dry-run={text} is not known", "client, server or none")


def _server_side(text: str) -> str:
    if text in ("true", "false", "auto"):
        return text
    raise Refused("option", f"--server-side={text} is not known", "true, false or auto")


def _seconds(text: str) -> int:
    """`5m0s` as Go reads a duration, in whole seconds."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        hint = "Such as 10m or 1m30s"
        if text.isdigit():
            hint = f"Write {text}s: since Helm 3 a duration has a unit"
        raise Refused("option", f"--timeout {text} is no duration", hint)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 1 <= seconds <= MOST_SECONDS:
        hint = f"Between one second and {MOST_SECONDS // 60} minutes"
        raise Refused("option", f"--timeout {text} is out of bounds", hint)
    return int(seconds)


def _history(text: str) -> int:
    if text.isdigit() and int(text) <= MOST_HISTORY:
        return int(text)
    hint = f"A number up to {MOST_HISTORY}"
    raise Refused("option", f"--history-max {text} is no such number", hint)


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not _LABEL.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise Refused("option", f"--labels {part} is no label", "Such as team=web")
        found[key] = value
    return found


def _files(option: Option) -> list[str]:
    """`-f a.yaml,b.yaml` names two. What an address leads to is not fetched."""
    names = [part.strip()[:500] for part in option.value.split(",") if part.strip()]
    for name in names:
        if "://" in name:
            hint = "Open it, look at it, and paste its text as values"
            raise Refused("values-address", f"`{name}` is not fetched", hint, at=option.at)
    return names
