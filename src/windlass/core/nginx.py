"""Prints a configuration with which nginx serves the same folders, in front of the edge.

nginx answers what a file's name alone can answer. Redirects, clean addresses, 404 pages, fallbacks,
apps and the panel need the release's table, so they go to the edge.
"""

import os
import pwd
import re
from pathlib import Path

from windlass.core import media

_PLAIN = re.compile(r"/[A-Za-z0-9_./@+-]+")

# The same rule as the edge's (`paths.is_hashed`): hexadecimal, base 32, or mixed like no word is.
_HASHED = (
    r"[^/][._-](?=[A-Za-z0-9]{8,64}(\.[A-Za-z0-9]{1,11}){1,3}$)"
    r"((?=[0-9a-f]+\.)(?=[0-9]*[a-f])(?=[a-f]*[0-9])"
    r"|(?=[A-Z2-7]{8}\.)(?=[A-Z]*[2-7])"
    r"|([a-z]++|[A-Z]++|[0-9]++){5,}\.)"
)

_TEMPLATE = r"""# Printed by `windlass nginx-config`.
#
# nginx follows the same links as the edge, so a switch needs no reload. Set
# WINDLASS_EDGE__TRUSTED_PROXIES=127.0.0.1/32, so that the edge believes the headers below.
{user}worker_processes auto;
worker_rlimit_nofile 65536;
pcre_jit on;
pid {home}/run/nginx.pid;
error_log {home}/logs/nginx.log warn;

events {{
    worker_connections 8192;
}}

http {{
    types {{
{types}
    }}
    default_type application/octet-stream;

    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    client_max_body_size 0;
    gzip_static on;

    # Must stay off: an open file of the old release would be served after a switch.
    open_file_cache off;

    # nginx makes its tags from time and size. Two releases may share both, and then browsers would
    # be told that old content is still right. So there are no tags and dates here: what may change
    # is sent whole, and names that change with their content are kept by browsers for a year.
    etag off;
    if_modified_since off;

    client_body_temp_path {home}/run/nginx-body;
    proxy_temp_path {home}/run/nginx-proxy;
    fastcgi_temp_path {home}/run/nginx-other;
    uwsgi_temp_path {home}/run/nginx-other;
    scgi_temp_path {home}/run/nginx-other;

    upstream windlass_edge {{
        server 127.0.0.1:{upstream_port};
        keepalive 64;
    }}

    map $http_upgrade $windlass_connection {{
        default upgrade;
        ""      "";
    }}

    map $uri $windlass_cache {{
        default "public, max-age=0, must-revalidate";
        "~{hashed}" "public, max-age=31536000, immutable";
    }}

    server {{
        listen {listen};
        listen [::]:{listen};
        root {home}/sites/$host/public;
        log_not_found off;
        absolute_redirect off;

        location = / {{
            error_page 405 = @edge;
            try_files /index.html @edge;
{headers}
        }}

        # Pages and folders: the edge knows which have a shorter address, and tags them.
        location ~ (/[^./]*|\.html)$ {{
            try_files /dev/null @edge;
        }}

        location / {{
            error_page 403 404 405 = @edge;
{headers}
        }}

        location @edge {{
            proxy_pass http://windlass_edge;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $windlass_connection;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
        }}
    }}
}}
"""


# `gzip_vary` would look for a compressed variant even when the visitor takes none.
_HEADERS = """\
            add_header Cache-Control $windlass_cache;
            add_header X-Content-Type-Options nosniff;
            add_header Vary Accept-Encoding;
            add_header Last-Modified "";"""


def config(home: Path, *, listen: int, upstream_port: int) -> str:
    """The text of a whole nginx.conf. Raises ValueError for a home that nginx could misread."""
    if not _PLAIN.fullmatch(str(home)):
        raise ValueError(f"nginx cannot be told about a folder named {str(home)!r}")
    return _TEMPLATE.format(
        home=home,
        listen=listen,
        upstream_port=upstream_port,
        user=_user(home),
        types=_types(),
        hashed=_HASHED,
        headers=_HEADERS,
    )


def _user(home: Path) -> str:
    """The home is its owner's alone, so nginx's workers must be that owner."""
    if os.geteuid() != 0 or not home.exists():
        return ""
    return f"user {pwd.getpwuid(home.stat().st_uid).pw_name};\n"


def _types() -> str:
    by_type: dict[str, list[str]] = {}
    for extension in media.TEXT | media.BINARY:
        by_type.setdefault(media.content_type(f"a.{extension}"), []).append(extension)
    return "\n".join(f'        "{name}" {" ".join(group)};' for name, group in by_type.items())
