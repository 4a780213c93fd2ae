"""`windlass releases rollback`, `redeploy`, `cancel` and `delete`."""

from typing import Any

import click

from windlass.cli.client import ApiError
from windlass.cli.commands.releases import choosing, telling
from windlass.cli.releases import digest_of
from windlass.cli.session import Session, plain, standard


@click.command(
    help="Deploy an earlier revision, byte for byte.",
    epilog="\b\nWithout --to: the one that was deployed before.\n\n"
    "\b\nExample:\n  windlass releases rollback shop --to 3",
)
@click.argument("name")
@click.option("--to", "number", type=click.IntRange(1), help="The number of the revision.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@standard
@click.pass_obj
def rollback(session: Session, name: str, number: int | None, yes: bool, no_wait: bool) -> None:
    found = choosing.release(session.api, name)
    which = f"revision {number}" if number else "the revision that was deployed before"
    session.confirm(
        f"Go back to {which} of {plain(found.name)}?", yes=yes, otherwise="Nothing was changed."
    )
    _again(session, found.id, "rollback", number, yes=yes, wait=not no_wait)


@click.command(
    help="Deploy a revision once more, also of a deleted release.",
    epilog="\b\nExamples:\n  windlass releases redeploy shop\n"
    "  windlass releases redeploy shop --revision 3",
)
@click.argument("name")
@click.option("--revision", "number", type=click.IntRange(1), help="Default: the newest.")
@click.option("--yes", "-y", is_flag=True, help="Confirm the warnings without asking.")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@standard
@click.pass_obj
def redeploy(session: Session, name: str, number: int | None, yes: bool, no_wait: bool) -> None:
    found = choosing.release(session.api, name)
    _again(session, found.id, "redeploy", number, yes=yes, wait=not no_wait)


def _again(
    session: Session, id: str, verb: str, number: int | None, *, yes: bool, wait: bool
) -> None:
    body: dict[str, Any] = {"revision": number} if number else {}
    try:
        made = session.api.deploy_again(id, verb, body)
    except ApiError as error:
        digest = digest_of(error)
        if digest is None:
            raise
        session.confirm(
            "It has warnings. Deploy it all the same?", yes=yes, otherwise="Nothing was changed."
        )
        made = session.api.deploy_again(id, verb, {**body, "confirm": digest})
    telling.end(session, made, wait=wait)


@click.command(
    help="End what is happening with a release; what was applied stays.",
    epilog="\b\nExample:\n  windlass releases cancel shop",
)
@click.argument("name")
@standard
@click.pass_obj
def cancel(session: Session, name: str) -> None:
    found = session.api.cancel_release(choosing.release(session.api, name).id)
    session.say(f"Cancelled revision {found.revision} of {plain(found.name)}.")
    session.result(found.as_received)


@click.command(
    help="Take a release out of its cluster; its history stays.",
    epilog="\b\nExamples:\n  windlass releases delete shop\n"
    "  windlass releases delete shop --keep-objects --yes",
)
@click.argument("name")
@click.option("--keep-objects", is_flag=True, help="Forget it, and leave its objects there.")
@click.option("--with-data", is_flag=True, help="Also volume claims, namespaces and definitions.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@standard
@click.pass_obj
def delete(
    session: Session, name: str, keep_objects: bool, with_data: bool, yes: bool, no_wait: bool
) -> None:
    found = choosing.release(session.api, name)
    what = "Forget" if keep_objects else f"Delete the {found.resources_count} objects of"
    data = ", with the data they hold" if with_data else ""
    where = f"{plain(found.namespace)}/{plain(found.name)} on {plain(found.cluster)}"
    session.confirm(f"{what} {where}{data}?", yes=yes, otherwise="Nothing was deleted.")
    made = session.api.delete_release(
        found.id, found.name, resources=not keep_objects, with_data=with_data
    )
    telling.end(session, made, wait=not no_wait)


COMMANDS = {"rollback": rollback, "redeploy": redeploy, "cancel": cancel, "delete": delete}
