"""`windlass releases apply` and `plan`."""

from collections.abc import Callable
from typing import Any

import click

from windlass.cli.client import ApiError
from windlass.cli.commands.releases import choosing, telling
from windlass.cli.release_schemas import ReleaseFinding
from windlass.cli.releases import digest_of
from windlass.cli.session import Session, standard

_PROFILES = ("baseline", "restricted", "production")
_ENVIRONMENTS = ("production", "staging", "preview", "development")


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """What both take."""
    for option in (
        click.option("--profile", type=click.Choice(_PROFILES), default="baseline"),
        click.option("--environment", type=click.Choice(_ENVIRONMENTS), default="production"),
        click.option("--cluster-wide", is_flag=True, help="Allow objects of the whole cluster."),
        click.option("--with-data", is_flag=True, help="Also take away claims and definitions."),
        click.option("--create-namespace", is_flag=True, help="Make the namespace if it is not."),
        click.option(
            "--recreate", multiple=True, metavar="KIND/NAME", help="May be deleted and made anew."
        ),
        click.option(
            "--force", multiple=True, metavar="KIND/NAME", help="Take its fields from others."
        ),
        click.option("--cluster", metavar="NAME", help="The cluster, when there are several."),
        click.option("--namespace", "-n", metavar="NAME", help="Where it goes."),
        click.argument("paths", nargs=-1, required=True, metavar="FILE..."),
        click.argument("name"),
    ):
        function = option(function)
    return function


def _body(session: Session, name: str, paths: tuple[str, ...], given: dict[str, Any]) -> Any:
    manifest = choosing.text(paths)
    body = {
        "name": name,
        "manifest": manifest,
        "clusterId": choosing.cluster_id(session.api, given["cluster"]),
        "environment": given["environment"],
        "profile": given["profile"],
        "force": list(given["force"]),
        "recreate": list(given["recreate"]),
        "createNamespace": given["create_namespace"],
        "clusterWide": given["cluster_wide"],
        "withData": given["with_data"],
    }
    return body | ({"namespace": given["namespace"]} if given["namespace"] else {})


@click.command(
    help="Show what applying would do, without doing it.",
    epilog="\b\nExamples:\n  windlass releases plan shop k8s/ -n shop\n"
    "  windlass charts generate app.yaml | windlass releases plan shop - -n shop",
)
@_options
@standard
@click.pass_obj
def plan(session: Session, name: str, paths: tuple[str, ...], **given: Any) -> None:
    found = session.api.plan_release(_body(session, name, paths, given))
    telling.plan(session, found)
    session.result(found.as_received)
    if found.is_refused:
        click.get_current_context().exit(1)


@click.command(
    help="Deploy manifests as a release, and wait for its end.",
    epilog="\b\nErrors of the check refuse it. Warnings are shown and asked about; --yes confirms\n"
    "exactly those that were found.\n\n"
    "\b\nExamples:\n  windlass releases apply shop k8s/ -n shop\n"
    "  windlass releases apply shop app.yaml -n shop --yes --timeout 600",
)
@_options
@click.option("--note", metavar="TEXT", help="What the history says about this revision.")
@click.option("--timeout", type=click.IntRange(10, 3600), default=300, show_default=True)
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@click.option("--yes", "-y", is_flag=True, help="Confirm the warnings without asking.")
@standard
@click.pass_obj
def apply(
    session: Session,
    name: str,
    paths: tuple[str, ...],
    note: str | None,
    timeout: int,
    no_wait: bool,
    yes: bool,
    **given: Any,
) -> None:
    body = _body(session, name, paths, given) | {"timeoutSeconds": timeout}
    body |= {"note": note} if note else {}
    try:
        made = session.api.create_release(body)
    except ApiError as error:
        digest = digest_of(error)
        telling.findings(session, _findings(error))
        if digest is None:
            raise
        session.confirm(
            "Deploy it with these warnings?", yes=yes, otherwise="Nothing was deployed."
        )
        made = session.api.create_release(body | {"confirm": digest})
    telling.end(session, made, wait=not no_wait)


def _findings(error: ApiError) -> list[ReleaseFinding]:
    import msgspec

    try:
        return msgspec.convert(error.details.get("findings") or [], list[ReleaseFinding])
    except msgspec.ValidationError:
        return []


COMMANDS = {"apply": apply, "plan": plan}
