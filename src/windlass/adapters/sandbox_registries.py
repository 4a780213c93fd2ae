"""Where this machine gets Python and Node packages from, read from pip's and npm's own settings.

Only steps with network learn of it. Tokens of npm are never passed on: a project that needs one
brings its own `.npmrc` and a secret variable.
"""

import configparser
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from windlass.core.launch import Bind

_SYSTEM_CERTIFICATES = "/etc/ssl/certs/"
_INSIDE_CERTIFICATES = "/windlass/certificates.pem"
_PORTS = {"http": 80, "https": 443}


class Registries(msgspec.Struct, frozen=True):
    """What a networked step is told, and which hosts are therefore always allowed."""

    env: dict[str, str]
    binds: tuple[Bind, ...]
    hosts: frozenset[str]
    """`name:port`"""


class Certificates(msgspec.Struct, frozen=True):
    """The machine's own certificate authorities, which are no secret."""

    env: dict[str, str] = {}
    binds: tuple[Bind, ...] = ()


@cache
def registries() -> Registries:
    """Read once per process."""
    return read(dict(os.environ))


@cache
def certificates() -> Certificates:
    """Read once per process."""
    return read_certificates(dict(os.environ))


def read(environ: dict[str, str]) -> Registries:
    """Everything pip, uv and npm would use for a caller with this environment."""
    pip, npm = _pip(environ), _npm(environ)
    folders, urls = _split(pip.get("find-links", ""))
    extra_folders, extra_urls = _split(pip.get("extra-index-url", ""))
    index_folders, index_urls = _split(pip.get("index-url", ""))
    env = _python_env(pip, environ) | _node_env(npm)
    indexes = [*extra_folders, *index_folders]
    local = dict.fromkeys([*folders, *indexes, *filter(None, map(_beside, indexes))])
    binds = tuple(Bind(folder, folder) for folder in local if os.path.isdir(folder))
    registry_urls = [value for key, value in npm.items() if key.endswith("registry")]
    uv_urls = [environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL")]
    every = [*urls, *extra_urls, *index_urls, *registry_urls, *" ".join(uv_urls).split()]
    return Registries(env, binds, frozenset(_hosts(every)))


def read_certificates(environ: dict[str, str]) -> Certificates:
    """The file of certificates that this machine's tools are told to trust, made visible inside."""
    named = (
        *(environ.get(name, "") for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")),
        _pip(environ).get("cert", ""),
        _npm(environ).get("cafile", ""),
    )
    path = next((path for path in named if path and os.path.isfile(path)), "")
    if not path:
        return Certificates()
    binds: tuple[Bind, ...] = ()
    inside = path
    if not path.startswith(_SYSTEM_CERTIFICATES):
        inside = _INSIDE_CERTIFICATES
        binds = (Bind(os.path.realpath(path), inside),)
    names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE")
    names += ("REQUESTS_CA_BUNDLE", "PIP_CERT", "npm_config_cafile")
    return Certificates(dict.fromkeys(names, inside), binds)


def _python_env(pip: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for key in ("index-url", "extra-index-url", "find-links", "trusted-host", "no-index"):
        if key in pip:
            env["PIP_" + key.upper().replace("-", "_")] = pip[key]
    for name, key, separator in (
        ("UV_DEFAULT_INDEX", "index-url", " "),
        ("UV_INDEX", "extra-index-url", " "),
        ("UV_FIND_LINKS", "find-links", ","),
        ("UV_INSECURE_HOST", "trusted-host", " "),
    ):
        if pip.get(key):
            env[name] = separator.join(pip[key].split())
    if "UV_INDEX" in env:
        # pip takes the best version of all indexes; uv would stop at the first that has any.
        env["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    names = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
    return env | {name: environ[name] for name in names if environ.get(name)}


def _node_env(npm: dict[str, str]) -> dict[str, str]:
    env = {f"npm_config_{key}": value for key, value in npm.items() if key.endswith("registry")}
    if registry := npm.get("registry"):
        plain = registry.rstrip("/")
        env |= dict.fromkeys(("COREPACK_NPM_REGISTRY", "YARN_NPM_REGISTRY_SERVER"), plain)
        env["YARN_REGISTRY"] = env["BUN_CONFIG_REGISTRY"] = plain
    return env


def _pip(environ: dict[str, str]) -> dict[str, str]:
    """pip's settings: its files in its order, then its variables."""
    home = environ.get("HOME", "/nonexistent")
    config_home = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    paths = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", f"{home}/.pip/pip.conf"]
    paths += [f"{config_home}/pip/pip.conf", f"{sys.prefix}/pip.conf"]
    paths += [environ.get("PIP_CONFIG_FILE", "")]
    settings: dict[str, str] = {}
    for path in filter(None, paths):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            settings[name[4:].lower().replace("_", "-")] = value
    return settings


def _npm(environ: dict[str, str]) -> dict[str, str]:
    """npm's registries and certificate file; nothing else of its settings is of use inside."""
    home = environ.get("HOME", "/nonexistent")
    paths = ["/usr/etc/npmrc", "/usr/local/etc/npmrc", "/etc/npmrc"]
    paths += [environ.get("NPM_CONFIG_USERCONFIG") or f"{home}/.npmrc"]
    lines: list[str] = []
    for path in paths:
        try:
            lines += Path(path).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
    pairs = [line.partition("=")[::2] for line in lines if not line.lstrip().startswith(("#", ";"))]
    for name, value in environ.items():
        if name.lower().startswith("npm_config_"):
            pairs.append((name[11:], value))
    settings: dict[str, str] = {}
    for key, value in pairs:
        key, value = key.strip(), value.strip().strip("\"'")
        value = re.sub(r"\$\{(\w+)\}", lambda found: environ.get(found[1], ""), value)
        if value and (key in ("registry", "cafile") or re.fullmatch(r"@[\w.-]+:registry", key)):
            settings[key] = value
    return settings


def _split(value: str) -> tuple[list[str], list[str]]:
    """Folders and addresses among the words of a setting."""
    folders: list[str] = []
    urls: list[str] = []
    for word in value.split():
        if word.startswith("/"):
            folders.append(word)
        elif word.startswith("file:"):
            folders.append(os.path.normpath(urlsplit(word).path))
        else:
            urls.append(word)
    return folders, urls


def _beside(index: str) -> str | None:
    """The folder outside of a local index in which its pages say the files are, if so."""
    pages = Path(index).glob("*/index.html")
    page = next(pages, None)
    link = re.search(r'href="([^"#?]+)', page.read_text(errors="replace")) if page else None
    if page is None or link is None or ":" in link[1]:
        return None
    target = os.path.normpath(page.parent / unquote(link[1]))
    common = os.path.commonpath([index, target])
    if common in (index, "/"):
        return None
    return f"{common}/{os.path.relpath(target, common).split('/')[0]}"


def _hosts(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        # uv allows `name=address`.
        parts = urlsplit(url.partition("=")[2] if re.match(r"[\w-]+=", url) else url)
        if parts.hostname and parts.scheme in _PORTS:
            yield f"{parts.hostname.lower()}:{parts.port or _PORTS[parts.scheme]}"
