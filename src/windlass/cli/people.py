"""The verbs of the API about people: the account, its tokens, teams, and the audit log."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from windlass.cli.client import Params
from windlass.cli.decoding import Decoding, given, safe
from windlass.cli.schemas import (
    Account,
    Added,
    AuditEntry,
    DeviceCode,
    Invitation,
    Member,
    Team,
    Token,
)


class People(Decoding):
    """A part of `windlass.cli.api.Api`."""

    # --- account ---

    def me(self) -> Account:
        """The account behind the token."""
        return self._one(Account, self.request("GET", "/api/auth/me"))

    def ask_device_code(self, client: str) -> DeviceCode:
        """Begins a sign-in that somebody allows in a browser; needs no token."""
        answer = self.request("POST", "/api/auth/device", json={"client": client})
        return self._one(DeviceCode, answer)

    def collect_device_token(self, device_code: str) -> Token:
        """The token, once it was allowed. ApiError 400 with details.reason as RFC 8628 has it."""
        body = {"deviceCode": device_code}
        return self._one(Token, self.request("POST", "/api/auth/device/token", json=body))

    # --- tokens ---

    def tokens(self) -> list[Token]:
        """All tokens of the account, without their secrets."""
        return self._many(Token, "/api/auth/tokens", {}, None)

    def create_token(
        self, name: str, *, scopes: Sequence[str] = (), days: int | None = None
    ) -> Token:
        """A new token; its secret is in this answer only. No scopes: all that the account may do;
        no days: until it is revoked."""
        body = {"name": name, **given(scopes=list(scopes) or None, expires_in_days=days)}
        return self._one(Token, self.request("POST", "/api/auth/tokens", json=body))

    def rename_token(self, token_id: str, name: str) -> Token:
        path = f"/api/auth/tokens/{safe(token_id)}"
        return self._one(Token, self.request("PATCH", path, json={"name": name}))

    def delete_token(self, token_id: str) -> None:
        self.request("DELETE", f"/api/auth/tokens/{safe(token_id)}")

    def delete_own_token(self) -> None:
        """Revokes the token that this object sends."""
        self.request("DELETE", "/api/auth/tokens/current")

    # --- teams ---

    def teams(self) -> list[Team]:
        """The teams that the account is in."""
        return self._many(Team, "/api/teams", {}, None)

    def create_team(self, name: str, slug: str | None = None) -> Team:
        body = {"name": name, **given(slug=slug)}
        return self._one(Team, self.request("POST", "/api/teams", json=body))

    def change_team(self, team_id: str, *, name: str | None, slug: str | None) -> Team:
        body = given(name=name, slug=slug)
        return self._one(Team, self.request("PATCH", f"/api/teams/{safe(team_id)}", json=body))

    def delete_team(self, team_id: str) -> None:
        self.request("DELETE", f"/api/teams/{safe(team_id)}")

    def leave_team(self, team_id: str) -> None:
        self.request("POST", f"/api/teams/{safe(team_id)}/leave")

    def members(self, team_id: str) -> list[Member]:
        return self._many(Member, f"/api/teams/{safe(team_id)}/members", {}, None)

    def add_member(self, team_id: str, email: str, role: str) -> Added:
        """Adds an account that exists, or sends an invitation; `outcome` says which."""
        path = f"/api/teams/{safe(team_id)}/members"
        return self._one(Added, self.request("POST", path, json={"email": email, "role": role}))

    def change_member(self, team_id: str, user_id: str, role: str) -> Member:
        path = f"/api/teams/{safe(team_id)}/members/{safe(user_id)}"
        return self._one(Member, self.request("PATCH", path, json={"role": role}))

    def remove_member(self, team_id: str, user_id: str) -> None:
        self.request("DELETE", f"/api/teams/{safe(team_id)}/members/{safe(user_id)}")

    def invitations(self, team_id: str) -> list[Invitation]:
        """Who was asked to join, newest first; answered ones too."""
        return self._many(Invitation, f"/api/teams/{safe(team_id)}/invitations", {}, None)

    def delete_invitation(self, team_id: str, invitation_id: str) -> None:
        self.request("DELETE", f"/api/teams/{safe(team_id)}/invitations/{safe(invitation_id)}")

    def my_invitations(self) -> list[Invitation]:
        """Teams that wait for an answer of the account."""
        return self._many(Invitation, "/api/invitations", {}, None)

    def accept_invitation(self, invitation: str) -> Team:
        """Joins a team, by the invitation's id or the secret of its link."""
        return self._one(Team, self.request("POST", f"/api/invitations/{safe(invitation)}/accept"))

    def decline_invitation(self, invitation: str) -> None:
        self.request("POST", f"/api/invitations/{safe(invitation)}/decline")

    # --- audit ---

    def audit(
        self, filters: Params, *, limit: int | None = 20, everything: bool = False
    ) -> list[AuditEntry]:
        """What happened, newest first. Filters are the API's own query parameters."""
        return self._many(AuditEntry, _audit(everything), filters, limit)

    def audit_file(
        self, filters: Params, *, format: str, everything: bool = False
    ) -> AbstractContextManager[Iterator[bytes]]:
        """The same as a file, `json` or `csv`, in pieces as they come."""
        return self.download(f"{_audit(everything)}/export", params={**filters, "format": format})


def _audit(everything: bool) -> str:
    return "/api/admin/audit" if everything else "/api/audit"
