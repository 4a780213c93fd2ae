"""What the kinds of facts are called where somebody chooses among them."""

from windlass.core.languages import N_

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "auth": (
        N_("Accounts and sign-in"),
        {
            "auth.SignedIn": N_("Signed in"),
            "auth.SignedOut": N_("Signed out"),
            "auth.OthersSignedOut": N_("Signed out elsewhere"),
            "auth.SignedUp": N_("Signed up"),
            "auth.OwnerSetUp": N_("Owner set up"),
            "auth.PasswordChanged": N_("Password changed"),
            "auth.PasswordReset": N_("Password reset"),
            "auth.ProfileChanged": N_("Profile changed"),
            "auth.LinkAsked": N_("Link by mail asked for"),
            "auth.LinkSent": N_("Link by mail sent"),
            "auth.ConfirmationAsked": N_("Confirmation asked for"),
            "auth.EmailChangeAsked": N_("Change of address asked for"),
            "auth.EmailConfirmed": N_("Address confirmed"),
            "auth.TotpEnabled": N_("Authenticator app turned on"),
            "auth.TotpDisabled": N_("Authenticator app turned off"),
            "auth.RecoveryCodesMade": N_("Recovery codes made"),
            "auth.RecoveryCodeUsed": N_("Recovery code used"),
            "auth.PasskeyAdded": N_("Passkey added"),
            "auth.PasskeyChanged": N_("Passkey changed"),
            "auth.PasskeyRemoved": N_("Passkey removed"),
            "auth.IdentityLinked": N_("Account linked"),
            "auth.IdentityUnlinked": N_("Account unlinked"),
            "auth.DeviceAllowed": N_("Command line allowed"),
            "auth.DeviceRefused": N_("Command line refused"),
            "auth.TokenCreated": N_("API token made"),
            "auth.TokenRenamed": N_("API token renamed"),
            "auth.TokenRevoked": N_("API token revoked"),
            "auth.SignUpInvited": N_("Invited to sign up"),
            "auth.SignUpInvitationRevoked": N_("Invitation to sign up withdrawn"),
            "auth.AccountDeleted": N_("Account deleted"),
            "auth.KeysRotated": N_("Keys rotated"),
        },
    ),
    "projects": (
        N_("Projects"),
        {
            "projects.Created": N_("Project created"),
            "projects.Changed": N_("Project changed"),
            "projects.Deleted": N_("Project deleted"),
            "projects.DeployKeyMade": N_("Deploy key made"),
            "projects.DeployKeyRemoved": N_("Deploy key removed"),
            "projects.RegistryLoginSet": N_("Registry login set"),
            "projects.RegistryLoginRemoved": N_("Registry login removed"),
            "projects.Shared": N_("Project shared"),
            "projects.Unshared": N_("Sharing ended"),
            "projects.Transferred": N_("Project given to somebody else"),
            "projects.VariableSet": N_("Variable set"),
            "projects.VariableRemoved": N_("Variable removed"),
        },
    ),
    "deployments": (
        N_("Deployments"),
        {
            "deployments.Queued": N_("Deployment started"),
            "deployments.Ready": N_("Deployment ready"),
            "deployments.Failed": N_("Deployment failed"),
            "deployments.Cancelled": N_("Deployment cancelled"),
            "deployments.HostFreed": N_("Address of a preview taken down"),
            "deployments.Deleted": N_("Deployment deleted"),
            "deployments.CachesCleaned": N_("Build caches cleaned"),
            "deployments.SwitchAsked": N_("Other release asked for"),
            "deployments.Promoted": N_("Other release live"),
            "deployments.Returned": N_("Went back by itself"),
            "deployments.SwitchFailed": N_("Switch failed"),
        },
    ),
    "teams": (
        N_("Teams"),
        {
            "teams.Created": N_("Team created"),
            "teams.Changed": N_("Team changed"),
            "teams.RetentionChanged": N_("Retention changed"),
            "teams.Deleted": N_("Team deleted"),
            "teams.MemberAdded": N_("Member added"),
            "teams.RoleChanged": N_("Role changed"),
            "teams.MemberRemoved": N_("Member removed"),
            "teams.Invited": N_("Member invited"),
            "teams.InvitationResent": N_("Invitation sent again"),
            "teams.InvitationRevoked": N_("Invitation withdrawn"),
            "teams.InvitationAccepted": N_("Invitation accepted"),
            "teams.InvitationDeclined": N_("Invitation declined"),
            "teams.InvitationExpired": N_("Invitation expired"),
        },
    ),
    "clusters": (
        N_("Clusters"),
        {
            "clusters.Added": N_("Cluster added"),
            "clusters.Changed": N_("Cluster changed"),
            "clusters.CredentialReplaced": N_("Credential of a cluster replaced"),
            "clusters.Removed": N_("Cluster removed"),
        },
    ),
    "releases": (
        N_("Releases on clusters"),
        {
            "releases.Requested": N_("Release asked for"),
            "releases.Deployed": N_("Release deployed"),
            "releases.Failed": N_("Release failed"),
            "releases.Cancelled": N_("Release cancelled"),
            "releases.DeleteAsked": N_("Deletion of a release asked for"),
            "releases.Deleted": N_("Release deleted"),
            "releases.Drifted": N_("Release changed in its cluster"),
            "releases.ObjectDeleted": N_("Object of a release deleted"),
        },
    ),
    "previews": (
        N_("Previews"),
        {
            "previews.Waiting": N_("Fork waits for approval"),
            "previews.Approved": N_("Fork approved"),
            "previews.Ended": N_("Preview ended"),
            "previews.SettingsChanged": N_("Settings of previews changed"),
        },
    ),
    "webhooks": (
        N_("Git hosts"),
        {
            "webhooks.Connected": N_("Git host connected"),
            "webhooks.Disconnected": N_("Git host disconnected"),
            "webhooks.Pushed": N_("Push deployed"),
            "webhooks.ReportingStarted": N_("Commit statuses started"),
            "webhooks.ReportingEnded": N_("Commit statuses ended"),
            "webhooks.RulesChanged": N_("Rules of pushes changed"),
            "webhooks.SecretReplaced": N_("Secret of the webhook replaced"),
            "webhooks.SecretWithdrawn": N_("Secret of the webhook withdrawn"),
        },
    ),
    "audit": (
        N_("Audit log"),
        {
            "audit.Exported": N_("Audit log exported"),
        },
    ),
    "admin": (
        N_("Administration"),
        {
            "admin.Suspended": N_("Account suspended"),
            "admin.SuspensionLifted": N_("Suspension lifted"),
            "admin.PlanChanged": N_("Plan changed"),
            "admin.AdminGranted": N_("Administrator made"),
            "admin.AdminRevoked": N_("Administrator removed"),
            "admin.SignedOutEverywhere": N_("Signed out everywhere"),
        },
    ),
}
"""For each part of the product what it is called, and the kinds of facts in it."""

_KNOWN = {name: title for _, kinds in GROUPS.values() for name, title in kinds.items()}


def of(name: str) -> str:
    """The name of one kind in English; of one that is not known its own."""
    return _KNOWN.get(name, name)
