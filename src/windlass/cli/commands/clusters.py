"""`windlass clusters`: the Kubernetes clusters that releases go to."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Function, Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.clusters import Cluster

HEADS = ("CLUSTER", "STATE", "VERSION", "SERVER")
_PAUSE_SECONDS = 0.3
_PATIENCE_SECONDS = 90.0


class NoSuchCluster(CliError):
    """There is no cluster called {name}."""

    fix = "`windlass clusters` lists yours."


class NoToken(CliError):
    """There is no token: no terminal to ask on, and standard input is empty."""

    fix = "Pipe it: printf %s TOKEN | windlass clusters add NAME --server URL"


class NoWay(CliError):
    """It is not said how the cluster is reached, or in more than one way."""

    fix = "Give --kubeconfig FILE, or --server URL, or --rancher URL with --cluster-id ID."


class NotUsable(CliError):
    """{name} cannot be used: {reason}. {detail}"""

    fix = "`windlass clusters open NAME` replaces what opens it; `try` tries it again."


_WAYS = (
    click.option("--kubeconfig", type=click.File(), help="A kubeconfig; - is standard input."),
    click.option("--context", metavar="NAME", help="Its context. Default: the current one."),
    click.option("--server", metavar="URL", help="https://… of the API server."),
    click.option("--rancher", metavar="URL", help="https://… of Rancher."),
    click.option("--cluster-id", metavar="ID", help="The cluster's id in Rancher."),
    click.option(
        "--ca",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The certificate of its authority, in PEM.",
    ),
    click.option(
        "--insecure", is_flag=True, help="Accept any certificate: others can take the token."
    ),
)


def _ways(function: Function) -> Function:
    for option in reversed(_WAYS):
        function = option(function)
    return function


@click.group(
    invoke_without_command=True,
    help="Kubernetes clusters: list, add, show, try, open, rm. Alone: list.",
    epilog="\b\nExamples:\n  windlass clusters\n"
    "  windlass clusters add home --kubeconfig ~/.kube/config\n  windlass clusters show home",
)
@standard
@click.pass_context
def clusters(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session())


@clusters.command(
    "list",
    help="List your clusters and those of your teams.",
    epilog="\b\nExample:\n  windlass clusters list",
)
@standard
@click.pass_obj
def list_clusters(session: Session) -> None:
    _list(session)


@clusters.command(
    help="Add a cluster and try it. A token is asked for, or read from standard input.",
    epilog="\b\nOf a kubeconfig only the server, its authority and a token or client certificate\n"
    "are kept; programs and files that it names are refused.\n\n"
    "\b\nExamples:\n  kubectl config view --raw --flatten --minify | "
    "windlass clusters add home --kubeconfig -\n"
    "  windlass clusters add home --server https://k.example.com:6443 --ca ca.crt < token.txt\n"
    "  windlass clusters add work --rancher https://rancher.example.com --cluster-id c-m-abcd1234",
)
@click.argument("name")
@_ways
@click.option("--namespace", multiple=True, metavar="NAME", help="Releases may use it; shop-*.")
@click.option("--team", metavar="ID", help="A team that uses it too.")
@standard
@click.pass_obj
def add(
    session: Session, name: str, namespace: tuple[str, ...], team: str | None, **given: Any
) -> None:
    way = _way(session, given)
    way |= {"namespaces": list(namespace)} if namespace else {}
    way |= {"team": team} if team else {}
    _tried(session, session.api.add_cluster(name, way), "Added")


@clusters.command(
    help="Show what was found in a cluster, and what its credential may do.",
    epilog="\b\nExample:\n  windlass clusters show home",
)
@click.argument("name")
@standard
@click.pass_obj
def show(session: Session, name: str) -> None:
    found = session.api.cluster(_named(session, name).id)
    session.say(f"{plain(found.name)} at {plain(found.server)}: {_state(found)}", bold=True)
    if found.test.detail:
        session.say(plain(found.test.detail))
    if found.facts is not None:
        session.say(f"Kubernetes {plain(found.facts.version)}, as {plain(found.facts.user)}")
        for one in found.facts.installed:
            session.say(f"  {plain(one.name)} {', '.join(one.versions)}")
        for power in found.facts.powers:
            word = "may" if power.allowed else "may not"
            session.say(f"  {word} {plain(power.verb)} {plain(power.resource)}")
    session.result(found.as_received)


@clusters.command(
    "try",
    help="Try a cluster again. Ends with 1 when it cannot be used.",
    epilog="\b\nExample:\n  windlass clusters try home",
)
@click.argument("name")
@standard
@click.pass_obj
def try_cluster(session: Session, name: str) -> None:
    _tried(session, session.api.try_cluster(_named(session, name).id), "Tried")


@clusters.command(
    "open",
    help="Replace what opens a cluster. Alone: a new token, asked for or from standard input.",
    epilog="\b\nReleases are not touched.\n\n\b\nExamples:\n"
    "  windlass clusters open home < token.txt\n"
    "  windlass clusters open home --kubeconfig new.yaml",
)
@click.argument("name")
@_ways
@standard
@click.pass_obj
def open_cluster(session: Session, name: str, **given: Any) -> None:
    found = _named(session, name)
    is_token = not any(given[word] for word in ("kubeconfig", "server", "rancher"))
    way = {"token": _token(session)} if is_token else _way(session, given)
    _tried(session, session.api.replace_cluster_credential(found.id, way), "Replaced")


@clusters.command(
    "rm",
    help="Forget a cluster. Nothing in it changes.",
    epilog="\b\nExample:\n  windlass clusters rm home",
)
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@standard
@click.pass_obj
def remove(session: Session, name: str, yes: bool) -> None:
    found = _named(session, name)
    question = f"Forget {found.name} and what opens it?"
    session.confirm(question, yes=yes, otherwise="It is still here.")
    session.api.remove_cluster(found.id)
    session.say(f"Forgot {plain(found.name)}. Nothing in the cluster has changed.")
    session.result(found.as_received)


def _way(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """What the API takes, of the options."""
    file, server, rancher = given["kubeconfig"], given["server"], given["rancher"]
    if sum(bool(one) for one in (file, server, rancher)) != 1:
        raise NoWay()
    if bool(rancher) != bool(given["cluster_id"]):
        raise NoWay()
    way: dict[str, Any] = {"insecure": True} if given["insecure"] else {}
    if file:
        way |= {"kubeconfig": file.read()}
        return way | ({"context": given["context"]} if given["context"] else {})
    way |= {"ca": given["ca"].read_text()} if given["ca"] else {}
    token = _token(session)
    if rancher:
        return way | {"rancher": {"url": rancher, "token": token, "clusterId": given["cluster_id"]}}
    return way | {"server": server, "token": token}


def _token(session: Session) -> str:
    if session.is_interactive:
        return click.prompt("Token", hide_input=True, err=True)
    piped = "" if sys.stdin.isatty() else sys.stdin.read().strip()
    if not piped:
        raise NoToken()
    return piped


def _tried(session: Session, found: "Cluster", done: str) -> None:
    """Wait for what comes of the try, and say it."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while found.test.state == "testing" and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)
        found = session.api.cluster(found.id)
    version = f", Kubernetes {plain(found.facts.version)}" if found.facts else ""
    session.say(f"{done} {plain(found.name)}: {_state(found)}{version}")
    session.result(found.as_received)
    if found.test.state == "failing":
        detail = plain(found.test.detail or "")
        raise NotUsable(name=found.name, reason=found.test.reason, detail=detail)


def _named(session: Session, name: str) -> "Cluster":
    """By its name or id."""
    for one in session.api.clusters():
        if name in {one.name, one.id}:
            return one
    raise NoSuchCluster(name=name)


def _list(session: Session) -> None:
    nothing = "No clusters. Add one: windlass clusters add NAME --kubeconfig FILE"
    session.listing(session.api.clusters(), HEADS, _row, nothing=nothing)


def _row(cluster: "Cluster") -> tuple[str, ...]:
    version = cluster.facts.version if cluster.facts else ""
    return plain(cluster.name), _state(cluster), plain(version), plain(cluster.server)


def _state(cluster: "Cluster") -> str:
    match cluster.test.state:
        case "failing":
            return f"not usable ({cluster.test.reason})"
        case "testing":
            return "being tried"
        case _:
            return "reachable"
