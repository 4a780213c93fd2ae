"""A kubeconfig, reduced to what is needed to talk to a cluster. Pure.

Nothing in it is run and no file it names is read: a file of somebody else is not an order (`exec`
users run whatever they say). What would need that is refused by its name.
"""

import base64
import binascii
from typing import Any, cast

import msgspec

from windlass.core.languages import N_

_CLUSTER_FILES = {"certificate-authority": "certificate-authority-data"}
_USER_FILES = {
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
_USER_PROGRAMS = ("exec", "auth-provider")
_USER_OTHERS = ("username", "password", "as", "as-uid", "as-groups", "as-user-extra")
MOST_BYTES = 256 << 10


class KubeconfigWrong(Exception):
    """Why it cannot be used, for whoever gave it; shows none of its values but names."""


class Reduced(msgspec.Struct, frozen=True):
    """What is left of it."""

    server: str
    ca: str | None
    token: str | None
    certificate: str | None
    key: str | None
    tls_name: str | None
    insecure: bool


def reduced(text: str, context: str | None = None) -> Reduced:
    """Of the context that is named, or the current one, or the only one. Raises KubeconfigWrong."""
    whole = _read(text)
    chosen = _context(whole, context)
    cluster = _named(whole, "clusters", "cluster", str(chosen.get("cluster") or ""))
    user = _named(whole, "users", "user", str(chosen.get("user") or ""))
    _refuse(cluster, user)
    server = cluster.get("server")
    if not isinstance(server, str) or not server:
        raise KubeconfigWrong(N_("its cluster has no `server`"))
    token = user.get("token")
    certificate, key = _pem(user, "client-certificate-data"), _pem(user, "client-key-data")
    if not token and not (certificate and key):
        raise KubeconfigWrong(N_("its user has neither a token nor a client certificate with key"))
    name = cluster.get("tls-server-name")
    return Reduced(
        server=server,
        ca=_pem(cluster, "certificate-authority-data"),
        token=str(token) if token else None,
        certificate=None if token else certificate,
        key=None if token else key,
        tls_name=str(name) if name else None,
        insecure=cluster.get("insecure-skip-tls-verify") is True,
    )


def _read(text: str) -> dict[str, Any]:
    # Late: the reader is not needed while nobody brings a cluster along.
    from windlass.charts.documents.problems import Unreadable
    from windlass.charts.documents.read import load

    if len(text) > MOST_BYTES:
        raise KubeconfigWrong(N_("it is larger than any kubeconfig"))
    try:
        documents = load(text)
    except Unreadable as error:
        first = error.problems[0]
        raise KubeconfigWrong(
            N_("line {line}: {message}").format(line=first.line, message=first.message)
        ) from None
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        raise KubeconfigWrong(
            N_("it is not one YAML document with `clusters`, `users`, `contexts`")
        )
    return cast(dict[str, Any], documents[0].data)


def _context(whole: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    names = [str(one.get("name")) for one in _list(whole, "contexts")]
    if not names:
        raise KubeconfigWrong(N_("it has no `contexts`"))
    name = (
        wanted or str(whole.get("current-context") or "") or (names[0] if len(names) == 1 else "")
    )
    if name not in names:
        listed = ", ".join(names[:20])
        if not name:
            raise KubeconfigWrong(N_("say which context: {names}").format(names=listed))
        raise KubeconfigWrong(
            N_("it has no context “{name}”, but {names}").format(name=name[:80], names=listed)
        )
    return _named(whole, "contexts", "context", name)


def _named(whole: dict[str, Any], listed: str, inside: str, name: str) -> dict[str, Any]:
    for one in _list(whole, listed):
        if one.get("name") == name and isinstance(one.get(inside), dict):
            return cast(dict[str, Any], one[inside])
    raise KubeconfigWrong(
        N_("its `{listed}` have none that is called “{name}”").format(listed=listed, name=name[:80])
    )


def _list(whole: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = whole.get(name)
    if not isinstance(found, list):
        return []
    return [one for one in cast(list[Any], found) if isinstance(one, dict)]


def _refuse(cluster: dict[str, Any], user: dict[str, Any]) -> None:
    for field in _USER_PROGRAMS:
        if field in user:
            raise KubeconfigWrong(
                N_(
                    "its user has `{field}`, a program that would have to run here; give a token"
                    " of a service account instead"
                ).format(field=field)
            )
    for field, instead in {**_CLUSTER_FILES, **_USER_FILES}.items():
        if field in cluster or field in user:
            raise KubeconfigWrong(
                N_(
                    "it names a file with `{field}`, which is not here; give its contents in"
                    " `{instead}` (kubectl config view --raw --flatten does that)"
                ).format(field=field, instead=instead)
            )
    for field in _USER_OTHERS:
        if field in user:
            raise KubeconfigWrong(N_("`{field}` is not supported").format(field=field))
    if "proxy-url" in cluster:
        raise KubeconfigWrong(N_("`{field}` is not supported").format(field="proxy-url"))


def _pem(within: dict[str, Any], field: str) -> str | None:
    given = within.get(field)
    if not given:
        return None
    try:
        text = base64.b64decode(str(given), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise KubeconfigWrong(N_("`{field}` is no Base64").format(field=field)) from None
    if "-----BEGIN " not in text:
        raise KubeconfigWrong(N_("`{field}` holds no PEM").format(field=field))
    return text
