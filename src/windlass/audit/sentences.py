"""From a fact to a short sentence, and what of a fact may be shown at all.

A fact without a sentence here is said by its own name, so nothing is ever missing from the log.
"""

import re
from collections.abc import Mapping
from uuid import UUID

from windlass.core import ids
from windlass.core.languages import N_, gettext

# Keys whose values are never shown and never searched. PostgreSQL reads the same expression.
SECRET = "secret|token|password|passwd|sealed|digest|hash|credential|cookie|signature|private"
_SECRET = re.compile(SECRET)
# They have places of their own in an entry.
_APART = {"user_id", "project_id", "team_id"}
_PREFIXES = {
    "cluster_id": "cls",
    "deployment_id": "depl",
    "previous_id": "depl",
    "invitation_id": "inv",
    "preview_id": "prev",
    "release_id": "rel",
    "session_id": "sess",
    "source_id": "src",
    "token_id": "tok",
}
_HARMLESS = set(_PREFIXES)
_SENTENCES = {
    "admin.AdminGranted": N_("Made {user} an administrator of this Windlass"),
    "admin.AdminRevoked": N_("Took the administration of this Windlass from {user}"),
    "admin.PlanChanged": N_("Changed the plan of {user} from {previous} to {plan}"),
    "admin.SignedOutEverywhere": N_("Signed {user} out everywhere ({sessions})"),
    "admin.Suspended": N_("Suspended the account of {user}"),
    "admin.SuspensionLifted": N_("Lifted the suspension of {user}"),
    "audit.Exported": N_("Exported the audit log as {format}"),
    "auth.AccountDeleted": N_("Deleted the account"),
    "auth.ConfirmationAsked": N_("Asked for a link that confirms the address"),
    "auth.DeviceAllowed": N_("Allowed {client} to sign in, which asked from {asked_from}"),
    "auth.DeviceRefused": N_("Refused {client}, which asked from {asked_from}"),
    "auth.EmailChangeAsked": N_("Asked to change the address to {email}"),
    "auth.EmailConfirmed": N_("Confirmed the address"),
    "auth.IdentityLinked": N_("Linked the account of {provider}"),
    "auth.IdentityUnlinked": N_("Unlinked the account of {provider}"),
    "auth.KeysRotated": N_("Rotated the key of {kind}"),
    "auth.LinkAsked": N_("Somebody asked for a link by mail for {email}"),
    "auth.LinkSent": N_("A link was sent by mail"),
    "auth.OthersSignedOut": N_("Signed out {sessions} other sessions"),
    "auth.OwnerSetUp": N_("Became the owner of this Windlass"),
    "auth.PasskeyAdded": N_("Added the passkey “{name}”"),
    "auth.PasskeyChanged": N_("Changed the passkey “{name}”"),
    "auth.PasskeyRemoved": N_("Removed the passkey “{name}”"),
    "auth.PasswordChanged": N_("Changed the password"),
    "auth.PasswordReset": N_("Chose a new password by a link"),
    "auth.ProfileChanged": N_("Changed the profile"),
    "auth.RecoveryCodeUsed": N_("Used a recovery code; {left} are left"),
    "auth.RecoveryCodesMade": N_("Made new recovery codes"),
    "auth.SignUpInvitationRevoked": N_("Withdrew the invitation of {email} to sign up"),
    "auth.SignUpInvited": N_("Invited {email} to sign up"),
    "auth.SignedIn": N_("Signed in"),
    "auth.SignedOut": N_("Signed out"),
    "auth.SignedUp": N_("Made an account"),
    "auth.TokenCreated": N_("Made the API token “{name}”"),
    "auth.TokenRenamed": N_("Called an API token “{name}”"),
    "auth.TokenRevoked": N_("Revoked an API token"),
    "auth.TotpDisabled": N_("Turned the authenticator app off"),
    "auth.TotpEnabled": N_("Turned the authenticator app on"),
    "clusters.Added": N_("Added the cluster “{name}” at {server}"),
    "clusters.Changed": N_("Changed the cluster “{name}”: {fields}"),
    "clusters.CredentialReplaced": N_("Replaced what opens the cluster “{name}”"),
    "clusters.Removed": N_("Removed the cluster “{name}”"),
    "deployments.CachesCleaned": N_("Cleaned the build caches of the project"),
    "deployments.Cancelled": N_("Cancelled a deployment"),
    "deployments.Deleted": N_("Deleted a deployment of {host}"),
    "deployments.Failed": N_("A deployment failed: {message}"),
    "deployments.HostFreed": N_("{host} is taken down"),
    "deployments.Promoted": N_("{host} serves another release"),
    "deployments.Queued": N_("Started a deployment"),
    "deployments.Ready": N_("A deployment is ready after {seconds} s"),
    "deployments.Returned": N_(
        "{host} went back by itself: {failed} of {requests} requests failed, before it"
        " {failed_before} of {requests_before}"
    ),
    "deployments.SwitchAsked": N_("Asked for another release to be live"),
    "deployments.SwitchFailed": N_("{host} could not be switched: {reason}"),
    "previews.Approved": N_("Approved the commit {commit} of pull request {pull_number}"),
    "previews.Ended": N_("Ended the preview of {branch}"),
    "previews.SettingsChanged": N_("Changed settings of the previews: {fields}"),
    "previews.Waiting": N_("Pull request {pull_number} comes from a fork and waits for approval"),
    "releases.Cancelled": N_("Cancelled revision {revision} of the release {namespace}/{name}"),
    "releases.DeleteAsked": N_("Asked to delete the release {namespace}/{name}"),
    "releases.Deleted": N_("The release {namespace}/{name} is deleted"),
    "releases.Deployed": N_("Revision {revision} of the release {namespace}/{name} is deployed"),
    "releases.Drifted": N_("Objects of the release {namespace}/{name} were changed in its cluster"),
    "releases.Failed": N_("Revision {revision} of the release {namespace}/{name} failed"),
    "releases.ObjectDeleted": N_("Deleted {object} of the release {namespace}/{name}"),
    "releases.Requested": N_("Asked for revision {revision} of the release {namespace}/{name}"),
    "projects.Changed": N_("Changed settings of the project: {fields}"),
    "projects.Created": N_("Created the project {slug}"),
    "projects.Deleted": N_("Deleted the project {slug}"),
    "projects.DeployKeyMade": N_("Made a deploy key for the project"),
    "projects.DeployKeyRemoved": N_("Removed the deploy key of the project"),
    "projects.RegistryLoginRemoved": N_("Removed the login at the registry {registry}"),
    "projects.RegistryLoginSet": N_("Set the login at the registry {registry}"),
    "projects.Shared": N_("Shared the project with a team"),
    "projects.Transferred": N_("Gave the project to {user}"),
    "projects.Unshared": N_("Ended the sharing with a team"),
    "projects.VariableRemoved": N_("Removed the variable {key} ({target})"),
    "projects.VariableSet": N_("Set the variable {key} ({targets})"),
    "teams.Changed": N_("Changed settings of the team: {fields}"),
    "teams.Created": N_("Created the team {slug}"),
    "teams.Deleted": N_("Deleted the team {slug}"),
    "teams.InvitationAccepted": N_("{user} accepted the invitation as {role}"),
    "teams.InvitationDeclined": N_("{user} declined the invitation"),
    "teams.InvitationExpired": N_("The invitation of {email} expired"),
    "teams.InvitationResent": N_("Sent the invitation of {email} again"),
    "teams.InvitationRevoked": N_("Withdrew the invitation of {email}"),
    "teams.Invited": N_("Invited {email} as {role}"),
    "teams.MemberAdded": N_("Added {user} as {role}"),
    "teams.MemberRemoved": N_("Removed {user} from the team"),
    "teams.RetentionChanged": N_("Keeps the audit log for {days} days instead of {previous}"),
    "teams.RoleChanged": N_("Changed the role of {user} from {previous} to {role}"),
    "webhooks.Connected": N_("Connected the project to its Git host"),
    "webhooks.Disconnected": N_("Disconnected the project from its Git host"),
    "webhooks.Pushed": N_("A push to {ref} on {host} started a deployment"),
    "webhooks.ReportingEnded": N_("Ended the commit statuses at the Git host"),
    "webhooks.ReportingStarted": N_("Let {host} be told what becomes of commits"),
    "webhooks.RulesChanged": N_("Changed which pushes are deployed: {fields}"),
    "webhooks.SecretReplaced": N_("Replaced the secret of the webhook"),
    "webhooks.SecretWithdrawn": N_("Withdrew the secret of the webhook with the project"),
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
    said = gettext(sentence).format_map(_Facts(facts, user=user or "somebody"))
    said = " ".join(said.removesuffix(": –").removesuffix(" (–)").split())
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def is_known(name: str) -> bool:
    """Whether somebody wrote a sentence for it."""
    return name in _SENTENCES


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
