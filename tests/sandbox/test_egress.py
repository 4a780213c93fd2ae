"""The guarded way out: what passes, what is refused, and that it says why (C-127)."""

import asyncio
import socket

import pytest

from windlass.core.addresses import AddressPolicy, own_addresses
from windlass.core.egress import Egress, EgressPolicy

pytestmark = pytest.mark.anyio


async def echo(reader, writer):
    """A small web server: answers with what it was asked, and closes."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + head)
    await writer.drain()
    writer.close()


@pytest.fixture
async def upstream():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


class Proxy:
    """A proxy on a listener of the host, so that every answer can be looked at."""

    def __init__(self, policy: EgressPolicy, extra: tuple[str, ...] = ()) -> None:
        self.egress = Egress(policy)
        self.extra = extra
        self.refused: list[str] = []

    async def __aenter__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.attached = await self.egress.attach(
            listener, extra=self.extra, on_refusal=self.refused.append
        )
        return self

    async def __aexit__(self, *_):
        await self.attached.close()

    async def ask(self, head: str, then: bytes = b"") -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.encode() + b"\r\n\r\n")
        if then:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(then)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        return answer.decode()


def always(port: int, **changes) -> EgressPolicy:
    return EgressPolicy(always=frozenset({f"127.0.0.1:{port}"}), **changes)


async def test_plain_http_is_forwarded_without_what_is_the_proxys_own(upstream):
    async with Proxy(always(upstream)) as proxy:
        answer = await proxy.ask(
            f"GET http://user:pw@127.0.0.1:{upstream}/a/b?c=d HTTP/1.1\r\nHost: evil\r\nX-Own: 1"
            "\r\nProxy-Authorization: secret\r\nProxy-Connection: keep-alive"
            "\r\nConnection: keep-alive"
        )

    assert answer.startswith("HTTP/1.1 200")
    assert "GET /a/b?c=d HTTP/1.1\r\n" in answer
    assert f"Host: 127.0.0.1:{upstream}\r\nConnection: close\r\nX-Own: 1" in answer
    assert "secret" not in answer
    assert "evil" not in answer
    assert "pw" not in answer


async def test_a_tunnel_carries_anything(upstream):
    async with Proxy(always(upstream)) as proxy:
        answer = await proxy.ask(
            f"CONNECT 127.0.0.1:{upstream} HTTP/1.1", b"GET /x HTTP/1.0\r\n\r\n"
        )

    assert "GET /x" in answer


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "[::1]", "0.0.0.0"),
        *("[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "[64:ff9b::7f00:1]", "[fe80::1]"),
    ],
)
async def test_addresses_that_are_not_public_are_refused_by_both_methods(host):
    async with Proxy(EgressPolicy()) as proxy:
        tunnel = await proxy.ask(f"CONNECT {host}:443 HTTP/1.1")
        plain = await proxy.ask(f"GET http://{host}/latest/meta-data HTTP/1.1")

    for answer in (tunnel, plain):
        assert answer.startswith("HTTP/1.1 403 ")
        assert "WINDLASS_ALLOW_ADDRESSES" in answer.partition("\r\n\r\n")[2]
    assert len(proxy.refused) == 2


async def test_the_machines_own_addresses_are_refused():
    async with Proxy(EgressPolicy()) as proxy:
        for address in own_addresses():
            written = f"[{address}]" if ":" in address else address
            assert "403" in (await proxy.ask(f"CONNECT {written}:443 HTTP/1.1"))[:12]


async def test_other_ports_are_refused_unless_they_are_named(upstream):
    networks = AddressPolicy(networks=("127.0.0.0/8",))
    async with Proxy(EgressPolicy(addresses=networks)) as proxy:
        refused = await proxy.ask(f"CONNECT 127.0.0.1:{upstream} HTTP/1.1")
    async with Proxy(EgressPolicy(addresses=networks), extra=(f"127.0.0.1:{upstream}",)) as proxy:
        named = await proxy.ask(f"CONNECT 127.0.0.1:{upstream} HTTP/1.1", b"GET / HTTP/1.0\r\n\r\n")

    assert f"port {upstream}" in refused
    assert "windlass.toml" in refused
    assert "200" in named


async def test_a_named_target_is_still_looked_at(upstream):
    async with Proxy(EgressPolicy(), extra=(f"127.0.0.1:{upstream}",)) as proxy:
        answer = await proxy.ask(f"CONNECT 127.0.0.1:{upstream} HTTP/1.1")

    assert answer.startswith("HTTP/1.1 403 ")


async def test_a_list_of_hosts_narrows_what_is_public(upstream):
    policy = EgressPolicy(hosts=("example.org", "*.example.net"))
    async with Proxy(policy) as proxy:
        for host in ("example.com", "badexample.net", "example.org.evil.com", "1.1.1.1"):
            answer = await proxy.ask(f"CONNECT {host}:443 HTTP/1.1")
            assert "not on the list" in answer
            assert "WINDLASS_BUILDS__EGRESS" in answer


async def test_an_allowed_private_mirror_is_reached_on_its_port_only(upstream):
    async with Proxy(always(upstream, hosts=())) as proxy:
        allowed = await proxy.ask(f"GET http://127.0.0.1:{upstream}/ HTTP/1.1")
        other = await proxy.ask("GET http://127.0.0.1:80/ HTTP/1.1")

    assert allowed.startswith("HTTP/1.1 200")
    assert other.startswith("HTTP/1.1 403")


async def test_a_redirect_to_a_private_address_is_refused_when_it_is_followed(upstream):
    async def redirect(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
        )
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Proxy(always(port)) as proxy:
        first = await proxy.ask(f"GET http://127.0.0.1:{port}/ HTTP/1.1")
        second = await proxy.ask("GET http://169.254.169.254/ HTTP/1.1")
    server.close()

    assert "302" in first
    assert "403" in second


async def test_a_name_that_changes_its_answer_gains_nothing(upstream, monkeypatch):
    """DNS rebinding: the second answer would be this machine; only the first may be used."""
    asked: list[str] = []
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def rebinding(host, port, **options):
        if host == "rebind.test":
            asked.append(host)
            ip = "198.51.100.1" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]
        asked.append(host)
        return await real(host, port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    egress = Egress(EgressPolicy(always=frozenset(), ports=frozenset({upstream})))
    connecting = asyncio.create_task(egress._connect("rebind.test", upstream, frozenset()))
    await asyncio.wait({connecting}, timeout=0.3)
    connecting.cancel()

    assert asked.count("rebind.test") == 1
    assert "127.0.0.1" not in asked


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: x", 400),
        ("GET https://example.com/ HTTP/1.1", 400),
        ("GET ftp://example.com/ HTTP/1.1", 400),
        ("CONNECT example.com HTTP/1.1", 400),
        ("CONNECT example.com:99999 HTTP/1.1", 400),
        ("CONNECT exa$mple:443 HTTP/1.1", 400),
        ("hello", 400),
        ("GET http://1.1.1.1/ HTTP/1.1\r\nbad line", 400),
        ("GET http://1.1.1.1/ HTTP/1.1\r\n folded: x", 400),
        ("GET http://1.1.1.1/ HTTP/1.1\r\nX: " + "y" * 70000, 431),
        ("CONNECT no-such-name.invalid:443 HTTP/1.1", 502),
    ],
)
async def test_a_wrong_request_gets_one_clear_line(head, status):
    async with Proxy(EgressPolicy()) as proxy:
        answer = await proxy.ask(head)

    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert body.startswith("windlass: ")
    assert body.count("\n") == 1
    assert proxy.refused == []


async def test_an_idle_connection_is_ended():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Proxy(always(port, idle_seconds=0.2)) as proxy:
        answer = await proxy.ask(f"CONNECT 127.0.0.1:{port} HTTP/1.1")
    server.close()

    assert "200" in answer


async def test_a_connection_beyond_its_size_is_ended():
    async def endless(reader, writer):
        try:
            while True:
                writer.write(bytes(65536))
                await writer.drain()
        except OSError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Proxy(always(port, max_bytes=1 << 20, idle_seconds=0.2)) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        size = 0
        async with asyncio.timeout(60):
            while chunk := await reader.read(65536):
                size += len(chunk)
        writer.close()
    server.close()

    assert size < 8 << 20


async def test_too_many_connections_are_answered_with_503(upstream):
    async with Proxy(always(upstream, max_connections=1)) as proxy:
        _, first = await asyncio.open_connection("127.0.0.1", proxy.port)
        await asyncio.sleep(0)
        answer = await proxy.ask(f"GET http://127.0.0.1:{upstream}/ HTTP/1.1")
        first.close()

    assert answer.startswith("HTTP/1.1 503")


# --- from inside a real sandbox


async def test_a_step_reaches_out_only_through_the_proxy(box, upstream):
    egress = Egress(always(upstream))
    program = f"""
import os, socket, urllib.request
# An explicit proxy, because 127.0.0.1 is exempt from the one in the environment.
proxy = urllib.request.ProxyHandler({{'http': os.environ['HTTP_PROXY']}})
opener = urllib.request.build_opener(proxy)
os.environ.pop('no_proxy'); os.environ.pop('NO_PROXY')
print(opener.open('http://127.0.0.1:{upstream}/hello').read().decode())
print(socket.socket().connect_ex(('127.0.0.1', {upstream})))
for url in ('http://169.254.169.254/', 'http://localhost:22/'):
    try:
        opener.open(url)
    except Exception as error:
        print(error.code, error.read().decode())
"""
    ended = await box.python(program, egress=egress)

    assert "GET /hello" in ended.output
    assert f"\n{socket.errno.ECONNREFUSED}\n" in ended.output
    assert ended.output.count("403 windlass:") == 2
    # The refusals are in the log of the build as well.
    assert (
        "windlass: 169.254.169.254 leads to 169.254.169.254, a link-local address" in ended.output
    )


async def test_a_connect_target_is_reached_by_its_name(box, upstream):
    egress = Egress(
        EgressPolicy(addresses=AddressPolicy(hosts=frozenset({f"localhost:{upstream}"})))
    )
    target = f"localhost:{upstream}"
    program = f"""
import socket
sock = socket.create_connection(('localhost', {upstream}))
sock.sendall(b'GET /raw HTTP/1.0\\r\\n\\r\\n')
print(sock.makefile().read())
"""
    ended = await box.python(program, egress=egress, connect=(target,))

    assert "GET /raw" in ended.output


async def test_a_connect_target_that_is_private_is_refused_in_the_log(box):
    program = """
import socket
print(repr(socket.create_connection(('db.internal', 80)).recv(10)))
"""
    ended = await box.python(
        program, egress=Egress(EgressPolicy()), connect=("db.internal:80", "10.0.0.1:443")
    )

    assert "b''" in ended.output
    assert "windlass: db.internal:80: db.internal has no address" in ended.output
