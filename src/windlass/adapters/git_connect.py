"""Runs inside the sandbox as ssh's ProxyCommand: one connection through the guarded proxy.

Standard library only, it is bound in as a single file. Its one line on failure is what the proxy
said, for git_errors to read.
"""

import os
import socket
import sys
import threading


def main(host: str, port: str) -> int:
    """Copy between the proxy and our own input and output until the other side is done."""
    proxy_host, _, proxy_port = os.environ["https_proxy"].rpartition("//")[2].rpartition(":")
    with socket.create_connection((proxy_host, int(proxy_port.rstrip("/")))) as proxy:
        proxy.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = proxy.recv(1)
            if not byte:
                break
            head += byte
        status = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
        if status[1:2] != ["200"]:
            sys.stderr.write(f"windlass: {' '.join(status[1:])}\n")
            return 1
        threading.Thread(target=_send, args=(proxy,), daemon=True).start()
        while chunk := proxy.recv(1 << 16):
            _write(1, chunk)
    return 0


def _send(proxy: socket.socket) -> None:
    while chunk := os.read(0, 1 << 16):
        proxy.sendall(chunk)
    proxy.shutdown(socket.SHUT_WR)


def _write(fd: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(fd, chunk) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
