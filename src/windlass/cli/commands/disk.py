"""`windlass disk`: where the bytes of the server's home went."""

import click

from windlass.cli.session import Session, standard

EPILOG = """\b
For administrators. Every file counts once: contents that releases share stand as one's own when
one project shows them, and as shared when several do. --json has the same for each project.

\b
Examples:
  windlass disk
  windlass disk --json | tail -n 1"""

_WORDS = {
    "blobs_own": "contents of one project",
    "blobs_shared": "contents that projects share",
    "blobs_unlinked": "sources, and what is to be collected",
    "database": "the database",
    "work": "builds that run",
    "rest": "nothing of Windlass",
}


@click.command(epilog=EPILOG, help="Show where the bytes of the server went.")
@click.option("--projects", "most", type=click.IntRange(0), default=10, show_default=True)
@standard
@click.pass_obj
def disk(session: Session, most: int) -> None:
    from windlass.cli.amounts import size_text

    found = session.api.disk()
    rows = [
        (_WORDS.get(part.name, part.name), size_text(part.size_bytes), str(part.files))
        for part in found.parts
    ]
    rows.append(("unexplained", size_text(found.unexplained_bytes), ""))
    rows.append(("together", size_text(found.size_bytes), ""))
    session.table(("WHAT", "SIZE", "FILES"), rows)
    if found.rest:
        session.say(f"Nothing of Windlass: {', '.join(found.rest)}")
    if found.projects and most:
        session.say()
        session.table(
            ("PROJECT", "CONTENTS", "CACHES", "LOGS", "SHARED"),
            [
                (
                    share.name or share.project_id,
                    size_text(share.own_bytes + share.releases_bytes),
                    size_text(share.caches_bytes),
                    size_text(share.logs_bytes),
                    size_text(share.shared_bytes),
                )
                for share in found.projects[:most]
            ],
        )
    session.say(f"{size_text(found.free_bytes)} are free.")
    session.result(found.as_received)
