"""`windlass releases list`, `show`, `history`, `diff` and `logs`."""

import click

from windlass.cli.commands.releases import choosing, telling
from windlass.cli.release_schemas import Release, Revision
from windlass.cli.session import Session, plain, standard

HEADS = ("NAME", "NAMESPACE", "CLUSTER", "STATUS", "REVISION", "ENVIRONMENT", "OBJECTS", "SINCE")
REVISION_HEADS = ("REVISION", "STATUS", "WHY", "ENVIRONMENT", "OBJECTS", "SINCE", "NOTE")
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red")}


@click.command("list", help="List releases.", epilog="\b\nExample:\n  windlass releases list --all")
@click.option("--cluster", metavar="NAME", help="Of this cluster only.")
@click.option("--namespace", "-n", metavar="NAME", help="Of this namespace only.")
@click.option("--all", "everything", is_flag=True, help="Also those that were deleted.")
@standard
@click.pass_obj
def list_releases(
    session: Session, cluster: str | None, namespace: str | None, everything: bool
) -> None:
    id = choosing.cluster_id(session.api, cluster) if cluster else None
    found = session.api.releases(cluster_id=id, namespace=namespace)
    if everything:
        found += session.api.releases(cluster_id=id, namespace=namespace, status="deleted")
    nothing = "No releases. `windlass releases apply NAME FILE` makes one."
    session.listing(found, HEADS, _row, nothing=nothing)


def _row(one: Release) -> tuple[str, ...]:
    from windlass.cli.times import ago

    drift = ", drifted" if one.has_drift else ""
    return (
        one.name,
        one.namespace,
        one.cluster,
        f"{one.status.lower().replace('_', ' ')}{drift}",
        str(one.revision),
        one.environment,
        str(one.resources_count),
        ago(one.created_at) or "",
    )


@click.command(
    help="Show a release, object by object.",
    epilog="\b\nExamples:\n  windlass releases show shop\n"
    "  windlass releases show shop --yaml > shop.yaml",
)
@click.argument("name")
@click.option(
    "--yaml", is_flag=True, help="Print the manifests as they were sent, and nothing else."
)
@click.option("--revision", type=click.IntRange(1), help="Of this revision (with --yaml).")
@standard
@click.pass_obj
def show(session: Session, name: str, yaml: bool, revision: int | None) -> None:
    found = choosing.release(session.api, name)
    if yaml:
        source = session.api.revision_source(found.id, revision)
        click.echo(source.manifest, nl=False)
        session.result(source.as_received)
        return
    about = f"{found.namespace}/{found.name} on {found.cluster}, revision {found.revision}"
    session.say(plain(about), bold=True)
    session.say(found.status.lower().replace("_", " "))
    for line in (found.reason or "").splitlines():
        session.say(f"  {plain(line)}")
    telling.results(session, found)
    for one in found.drift:
        said = "is not there any more" if one.is_missing else one.message or "was changed"
        session.say(f"  drift: {plain(one.kind)}/{plain(one.name)} {plain(said)}", fg="yellow")
        telling.changes(session, one.changes)
    session.result(found.as_received)


@click.command(
    help="List the revisions of a release.", epilog="\b\nExample:\n  windlass releases history shop"
)
@click.argument("name")
@standard
@click.pass_obj
def history(session: Session, name: str) -> None:
    found = session.api.revisions(choosing.release(session.api, name).id)
    session.listing(found, REVISION_HEADS, _revision, nothing="No revisions.")


def _revision(one: Revision) -> tuple[str, ...]:
    from windlass.cli.times import ago

    why = f"{one.why} of {one.of}" if one.of else one.why
    return (
        str(one.number),
        one.status.lower().replace("_", " "),
        why,
        one.environment,
        str(one.resources_count),
        ago(one.created_at) or "",
        one.note or "",
    )


@click.command(
    help="Show what differs between two revisions.",
    epilog="\b\nWithout numbers: from the revision before the newest to the newest.\n\n"
    "\b\nExamples:\n  windlass releases diff shop\n  windlass releases diff shop 3 5",
)
@click.argument("name")
@click.argument("a", type=click.IntRange(1), required=False)
@click.argument("b", type=click.IntRange(1), required=False)
@standard
@click.pass_obj
def diff(session: Session, name: str, a: int | None, b: int | None) -> None:
    id = choosing.release(session.api, name).id
    before, after = (a, b) if b is not None else (None, a)
    found = session.api.revision_diff(id, after, before)
    session.say(f"From revision {found.compared_with} to {found.revision}", bold=True)
    for one in found.documents:
        sign, colour = _SIGNS.get(one.change, ("~", "yellow"))
        session.say(f"{sign} {plain(one.kind)}/{plain(one.name)}", fg=colour)
        if one.change == "changed":
            telling.changes(session, one.changes)
    if not found.documents:
        session.say("They are the same.")
    session.result(found.as_received)


@click.command(
    help="Show the last lines of a release's containers.",
    epilog="\b\nExamples:\n  windlass releases logs shop\n"
    "  windlass releases logs shop --pod web-5d9 --previous",
)
@click.argument("name")
@click.option("--pod", metavar="NAME", help="Of this pod only.")
@click.option("--container", metavar="NAME", help="Of this container only.")
@click.option("--lines", type=click.IntRange(1, 5000), default=200, show_default=True)
@click.option("--previous", is_flag=True, help="Of the run before, which may have crashed.")
@standard
@click.pass_obj
def logs(
    session: Session,
    name: str,
    pod: str | None,
    container: str | None,
    lines: int,
    previous: bool,
) -> None:
    from windlass.cli.api import as_json_list

    id = choosing.release(session.api, name).id
    found = session.api.release_logs(
        id, pod=pod, container=container, lines=lines, previous=previous
    )
    for one in found:
        session.say(f"{plain(one.pod)} {plain(one.container)}", bold=True)
        for line in one.lines:
            session.say(plain(line))
    if not found:
        session.say("It has no pods.")
    session.result(as_json_list(found))


COMMANDS = {
    "list": list_releases,
    "show": show,
    "history": history,
    "diff": diff,
    "logs": logs,
}
