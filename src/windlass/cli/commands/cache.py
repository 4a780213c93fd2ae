"""`windlass cache`: what is kept between the builds of a project."""

import click

from windlass.cli.session import Session, project_option, standard

EPILOG = """\b
Dependencies are kept while the lock file, the install command and the toolchain stay the same;
what frameworks keep (.next/cache, node_modules/.cache) stays longer. The log of each deployment
says whether they were used, and if not, why.

\b
Examples:
  windlass cache clean
  windlass deploy --clean       forget it and deploy at once"""


@click.group(epilog=EPILOG, help="What is kept between the builds of a project.")
@standard
def cache() -> None:
    pass


@cache.command(help="Forget what is kept for the builds of a project.")
@project_option
@standard
@click.pass_obj
def clean(session: Session, project: str | None) -> None:
    from windlass.cli import linking

    chosen = linking.chosen(session.api, project)
    session.api.clean_caches(chosen.id)
    session.say(f"The caches of {chosen.slug} are removed as soon as no build uses them.")
