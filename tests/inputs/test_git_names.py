"""URLs and branch names, before Git sees them."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windlass.adapters.git_errors import explain
from windlass.adapters.git_names import (
    BranchNameRefused,
    GitAddressRefused,
    GitCredentialsInUrl,
    GitUrlRefused,
    Remote,
    check_branch,
    check_url,
    parse_url,
)
from windlass.core.addresses import AddressPolicy
from windlass.core.launch import Exit


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://github.com/owner/name", "github.com:443"),
        (" https://github.com/owner/name.git ", "github.com:443"),
        ("http://git.example.com:3000/x", "git.example.com:3000"),
        ("HTTPS://Git.Example.com./x", "git.example.com:443"),
        ("ssh://git@git.example.com:2222/x", "git.example.com:2222"),
        ("git@github.com:owner/name.git", "github.com:22"),
        ("deploy-bot@host:/srv/x.git", "host:22"),
        ("https://8.8.8.8/x", "8.8.8.8:443"),
        ("https://host/a%20b", "host:443"),
    ],
)
def test_what_names_a_repository_is_accepted(url: str, target: str) -> None:
    assert check_url(url) == url.strip()
    assert parse_url(url).target == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hello",
        "github.com/owner/name",
        "/srv/repo",
        "../repo",
        "file:///srv/repo",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "fd::17",
        "git://host/x",
        "ftp://host/x",
        "javascript://host/x",
        "--upload-pack=touch",
        "-x",
        "-oProxyCommand=x@host:y",
        "ssh://-oProxyCommand=x/y",
        "ssh://-x@host/y",
        "-x@host:y",
        "git@-oProxyCommand=x:y",
        "git@host:-x",
        "git@host:",
        "https://",
        "https:///x",
        "https://host",
        "https://host/",
        "ssh://host/-x",
        "https://host:port/x",
        "https://host:99999/x",
        "https://host/x\n",
        "https://host/x y",
        "https://host/\0",
        "https://host\\@evil/x",
        "https://ho_st/x",
        "https://hóst/x",
        "https://127.1/x",
        "https://0x7f000001/x",
        "https://2130706433/x",
        "https://[::1/x",
        "https://host/x?a=b",
        "https://host/x#main",
        "https://host/" + "x" * 3000,
    ],
)
def test_what_names_none_is_refused(url: str) -> None:
    with pytest.raises(GitUrlRefused) as caught:
        check_url(url)

    assert caught.value.reason == "GIT_URL_REFUSED"
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@host/x",
        "https://secret@host/x",
        "ssh://git:secret@host/x",
        "http://@h/x",
    ],
)
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(GitCredentialsInUrl) as caught:
        check_url(url)

    assert "secret" not in caught.value.message


def test_a_password_in_a_malformed_url_is_not_repeated() -> None:
    with pytest.raises(GitUrlRefused) as caught:
        check_url("ftp://user:secret@host/x")

    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "[::1]", "[fe80::1]",
     "[::ffff:10.0.0.1]", "100.64.0.1", "224.0.0.1", "[fd00::1]"],
)  # fmt: skip
def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    with pytest.raises(GitAddressRefused):
        check_url(f"https://{host}/x")
    allowed = AddressPolicy(networks=("0.0.0.0/0", "::/0"))
    assert check_url(f"https://{host}/x", allow=allowed)


@pytest.mark.parametrize("name", ["main", "feature/x", "v1.2", "ä", "a@b", "x{y}", "@a", "HEAD2"])
def test_branch_names_are_accepted(name: str) -> None:
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-x", "--upload-pack=x", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a b", "a~1", "a^",
     "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", "a.", "a@{1}", "@", "HEAD", "a\nb",
     "a\x7f", "a\0", "x" * 300],
)  # fmt: skip
def test_what_is_no_branch_name_is_refused(name: str) -> None:
    with pytest.raises(BranchNameRefused):
        check_branch(name)


@settings(max_examples=150, deadline=None)
@example("a.lock/b")
@example("@")
@given(st.text("ab-./@{}~^:?*[\\ lockHEAD\t\x7f", min_size=1, max_size=7))
def test_every_branch_name_we_accept_git_accepts_too_and_the_other_way_round(name: str) -> None:
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
    git_accepts = done.returncode == 0 and not name.startswith("-") and name != "HEAD"
    try:
        check_branch(name)
        we_accept = True
    except BranchNameRefused:
        we_accept = False

    assert we_accept == git_accepts or name == "@"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("fatal: unable to write file: No space left on device\n", "DISK_FULL"),
        ("git@github.com: Permission denied (publickey).\nfatal: x", "REPOSITORY_LOCKED"),
        ("ERROR: Repository not found.\nfatal: correct access rights", "REPOSITORY_LOCKED"),
        ("Host key verification failed.\nfatal: correct access rights", "GIT_HOST_KEY_CHANGED"),
        ("kex_exchange_identification: read: Connection reset", "GIT_CONNECTION_FAILED"),
        ("windlass: 502 h port 22 cannot be reached: x", "GIT_CONNECTION_FAILED"),
        ("windlass: 502 h has no address: x", "GIT_HOST_NOT_FOUND"),
        ("fatal: '/x' does not appear to be a git repository", "REPOSITORY_NOT_FOUND"),
        ("fatal: unable to access: SSL certificate problem: expired", "GIT_TLS_FAILED"),
        ("fatal: early EOF\nfatal: index-pack failed", "GIT_FAILED"),
        ("", "GIT_FAILED"),
    ],
)
def test_each_cause_has_its_own_reason(said: str, code: str) -> None:
    error = explain(Remote("ssh://h/x", "ssh", "h", 22), said, (), Exit(128, None))

    assert error.reason == code
