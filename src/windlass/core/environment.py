"""Where settings come from: the environment, files it names, and one file; checked together."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast, get_type_hints

import msgspec

from windlass.core import crypto
from windlass.core.settings import Providers, Settings, is_secret, words

PREFIX = "WINDLASS_"
CONFIG = "WINDLASS_CONFIG"
FILE = "windlass.toml"
# Read by the command line, not by the server; and where the file of settings is.
_OTHERS = {"WINDLASS_TOKEN", "WINDLASS_INSECURE", CONFIG}


class InvalidSettings(Exception):
    """One line for each wrong variable, each naming it."""


class Given(NamedTuple):
    """A value, and what it is called in a message: its variable, or its file, line and key."""

    value: object
    called: str


def load(environ: Mapping[str, str] = os.environ, *, needs_secrets: bool = True) -> Settings:
    """Read and check all settings: WINDLASS_BUILDS__TIMEOUT_SECONDS=60 and so on (C-290). The same
    names may stand in one TOML file; the environment wins.

    Raises InvalidSettings with every wrong one at once. Unknown names are errors too: a mistyped
    one must not silently mean the default (C-291). Production makes no key by itself (C-292).
    """
    errors: list[str] = []
    values = _in_file(environ, errors) | _in_environment(environ, errors)
    settings = _fill(Settings, PREFIX, values, errors)
    errors += _wrong_networks("EDGE__TRUSTED_PROXIES", settings.edge.trusted_proxies)
    errors += _half_providers(settings.providers)
    errors += [f"{given.called}: there is no such setting" for given in values.values()]
    if settings.environment == "production" and settings.builds.unsafe:
        errors.append(f"{PREFIX}BUILDS__UNSAFE: not allowed in production")
    errors += _wrong_keys(settings, needs_secrets=needs_secrets)
    if errors:
        raise InvalidSettings("\n".join(sorted(errors)))
    return settings


def _in_environment(environ: Mapping[str, str], errors: list[str]) -> dict[str, Given]:
    values = {
        name: Given(text, name)
        for name, text in environ.items()
        if name.startswith(PREFIX) and name not in _OTHERS
    }
    for name in _secret_names(Settings, PREFIX):
        place = values.pop(f"{name}_FILE", None)
        if place is None:
            continue
        if name in values:
            errors.append(f"{place.called}: {name} is given too; one of them is enough")
        try:
            text = Path(str(place.value)).read_text().rstrip("\r\n")
        except (OSError, ValueError) as error:
            errors.append(f"{place.called}: {getattr(error, 'strerror', '') or 'not a text'}")
        else:
            values[name] = Given(text, place.called)
    return values


def _in_file(environ: Mapping[str, str], errors: list[str]) -> dict[str, Given]:
    """What `<home>/windlass.toml`, or the file that WINDLASS_CONFIG names, says."""
    home = Path(environ.get(f"{PREFIX}HOME") or Settings().home).expanduser()
    path = Path(environ.get(CONFIG) or home / FILE).expanduser()
    if CONFIG not in environ and not path.exists():
        return {}
    # Imported late: most instances have no such file.
    from windlass.core import settings_file

    values = settings_file.read(path, PREFIX, errors)
    if CONFIG not in environ and (found := values.pop(f"{PREFIX}HOME", None)):
        errors.append(f"{found.called}: the home is where this file lies; set {PREFIX}HOME")
    secret = values.keys() & set(_secret_names(Settings, PREFIX))
    if secret and path.stat().st_mode & 0o077:
        errors.append(f"{path}: holds secrets and others may read it; run: chmod 600 {path}")
    return values


def _secret_names(struct: type[Any], prefix: str) -> list[str]:
    names: list[str] = []
    for name, kind in get_type_hints(struct, include_extras=True).items():
        if isinstance(kind, type) and issubclass(cast(type[object], kind), msgspec.Struct):
            names += _secret_names(kind, f"{prefix}{name.upper()}__")
        elif is_secret(kind):
            names.append(prefix + name.upper())
    return names


def _wrong_keys(settings: Settings, *, needs_secrets: bool) -> list[str]:
    errors: list[str] = []
    secrets, folder = settings.secrets, settings.folder / "keys"
    for name, text, file in (
        ("DATA_KEY", secrets.data_key, "data.json"),
        ("SESSION_KEY", secrets.session_key, "sessions.json"),
    ):
        try:
            found = crypto.given_keys(text)
        except crypto.WeakKey as error:
            errors.append(f"{PREFIX}SECRETS__{name}: {error}")
            continue
        is_missing = not found and not (folder / file).exists()
        if is_missing and needs_secrets and settings.environment == "production":
            text = "not given, and in production none is made by itself."
            text += " Give one, or run once: windlass keys init"
            errors.append(f"{PREFIX}SECRETS__{name}: {text}")
    return errors


def _fill(struct: type[Any], prefix: str, values: dict[str, Given], errors: list[str]) -> Any:
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(struct, include_extras=True).items():
        variable = prefix + name.upper()
        if isinstance(kind, type) and issubclass(cast(type[object], kind), msgspec.Struct):
            found[name] = _fill(kind, variable + "__", values, errors)
        elif (given := values.pop(variable, None)) is not None:
            try:
                found[name] = msgspec.convert(given.value, kind, strict=False)
            except msgspec.ValidationError as error:
                errors.append(f"{given.called}: {_described(kind) or error}")
    return struct(**found)


def _described(kind: Any) -> str:
    metas: tuple[msgspec.Meta, ...] = getattr(kind, "__metadata__", ())
    return "".join(f"expected {meta.description}" for meta in metas if meta.description)


def _half_providers(providers: Providers) -> list[str]:
    """A provider with only a part of what it needs would fail when somebody signs in."""
    errors: list[str] = []
    for name, needed in (
        ("github", ("client_id", "client_secret")),
        ("google", ("client_id", "client_secret")),
        ("oidc", ("issuer", "client_id", "client_secret")),
    ):
        missing = [part for part in needed if not getattr(getattr(providers, name), part)]
        if len(missing) < len(needed):
            variables = [f"{PREFIX}PROVIDERS__{name}__{part}".upper() for part in missing]
            errors += [f"{variable}: needed for signing in with it" for variable in variables]
    return errors


def _wrong_networks(name: str, text: str) -> list[str]:
    errors: list[str] = []
    for word in words(text):
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            errors.append(f"{PREFIX}{name}: {error}")
    return errors
