"""`windlass teams`: the teams of the account, who is in them, and who is asked to come."""

from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Function, Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Invitation, Member, Team

ROLES = ("viewer", "member", "developer", "admin", "owner")
HEADS = ("TEAM", "NAME", "ROLE", "MEMBERS", "PROJECTS")
MEMBER_HEADS = ("MEMBER", "NAME", "ROLE", "SINCE")
INVITED_HEADS = ("ID", "TEAM", "ROLE", "FROM", "ENDS")

_role = click.option(
    "--role", type=click.Choice(ROLES), default="member", show_default=True, help="What they are."
)
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


class NoSuchTeam(CliError):
    """You are in no team {name}."""

    fix = "`windlass teams` lists yours; `windlass teams invitations` those that wait for you."


class NoSuchMember(CliError):
    """Nobody called {name} is in the team {team}, or asked to come."""

    fix = "`windlass teams show {team}` lists them."


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    try:
        found = [team.slug for team in Session(timeout_seconds=1.5).api.teams()]
    except (CliError, OSError):
        return []
    return [slug for slug in found if slug.startswith(incomplete)]


def _team(function: Function) -> Function:
    return click.argument("team", shell_complete=_complete)(function)


@click.group(
    invoke_without_command=True,
    help="Your teams: list, create, show, invite, remove and more. Alone: list.",
    epilog="\b\nExamples:\n  windlass teams\n  windlass teams create Harbour\n"
    "  windlass teams invite harbour ada@example.com --role developer",
)
@standard
@click.pass_context
def teams(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session())


@teams.command("list", help="List your teams.", epilog="\b\nExample:\n  windlass teams list")
@standard
@click.pass_obj
def list_teams(session: Session) -> None:
    _list(session)


@teams.command(
    help="Make a team, which you own.",
    epilog="\b\nExamples:\n  windlass teams create Harbour\n"
    '  windlass teams create "Harbour and Sons" --slug harbour',
)
@click.argument("name")
@click.option("--slug", metavar="SLUG", help="Its short name. Default: made of the name.")
@standard
@click.pass_obj
def create(session: Session, name: str, slug: str | None) -> None:
    made = session.api.create_team(name, slug)
    session.say(f"Made the team {made.slug}. Ask people: windlass teams invite {made.slug} E-MAIL")
    session.result(made.as_received)


@teams.command(
    help="Give a team another name.",
    epilog="\b\nExamples:\n  windlass teams rename harbour Port\n"
    '  windlass teams rename harbour "Port and Sons" --slug port',
)
@_team
@click.argument("name")
@click.option("--slug", metavar="SLUG", help="Its short name too. Default: it stays.")
@standard
@click.pass_obj
def rename(session: Session, team: str, name: str, slug: str | None) -> None:
    changed = session.api.change_team(named(session, team).id, name=name, slug=slug)
    session.say(f"{plain(changed.name)} is the name of the team {changed.slug} now.")
    session.result(changed.as_received)


@teams.command(
    help="Show a team, its members, and who was asked to come.",
    epilog="\b\n--json prints the members.\n\n\b\nExample:\n  windlass teams show harbour",
)
@_team
@standard
@click.pass_obj
def show(session: Session, team: str) -> None:
    from windlass.cli.api import as_json_list
    from windlass.cli.times import ago

    found = named(session, team)
    members = session.api.members(found.id)
    session.say(f"{plain(found.name)} ({found.slug}), you are {found.role}", bold=True)
    session.table(
        MEMBER_HEADS,
        ((one.email or one.id, one.name or "", one.role, ago(one.joined_at)) for one in members),
    )
    # Only those who may invite see who was invited.
    waiting = _waiting(session, found) if found.role in {"admin", "owner"} else []
    if waiting:
        session.say()
        _show_invited(session, waiting)
    session.result(as_json_list(members))


@teams.command(
    help="Add somebody, or send them an invitation by mail.",
    epilog="\b\nWho has an account is in the team at once; others get a link for seven days.\n\n"
    "\b\nExample:\n  windlass teams invite harbour ada@example.com --role developer",
)
@_team
@click.argument("email")
@_role
@standard
@click.pass_obj
def invite(session: Session, team: str, email: str, role: str) -> None:
    found = named(session, team)
    added = session.api.add_member(found.id, email, role)
    if added.outcome == "added":
        session.say(f"{email} is in {found.slug} now, as {role}.")
    else:
        session.say(f"Invited {email} to {found.slug} as {role}. The link works for seven days.")
    session.result(added.as_received)


@teams.command(
    help="Change what somebody is in a team.",
    epilog="\b\nExample:\n  windlass teams role harbour ada@example.com admin",
)
@_team
@click.argument("member")
@click.argument("role", type=click.Choice(ROLES))
@standard
@click.pass_obj
def role(session: Session, team: str, member: str, role: str) -> None:
    found = named(session, team)
    changed = session.api.change_member(found.id, _member(session, found, member).id, role)
    session.say(f"{plain(changed.email or changed.id)} is {changed.role} in {found.slug} now.")
    session.result(changed.as_received)


@teams.command(
    help="Take somebody out of a team, or withdraw their invitation.",
    epilog="\b\nExamples:\n  windlass teams remove harbour ada@example.com\n"
    "  windlass teams remove harbour ada@example.com --yes",
)
@_team
@click.argument("member")
@_yes
@standard
@click.pass_obj
def remove(session: Session, team: str, member: str, yes: bool) -> None:
    found = named(session, team)
    invited = next((one for one in _waiting(session, found) if _is_called(one, member)), None)
    if invited is not None:
        session.api.delete_invitation(found.id, invited.id)
        session.say(f"Withdrew the invitation of {plain(invited.email)}.")
        session.result(invited.as_received)
        return
    gone = _member(session, found, member)
    name = plain(gone.email or gone.id)
    session.confirm(f"Take {name} out of {found.slug}?", yes=yes, otherwise="Nobody was removed.")
    session.api.remove_member(found.id, gone.id)
    session.say(f"{name} is no longer in {found.slug}.")
    session.result(gone.as_received)


@teams.command(help="Leave a team.", epilog="\b\nExample:\n  windlass teams leave harbour")
@_team
@_yes
@standard
@click.pass_obj
def leave(session: Session, team: str, yes: bool) -> None:
    found = named(session, team)
    session.confirm(f"Leave {found.slug}?", yes=yes, otherwise="You are still in the team.")
    session.api.leave_team(found.id)
    session.say(f"You left {found.slug}.")
    session.result(found.as_received)


@teams.command(
    help="Delete a team. Projects shared with it stay with their owners.",
    epilog="\b\nExample:\n  windlass teams delete harbour",
)
@_team
@_yes
@standard
@click.pass_obj
def delete(session: Session, team: str, yes: bool) -> None:
    found = named(session, team)
    session.confirm(
        f"Delete the team {found.slug}? Its members lose it.",
        yes=yes,
        otherwise="Nothing was deleted.",
    )
    session.api.delete_team(found.id)
    session.say(f"Deleted the team {found.slug}.")
    session.result(found.as_received)


@teams.command(
    help="List teams that wait for your answer.",
    epilog="\b\nExample:\n  windlass teams invitations",
)
@standard
@click.pass_obj
def invitations(session: Session) -> None:
    from windlass.cli.api import as_json_list

    found = session.api.my_invitations()
    if not found:
        session.say("No team waits for your answer.")
    else:
        _show_invited(session, found)
        session.say("Join with: windlass teams accept ID")
    session.result(as_json_list(found))


@teams.command(
    help="Join a team that asked you.",
    epilog="\b\nExample:\n  windlass teams accept inv_01jc...",
)
@click.argument("invitation")
@standard
@click.pass_obj
def accept(session: Session, invitation: str) -> None:
    team = session.api.accept_invitation(invitation)
    session.say(f"You are in {team.slug} now, as {team.role}.")
    session.result(team.as_received)


@teams.command(
    help="Stay out of a team that asked you.",
    epilog="\b\nExample:\n  windlass teams decline inv_01jc...",
)
@click.argument("invitation")
@standard
@click.pass_obj
def decline(session: Session, invitation: str) -> None:
    session.api.decline_invitation(invitation)
    session.say("Declined. Its owners are told.")
    session.result(b'{"declined":true}')


def _list(session: Session) -> None:
    nothing = "You are in no team. `windlass teams create NAME` makes one."
    session.listing(session.api.teams(), HEADS, _row, nothing=nothing)


def _row(team: "Team") -> tuple[str, ...]:
    return (team.slug, team.name, team.role, str(team.member_count), str(team.project_count))


def _show_invited(session: Session, found: "list[Invitation]") -> None:
    heads = ("INVITED", *INVITED_HEADS)
    session.table(
        heads,
        (
            (
                one.email,
                one.id,
                one.team_slug,
                one.role,
                one.invited_by or "",
                f"{one.expires_at:%Y-%m-%d}" if one.expires_at else "",
            )
            for one in found
        ),
    )


def named(session: Session, name: str) -> "Team":
    """A team by its slug, id or name."""
    found = session.api.teams()
    by_slug = next((one for one in found if name in {one.slug, one.id}), None)
    team = by_slug or next((one for one in found if one.name == name), None)
    if team is None:
        raise NoSuchTeam(name=name)
    return team


def _waiting(session: Session, team: "Team") -> "list[Invitation]":
    return [one for one in session.api.invitations(team.id) if one.status == "pending"]


def _member(session: Session, team: "Team", name: str) -> "Member":
    for one in session.api.members(team.id):
        if name.lower() in {one.id, (one.email or "").lower()} or name == one.name:
            return one
    raise NoSuchMember(name=name, team=team.slug)


def _is_called(invitation: "Invitation", name: str) -> bool:
    return name.lower() in {invitation.id, invitation.email.lower()}
