"""From a fact to a short sentence, and what of a fact may be shown at all.

A fact without a sentence here is said by its own name, so nothing is ever missing from the log.
"""

import re
from collections.abc import Mapping
from uuid import UUID

from windlass.core import ids

# Keys whose values are never shown and never searched. PostgreSQL reads the same expression.
SECRET = "secret|token|password|passwd|sealed|digest|hash|credential|cookie|signature|private"
_SECRET = re.compile(SECRET)
# They have places of their own in an entry.
_APART = {"user_id", "project_id", "team_id"}
_PREFIXES = {
    "deployment_id": "depl",
    "previous_id": "depl",
    "invitation_id": "inv",
    "session_id": "sess",
    "source_id": "src",
    "token_id": "tok",
}
_HARMLESS = set(_PREFIXES)
_SENTENCES = {
    "admin.AdminGranted": "Made {user} an administrator of this Windlass",
    "admin.AdminRevoked": "Took the administration of this Windlass from {user}",
    "admin.PlanChanged": "Changed the plan of {user} from {previous} to {plan}",
    "admin.SignedOutEverywhere": "Signed {user} out everywhere ({sessions})",
    "admin.Suspended": "Suspended the account of {user}",
    "admin.SuspensionLifted": "Lifted the suspension of {user}",
    "audit.Exported": "Exported the audit log as {format}",
    "audit.RetentionChanged": "Keeps the audit log for {days} days instead of {previous}",
    "auth.DeviceAllowed": "Allowed {client} to sign in, which asked from {asked_from}",
    "auth.DeviceRefused": "Refused {client}, which asked from {asked_from}",
    "auth.KeysRotated": "Rotated the key of {kind}",
    "auth.OthersSignedOut": "Signed out {sessions} other sessions",
    "auth.OwnerSetUp": "Became the owner of this Windlass",
    "auth.PasswordChanged": "Changed the password",
    "auth.ProfileChanged": "Changed the profile",
    "auth.SignedIn": "Signed in",
    "auth.SignedOut": "Signed out",
    "auth.TokenCreated": "Made the API token “{name}”",
    "auth.TokenRenamed": "Called an API token “{name}”",
    "auth.TokenRevoked": "Revoked an API token",
    "deployments.Cancelled": "Cancelled a deployment",
    "deployments.Deleted": "Deleted a deployment of {host}",
    "deployments.Failed": "A deployment failed: {message}",
    "deployments.Promoted": "{host} serves another release",
    "deployments.Queued": "Started a deployment",
    "deployments.Ready": "A deployment is ready after {seconds} s",
    "deployments.SwitchAsked": "Asked for another release to be live",
    "deployments.SwitchFailed": "{host} could not be switched: {reason}",
    "projects.Changed": "Changed settings of the project: {fields}",
    "projects.Created": "Created the project {slug}",
    "projects.Deleted": "Deleted the project {slug}",
    "projects.VariableRemoved": "Removed the variable {key} ({target})",
    "projects.VariableSet": "Set the variable {key} ({targets})",
    "teams.Changed": "Changed settings of the team: {fields}",
    "teams.Created": "Created the team {slug}",
    "teams.Deleted": "Deleted the team {slug}",
    "teams.InvitationAccepted": "{user} accepted the invitation as {role}",
    "teams.InvitationDeclined": "{user} declined the invitation",
    "teams.InvitationExpired": "The invitation of {email} expired",
    "teams.InvitationResent": "Sent the invitation of {email} again",
    "teams.InvitationRevoked": "Withdrew the invitation of {email}",
    "teams.Invited": "Invited {email} as {role}",
    "teams.MemberAdded": "Added {user} as {role}",
    "teams.MemberRemoved": "Removed {user} from the team",
    "teams.RoleChanged": "Changed the role of {user} from {previous} to {role}",
}
# Stored in the form of programs.
_ENUMS = {"plan", "previous", "role"}
_LONGEST = 300


class _Facts(dict[str, str]):
    """What a sentence is made of; a fact that an old row lacks is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def of(name: str, payload: Mapping[str, object], *, user: str | None) -> str:
    """What happened, in at most 300 letters."""
    if (sentence := _SENTENCES.get(name)) is None:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.rpartition(".")[2]).lower()
        return words[:1].upper() + words[1:]
    facts = {key: _said(key, value) for key, value in payload.items() if not is_secret(key)}
    said = sentence.format_map(_Facts(facts, user=user or "somebody"))
    said = " ".join(said.removesuffix(": –").removesuffix(" (–)").split())
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def is_secret(key: str) -> bool:
    return key not in _HARMLESS and _SECRET.search(key.lower()) is not None


def metadata(payload: Mapping[str, object]) -> dict[str, object]:
    """A fact as it may be shown: without secrets, ids in their outward form, keys in camelCase."""
    return {
        _camel(key): _outward(key, value)
        for key, value in payload.items()
        if key not in _APART and not is_secret(key)
    }


def _outward(key: str, value: object) -> object:
    if isinstance(value, dict):
        found: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType]
        return {name: inner for name, inner in found.items() if not is_secret(name)}
    if (prefix := _PREFIXES.get(key)) is not None and isinstance(value, str):
        try:
            return ids.public(prefix, UUID(value))
        except ValueError:
            return value
    return value


def _said(key: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        items: list[object] = value  # pyright: ignore[reportUnknownVariableType]
        return ", ".join(_said(key, item) for item in items) or "–"
    if isinstance(value, float):
        return f"{value:.1f}"
    text = str(value)
    if key in _ENUMS:
        return text.lower()
    return text.replace("_", " ") if key == "fields" else text


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)
