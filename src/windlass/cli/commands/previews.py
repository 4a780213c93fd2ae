"""`windlass previews`: list them, approve a fork's commit, remove one."""

from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Preview

HEADS = ("BRANCH", "PULL REQUEST", "STATE", "COMMIT", "ADDRESS", "SINCE")


class NoSuchPreview(CliError):
    """There is no preview {name}."""

    fix = "`windlass previews` lists them."


class SeveralPreviews(CliError):
    """Several previews are called {name}."""

    fix = "Name one by its id, which `windlass previews --json` shows."


class NothingWaits(CliError):
    """The preview of {name} does not wait for approval."""

    fix = "`windlass previews` lists what waits."


@click.group(
    invoke_without_command=True,
    help="List previews, let a fork in, remove one. Alone: list.",
    epilog="\b\nExamples:\n  windlass previews\n  windlass previews approve 12\n"
    "  windlass previews rm feature/cart",
)
@project_option
@standard
@click.pass_context
def previews(ctx: click.Context, project: str | None) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session(), project)


@previews.command(
    "list", help="List previews.", epilog="\b\nExample:\n  windlass previews list --project shop"
)
@project_option
@standard
@click.pass_obj
def list_previews(session: Session, project: str | None) -> None:
    _list(session, project)


@previews.command(
    help="Let the commit of a fork's pull request be built.",
    epilog="\b\nPREVIEW is the number of the pull request, its branch or the id of the preview.\n"
    "The commit is built without the secrets of the project; the next one waits again.\n\n"
    "\b\nExamples:\n  windlass previews approve 12\n  windlass previews approve ada:fix --yes",
)
@click.argument("preview")
@project_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@standard
@click.pass_obj
def approve(session: Session, preview: str, project: str | None, yes: bool) -> None:
    from windlass.cli import linking

    chosen = linking.chosen(session.api, project)
    found = _named(session, chosen.id, preview)
    if not found.needs_approval or found.commit_sha is None:
        raise NothingWaits(name=plain(found.branch))
    by = f" by {plain(found.author)}" if found.author else ""
    session.confirm(
        f"Build the commit {found.commit_sha[:12]} of {plain(found.branch)}{by}?",
        yes=yes,
        otherwise="Nothing was approved.",
    )
    made = session.api.approve_preview(chosen.id, found.id, found.commit_sha)
    session.say(f"Approved. Follow it with: windlass logs {made.id} --follow")
    session.result(made.as_received)


@previews.command(
    "rm",
    help="Remove a preview: its addresses stop working.",
    epilog="\b\nThe next commit of its branch brings it back.\n\n"
    "\b\nExamples:\n  windlass previews rm 12\n  windlass previews rm feature/cart --yes",
)
@click.argument("preview")
@project_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@standard
@click.pass_obj
def remove(session: Session, preview: str, project: str | None, yes: bool) -> None:
    from windlass.cli import linking

    chosen = linking.chosen(session.api, project)
    found = _named(session, chosen.id, preview)
    session.confirm(
        f"Remove the preview of {plain(found.branch)}?", yes=yes, otherwise="Nothing was removed."
    )
    session.api.remove_preview(chosen.id, found.id)
    session.say(f"Removed the preview of {plain(found.branch)}.")
    session.result(found.as_received)


def _list(session: Session, project: str | None) -> None:
    from windlass.cli import linking

    found = session.api.previews(linking.chosen(session.api, project).id)
    nothing = "No previews. Each pull request gets one, and each pushed branch."
    session.listing(found, HEADS, _row, nothing=nothing)


def _row(preview: "Preview") -> tuple[str, ...]:
    from windlass.cli.times import ago

    last = preview.deployment
    return (
        preview.branch,
        f"{preview.pr_number}" if preview.pr_number is not None else "",
        "needs approval" if preview.needs_approval else last.status if last else "",
        (preview.commit_sha or "")[:7],
        preview.alias_url or (last.url if last and last.status == "ready" else None) or "",
        ago(preview.created_at) or "",
    )


def _named(session: Session, project_id: str, name: str) -> "Preview":
    """By its id, the number of its pull request, or its branch."""
    found = [
        one
        for one in session.api.previews(project_id)
        if name.removeprefix("#") in {one.id, one.branch, f"{one.pr_number}"}
    ]
    if not found:
        raise NoSuchPreview(name=name)
    if len(found) > 1:
        raise SeveralPreviews(name=name)
    return found[0]
