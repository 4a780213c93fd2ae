"""The whole access policy on one page: 23 permissions, five roles (C-050, C-051)."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a team, weakest first."""

    viewer = "VIEWER"
    member = "MEMBER"
    developer = "DEVELOPER"
    admin = "ADMIN"
    owner = "OWNER"


class Permission(StrEnum):
    """What a route asks for."""

    project_read = "project:read"
    project_write = "project:write"
    project_delete = "project:delete"
    project_settings = "project:settings"
    deploy_read = "deploy:read"
    deploy_create = "deploy:create"
    deploy_cancel = "deploy:cancel"
    deploy_rollback = "deploy:rollback"
    deploy_promote = "deploy:promote"
    domain_read = "domain:read"
    domain_create = "domain:create"
    domain_delete = "domain:delete"
    storage_read = "storage:read"
    storage_write = "storage:write"
    storage_delete = "storage:delete"
    team_read = "team:read"
    team_invite = "team:invite"
    team_remove = "team:remove"
    team_settings = "team:settings"
    billing_read = "billing:read"
    billing_write = "billing:write"
    admin_read = "admin:read"
    admin_write = "admin:write"
    # One's own account: profile, sessions, tokens. Nobody can grant or lose it.
    account = "account"


_P = Permission
_VIEWER = {_P.account, _P.project_read, _P.deploy_read, _P.domain_read, _P.team_read}
_MEMBER = _VIEWER | {_P.project_write, _P.storage_read}
_DEVELOPER = _MEMBER | {_P.deploy_create, _P.deploy_cancel, _P.storage_write}
_ADMIN = _DEVELOPER | {
    _P.project_delete,
    _P.project_settings,
    _P.deploy_rollback,
    _P.deploy_promote,
    _P.domain_create,
    _P.domain_delete,
    _P.storage_delete,
    _P.team_invite,
    _P.team_remove,
    _P.billing_read,
}
# A team's owner is nobody on the platform: admin:* belongs to platform admins (D-33).
_OWNER = _ADMIN | {_P.team_settings, _P.billing_write}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.viewer: frozenset(_VIEWER),
    Role.member: frozenset(_MEMBER),
    Role.developer: frozenset(_DEVELOPER),
    Role.admin: frozenset(_ADMIN),
    Role.owner: frozenset(_OWNER),
}
ADMIN_ONLY = frozenset({_P.admin_read, _P.admin_write})
