"""From what somebody gives to what is kept: the server, who proves it, and what proves us."""

import base64
import datetime as dt
import re
from urllib.parse import urlsplit

import msgspec

from windlass.clusters import kubeconfig
from windlass.clusters.kubeconfig import KubeconfigWrong
from windlass.clusters.models import Kind
from windlass.clusters.schemas import CredentialSet
from windlass.core.clusters import Access
from windlass.core.errors import invalid
from windlass.core.languages import N_, gettext

_SHOWN_FROM = 16
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Credential(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed."""

    token: str | None = None
    certificate: str | None = None
    key: str | None = None

    @property
    def kind(self) -> Kind:
        return Kind.token if self.token else Kind.certificate


def of(given: CredentialSet, *, before: Access | None = None) -> Access:
    """The way in that is meant. With `before`, a token alone replaces a token: the rest stays.
    Raises ValidationFailed at the field that is wrong."""
    forms = [given.kubeconfig, given.rancher, given.server]
    if sum(form is not None for form in forms) > 1:
        raise invalid("server", N_("Give a kubeconfig, or Rancher, or a server: one of the three"))
    if given.kubeconfig is not None:
        found = _of_kubeconfig(given)
    elif given.rancher is not None:
        rancher = given.rancher
        server = f"{_server(rancher.url, 'rancher.url')}/k8s/clusters/{rancher.cluster_id}"
        token = _token(rancher.token, "rancher.token")
        found = Access(server, ca=given.ca, token=token, insecure=given.insecure)
    elif given.server is not None:
        server, token = _server(given.server, "server"), _token(given.token, "token")
        found = Access(
            server,
            ca=given.ca,
            token=token,
            insecure=given.insecure,
            tls_name=given.tls_name,
        )
    elif before is not None and given.token is not None:
        found = msgspec.structs.replace(
            before, token=_token(given.token, "token"), certificate=None, key=None
        )
    else:
        raise invalid("server", N_("Give a kubeconfig, or Rancher, or a server with a token"))
    _check(found)
    return found


def _of_kubeconfig(given: CredentialSet) -> Access:
    try:
        found = kubeconfig.reduced(given.kubeconfig or "", given.context)
    except KubeconfigWrong as error:
        message = gettext("This kubeconfig cannot be used: {why}").format(why=gettext(str(error)))
        raise invalid("kubeconfig", message) from None
    if found.insecure and not given.insecure:
        raise invalid(
            "insecure",
            N_(
                "The kubeconfig says insecure-skip-tls-verify: anybody on the way could take the"
                " token. Give the certificate of the cluster's authority, or say here that you"
                " accept that"
            ),
        )
    return Access(
        _server(found.server, "kubeconfig"),
        ca=found.ca,
        token=_token(found.token, "kubeconfig") if found.token else None,
        certificate=found.certificate,
        key=found.key,
        insecure=given.insecure and found.ca is None,
        tls_name=found.tls_name,
    )


def _server(text: str, field: str) -> str:
    """An address without anything that does not belong in one."""
    try:
        url = urlsplit(text.strip())
        is_good = url.scheme == "https" and bool(url.hostname) and url.port != 0
    except ValueError:
        is_good, url = False, urlsplit("")
    if not is_good:
        raise invalid(field, N_("Use an address that begins with https://"))
    if url.username or url.password or url.query or url.fragment:
        raise invalid(field, N_("Use an address without a name, a password or a question mark"))
    return f"https://{url.netloc}{url.path}".rstrip("/")


def _token(text: str | None, field: str) -> str:
    found = (text or "").strip()
    if not found:
        raise invalid(field, N_("Give a token"))
    if not _TOKEN.fullmatch(found):
        raise invalid(field, N_("This is not a token: it has spaces or signs that none has"))
    return found


def _check(access: Access) -> None:
    """Certificates can be read. That they are trusted is seen when the cluster is tried."""
    from cryptography import x509

    for field, text in (("ca", access.ca), ("kubeconfig", access.certificate)):
        if text is None:
            continue
        try:
            x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            raise invalid(field, N_("This is not a certificate in PEM")) from None


def hint(access: Access) -> str | None:
    """What may be shown of it: the last four letters, or whose certificate it is (K-008)."""
    if access.token:
        return access.token[-4:] if len(access.token) >= _SHOWN_FROM else None
    from cryptography import x509

    found = x509.load_pem_x509_certificate((access.certificate or "").encode())
    names = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value)[:100] if names else None


def expires_at(access: Access) -> dt.datetime | None:
    """When it ends by itself, where it says so: in a certificate, or in a token that is a JWT."""
    if access.token:
        return _end_of_token(access.token)
    from cryptography import x509

    return x509.load_pem_x509_certificate((access.certificate or "").encode()).not_valid_after_utc


class _Claims(msgspec.Struct):
    exp: float | None = None


def _end_of_token(token: str) -> dt.datetime | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        end = msgspec.json.decode(body, type=_Claims).exp
        return dt.datetime.fromtimestamp(end, dt.UTC) if end is not None else None
    except (ValueError, msgspec.MsgspecError, OverflowError, OSError):
        return None
