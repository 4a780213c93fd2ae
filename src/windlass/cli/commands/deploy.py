"""`windlass deploy`: upload or fetch, find or make the project, build, follow, print the URL."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment, Project
    from windlass.cli.sources import Origin, Ready

EPILOG = """\b
Without --prod or --preview: production while the project has no production deployment,
a preview afterwards. `windlass promote` makes a preview production.

\b
Examples:
  windlass deploy                              this folder
  windlass deploy site --project shop --prod   a folder, straight to production
  windlass deploy site.zip                     an archive
  windlass deploy --git https://example.com/me/shop.git --branch main
  windlass deploy --image nginx:1.27           an image, where a container engine is
  windlass deploy --json | tail -n 1           for scripts: the deployment as JSON

\b
Not uploaded: what .gitignore and .windlassignore name, .git, node_modules, .venv,
__pycache__, and .env files (but .env.example).
Ctrl-C cancels the deployment."""


@click.command(epilog=EPILOG, help="Put a folder, an archive, a Git repository or an image online.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@project_option
@click.option("--prod", is_flag=True, help="Deploy to production.")
@click.option("--preview", is_flag=True, help="Deploy a preview beside production.")
@click.option("--git", "git", metavar="URL", help="Deploy a repository over https, http or ssh.")
@click.option("--branch", metavar="B", help="The branch of --git. Default: the repository's own.")
@click.option("--image", metavar="REF", help="Deploy an image of a registry as it is.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the deployment is queued.")
@click.option("--clean", is_flag=True, help="Build without caches.")
@click.option("--yes", "-y", is_flag=True, help="Answer every question with yes.")
@standard
@click.pass_obj
def deploy(
    session: Session,
    path: Path | None,
    project: str | None,
    prod: bool,
    preview: bool,
    git: str | None,
    branch: str | None,
    image: str | None,
    no_wait: bool,
    clean: bool,
    yes: bool,
) -> None:
    from windlass.cli import sources, watching

    if prod and preview:
        raise click.UsageError("--prod and --preview exclude each other.")
    if git is not None and path is not None:
        raise click.UsageError("Give a PATH or --git URL, not both.")
    if branch is not None and git is None:
        raise click.UsageError("--branch belongs to --git.")
    if image is not None and (path is not None or git is not None):
        raise click.UsageError("--image is given alone, without a PATH and without --git.")
    if image is not None:
        origin = sources.of_image(image)
    elif git is not None:
        origin = sources.of_repository(git, branch, yes=yes)
    else:
        origin = sources.of_path(path or Path(), yes=yes)
    target = _find_project(session, origin, project, wants_production=prod, yes=yes)
    ready = sources.send(session, origin)
    if target is None:
        target = _create_project(session, origin, project, ready)
    _link(session, origin, target)
    production = prod or (not preview and target.active_deployment_id is None)
    _announce(session, target, production=production, decided=prod or preview)
    deployment = watching.create_held(
        session,
        lambda: session.api.create_deployment(
            target.id, ready.source.id, production=production, clean=clean, commit=ready.commit
        ),
    )
    if no_wait:
        _say_queued(session, deployment)
        return
    watching.conclude(session, watching.watch_or_cancel(session, deployment))


def _find_project(
    session: Session, origin: "Origin", name: str | None, *, wants_production: bool, yes: bool
) -> "Project | None":
    """The project to deploy to, None when it is still to be made (after the upload succeeded)."""
    from windlass.cli import linking

    if name:
        found = linking.lookup(session.api, name)
        if found is None and name.startswith("proj_"):
            return linking.named(session.api, name)
        if found is None:
            linking.slug_of(name)
        return found
    if origin.folder and (linked := linking.find_link(origin.folder)):
        return linking.of_link(session.api, linked)
    slug = linking.slug_of(origin.name)
    found = linking.lookup(session.api, slug)
    if found is None:
        return None
    same = origin.repository_url is not None and found.repository_url == origin.repository_url
    if wants_production and not same:
        # A folder may only share its name with a project that serves something else.
        question = f"The project {slug} exists already. Replace its production with this?"
        session.confirm(
            question, yes=yes, otherwise="Nothing was deployed. Another project: --project NAME."
        )
    session.say(f"Using the project {slug}, which exists already.")
    return found


def _create_project(
    session: Session, origin: "Origin", name: str | None, ready: "Ready"
) -> "Project":
    from windlass.cli import linking, sources
    from windlass.cli.errors import Failed

    source = session.api.source(ready.source.id)
    if source.plan is None and source.plan_error is not None:
        raise Failed(reason=sources.problem(source.plan_error))
    made = session.api.create_project(
        name or linking.slug_of(origin.name),
        repository_url=origin.repository_url,
        repository_branch=origin.branch or source.branch if origin.repository_url else None,
    )
    session.say(f"Created the project {made.slug}.")
    return made


def _link(session: Session, origin: "Origin", project: "Project") -> None:
    """The next deploy from this folder goes to the same project."""
    from windlass.cli import linking

    if origin.folder is None or origin.branch:
        return
    linked = linking.find_link(origin.folder)
    is_own = linked is not None and linked.file == linking.link_file(origin.folder)
    if linked and (is_own or linked.link.project_id == project.id):
        return
    try:
        linking.write_link(origin.folder, project, server=session.api.url)
    except OSError as error:
        session.warn(f"The folder could not be linked ({error.strerror}); use --project next time.")


def _announce(session: Session, project: "Project", *, production: bool, decided: bool) -> None:
    if production:
        why = "" if decided else " (its first; later ones are previews unless you say --prod)"
        session.say(f"Deploying {project.slug} to production{why}.")
    else:
        why = "" if decided else " (production stays as it is; --prod replaces it)"
        session.say(f"Deploying a preview of {project.slug}{why}.")


def _say_queued(session: Session, deployment: "Deployment") -> None:
    session.say(f"Queued {deployment.id}. Follow it with: windlass logs {deployment.id} --follow")
    if deployment.url:
        session.say(deployment.url)
    session.result(deployment.as_received)
