"""The table of 23 permissions and five roles, word for word as the requirements have it (C-050)."""

import pytest

from windlass.auth.errors import NotAllowed, TokenTooNarrow
from windlass.auth.models import Actor
from windlass.auth.permissions import ADMIN_ONLY, GRANTS, Permission, Role
from windlass.core.ids import uuid7

_WORDS = """
project:read viewer+; project:write member+; project:delete admin+; project:settings admin+;
deploy:read viewer+; deploy:create developer+; deploy:cancel developer+; deploy:rollback admin+;
deploy:promote admin+; domain:read viewer+; domain:create admin+; domain:delete admin+;
storage:read member+; storage:write developer+; storage:delete admin+; team:read viewer+;
team:invite admin+; team:remove admin+; team:settings owner; billing:read admin+;
billing:write owner; admin:read owner; admin:write owner
"""
_ORDER = ["viewer", "member", "developer", "admin", "owner"]
_WANTED: dict[str, str] = {cell.split()[0]: cell.split()[1] for cell in _WORDS.split(";")}


def _may(permission: str, role: str) -> bool:
    # D-33: admin:* is the platform's, whatever somebody owns.
    if permission.startswith("admin:"):
        return False
    least = _WANTED[permission].removesuffix("+")
    return _ORDER.index(role) >= _ORDER.index(least)


def test_the_roles_stand_in_their_order() -> None:
    assert [role.name for role in Role] == _ORDER


def test_there_are_23_permissions_and_ones_own_account() -> None:
    assert {p.value for p in Permission} - {"account"} == _WANTED.keys()
    assert len(_WANTED) == 23
    assert {p.value for p in ADMIN_ONLY} == {"admin:read", "admin:write"}
    assert all(Permission.account in held for held in GRANTS.values())


@pytest.mark.parametrize("role", _ORDER)
@pytest.mark.parametrize("permission", _WANTED)
def test_each_of_the_115_cells(permission: str, role: str) -> None:
    """C-059; the text of a denial is C-053's, word for word."""
    actor = Actor(id=uuid7(), email=None, name=None)
    if _may(permission, role):
        actor.require(Permission(permission), on=Role[role])
        return
    with pytest.raises(NotAllowed) as caught:
        actor.require(Permission(permission), on=Role[role])

    assert caught.value.message == (
        f"This action requires {permission} permission."
        f" Your role ({role}) does not have this permission."
    )


@pytest.mark.parametrize("permission", _WANTED)
def test_a_token_narrows_and_never_widens(permission: str) -> None:
    everything = frozenset(Permission)
    actor = Actor(id=uuid7(), email=None, name=None, scopes=everything)
    nothing = Actor(id=uuid7(), email=None, name=None, scopes=frozenset())

    if not _may(permission, "viewer"):
        with pytest.raises(NotAllowed):
            actor.require(Permission(permission), on=Role.viewer)
    if _may(permission, "owner"):
        with pytest.raises(TokenTooNarrow):
            nothing.require(Permission(permission), on=Role.owner)


@pytest.mark.parametrize("word", ["", "project:*", "PROJECT:READ", "deploy:delete"])
def test_what_is_no_permission_is_none(word: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Permission"):
        Permission(word)


@pytest.mark.parametrize("word", ["", "viewer", "SUPERUSER", "none"])
def test_what_is_no_role_is_none(word: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Role"):
        Role(word)
