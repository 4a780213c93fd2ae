"""Attacks on the sandbox from inside; every one of them must fail (C-120 to C-127)."""

import os
import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.anyio

AS_ROOT = os.geteuid() == 0

# Calls system calls by number, as an attacker would; prints the name of the error.
SYSCALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    print(name, errno.errorcode.get(ctypes.get_errno(), 'ok') if result < 0 else 'DONE')
"""


async def test_a_step_runs_as_an_ordinary_user_of_its_own_namespaces(box):
    ended = await box.run("id -u; id -g; hostname; ls -l /proc/self/ns | sed 's/.*-> //'")

    lines = ended.output.split()
    assert lines[:3] == ["1000", "1000", "windlass"]
    inside = set(lines[3:])
    outside = {os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")}
    shared = {name.partition(":")[0] for name in inside & outside}
    assert shared <= {"time"}
    assert {"user", "pid", "mnt", "ipc", "uts", "cgroup", "net"} <= {
        name.partition(":")[0] for name in inside
    }


async def test_the_host_environment_is_empty_even_for_the_first_process(box, until, monkeypatch):
    monkeypatch.setenv("WINDLASS_SECRET", "hunter2")

    output: list[bytes] = []
    running = await box.start(
        "cat /proc/1/environ || echo closed; env; exec tail -f /dev/null", output
    )
    await until(lambda: b"PWD" in b"".join(output))
    # Only root may still look, from outside.
    first = Path(f"/proc/{running.pid}/environ").read_bytes() if AS_ROOT else b""
    await running.kill()

    # It is closed to the command, and there would be nothing in it.
    assert b"closed" in b"".join(output)
    assert first in (b"", b"PWD=/\0")
    assert b"hunter2" not in b"".join(output)


async def test_the_first_process_cannot_be_written_to(box):
    ended = await box.python("""
import os
for name in ('mem', 'environ', 'maps', 'fd/7', 'root/tmp', 'cwd/x', 'exe'):
    try:
        os.open(f'/proc/1/{name}', os.O_RDWR if name == 'mem' else os.O_RDONLY)
        print('DONE', name)
    except OSError as error:
        print(error.strerror)
""")

    assert set(ended.output.splitlines()) == {"Permission denied"}


async def test_variables_of_a_step_are_not_in_any_command_line(box):
    ended = await box.run("cat /proc/*/cmdline | tr '\\0' ' '", env={"TOKEN": "hunter2"})

    assert "hunter2" not in ended.output


@pytest.mark.skipif(not AS_ROOT, reason="only root can own a file that the project's user may not")
async def test_a_file_of_root_that_is_bound_inside_cannot_be_read(box, home):
    secret = home / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)

    ended = await box.run("cat /app/secret || echo refused", extra=(box.bind(secret, "/s"),))
    bound = await box.run("cat /s || echo refused", extra=(box.bind(secret, "/s"),))

    assert "hunter2" not in ended.output + bound.output
    assert "Permission denied" in bound.output


async def test_nothing_of_the_host_can_be_seen(box, home):
    (home / "other").mkdir()
    (home / "other" / "secret").write_text("hunter2")
    paths = f"/root /home /work /srv /var /opt/pypi /etc/shadow /etc/ssh /run /boot {home}/other"

    ended = await box.run(
        f"ls -d {paths} /proc/1/root/root /usr/etc/npmrc 2>&1 | grep -vE 'No such|denied' || true;"
        "ls /"
    )

    # A toolchain that lies outside /usr (Ruby's gems, rustup) is bound by its own folder.
    bound = [Path(bind.target) for bind in box.launch("true").binds]
    above = {folder for path in bound for folder in path.parents if folder != Path("/")}
    assert set(ended.output.split()) - set(map(str, above)) <= {
        *("app", "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc"),
        *("sbin", "tmp", "usr", "windlass", "root"),
        *(path.parts[1] for path in bound),
    }
    for folder in above & {Path("/root"), Path("/home"), Path("/var")}:
        beside = await box.run(f"ls -A {folder}")
        assert {folder / name for name in beside.output.split()} <= {*above, *bound}
    assert Path("/root") in above or "/root" not in ended.output.split()


async def test_only_processes_of_the_sandbox_can_be_seen(box):
    ended = await box.run("ls /proc | grep -c '^[0-9]'")

    assert int(ended.output) <= 5


@pytest.mark.parametrize("path", ["/usr/x", "/etc/x", "/x", "/dev/x", "/windlass/x", "/proc/sys/x"])
async def test_the_system_is_read_only(box, path):
    ended = await box.run(f"touch {path} || echo refused")

    assert "refused" in ended.output


async def test_system_files_cannot_be_made_writable(box):
    ended = await box.run("echo 1 > /proc/sys/kernel/hostname; chmod 777 /usr/bin; rm /etc/passwd")

    assert ended.exit.code != 0
    assert "ermission" in ended.output or "ead-only" in ended.output


async def test_the_work_folder_and_tmp_are_writable(box):
    ended = await box.run("echo a > /app/a; echo b > /tmp/b; echo c > /dev/shm/c; cat $HOME/../b")

    assert ended.exit.code == 0
    assert (box.work / "a").read_text() == "a\n"
    assert ended.output == "b\n"


async def test_dangerous_system_calls_are_refused(box):
    program = (
        SYSCALLS
        + """
import platform
table = {
  'x86_64': dict(ptrace=101, mount=165, umount2=166, pivot_root=155, unshare=272, setns=308,
    keyctl=250, add_key=248, request_key=249, bpf=321, perf_event_open=298, userfaultfd=323,
    chroot=161, process_vm_readv=310, open_by_handle_at=304, init_module=175, kexec_load=246,
    swapon=167, reboot=169, settimeofday=164),
  'aarch64': dict(ptrace=117, mount=40, umount2=39, pivot_root=41, unshare=97, setns=268,
    keyctl=219, add_key=217, request_key=218, bpf=280, perf_event_open=241, userfaultfd=282,
    chroot=51, process_vm_readv=270, open_by_handle_at=265, init_module=105, kexec_load=104,
    swapon=224, reboot=142, settimeofday=170),
}[platform.machine()]
table.update(io_uring_setup=425, io_uring_enter=426, io_uring_register=427, fsopen=430,
    move_mount=429, open_tree=428, pidfd_getfd=438, mount_setattr=442)
for name, number in table.items():
    call(name, number, 0, 0, 0, 0, 0, 0)
"""
    )
    ended = await box.python(program)

    answers = dict(line.split() for line in ended.output.splitlines())
    assert len(answers) == 28
    assert set(answers.values()) == {"EPERM"}


async def test_new_namespaces_are_refused_by_every_way_to_ask(box):
    program = (
        SYSCALLS
        + """
import platform
clone = {'x86_64': 56, 'aarch64': 220}[platform.machine()]
for flag in (0x20000, 0x10000000, 0x40000000, 0x20000000, 0x2000000):
    call(f'clone-{flag:x}', clone, flag | 17, 0, 0, 0, 0)
call('clone3', 435, 0, 0)
"""
    )
    ended = await box.python(program)
    tool = await box.run("unshare -Ur true || echo refused; cat /proc/sys/user/max_user_namespaces")

    answers = dict(line.split() for line in ended.output.splitlines())
    assert answers.pop("clone3") == "ENOSYS"
    assert set(answers.values()) == {"EPERM"}
    assert "refused" in tool.output


async def test_only_internet_and_local_sockets_can_be_made(box):
    program = """
import socket
for family in range(46):
    try:
        socket.socket(family, socket.SOCK_STREAM if family != 16 else socket.SOCK_RAW).close()
        print(family, end=' ')
    except OSError:
        pass
"""
    ended = await box.python(program)

    assert ended.output.split() == ["1", "2", "10", "16"]


async def test_keys_cannot_be_pushed_into_a_terminal(box):
    program = """
import fcntl, os, pty
master, slave = pty.openpty()
for request in (0x5412, 0x541c, 0x5412 | 1 << 32):
    try:
        fcntl.ioctl(slave, request & 0xffffffff, b'x')
        print('DONE')
    except OSError as error:
        print(error.strerror)
"""
    ended = await box.python(program)

    assert ended.output.splitlines() == ["Operation not permitted"] * 3


async def test_the_controlling_terminal_is_gone(box):
    ended = await box.run("echo x > /dev/tty || echo refused; tty || true")

    assert "refused" in ended.output
    assert "not a tty" in ended.output


async def test_setuid_programs_gain_nothing(box):
    ended = await box.run(
        "grep -E 'NoNewPrivs|CapEff|CapBnd|CapPrm|Seccomp:' /proc/self/status;"
        "for file in su mount passwd sudo; do $file --help >/dev/null 2>&1 || true; done;"
        "cp /bin/sh /app/sh; chmod u+s /app/sh; /app/sh -c 'id -u'; grep ' / ' /proc/self/mountinfo"
    )

    facts = dict(line.split(":\t") for line in ended.output.splitlines()[:5])
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    assert {int(facts[name], 16) for name in ("CapEff", "CapBnd", "CapPrm")} == {0}
    assert "nosuid" in ended.output
    assert "nodev" in ended.output


async def test_device_nodes_cannot_be_made(box):
    ended = await box.run("mknod /app/disk b 254 0 || echo refused; ls /dev")

    assert "refused" in ended.output
    assert not {"mem", "kmem", "sda", "vda", "kvm", "fuse", "loop0"} & set(ended.output.split())


async def test_no_file_descriptor_of_ours_is_left_open_inside(box):
    ended = await box.run("ls -l /proc/self/fd | sed -n 's/.*-> //p'")

    assert [line for line in ended.output.split() if line.startswith("socket")] == []
    kinds = {line.partition(":")[0] for line in ended.output.split()}
    assert kinds <= {"/dev/null", "pipe"} | {k for k in kinds if k.startswith("/proc/")}


async def test_abstract_sockets_of_the_host_cannot_be_reached(box):
    name = f"windlass-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        ended = await box.python(f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect(chr(0) + {name!r})
    print('DONE')
except OSError as error:
    print(error.strerror)
""")

    assert ended.output.strip() == "Connection refused"


async def test_without_network_nothing_answers_not_even_the_host(box):
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        ended = await box.python(f"""
import socket
for host in ('127.0.0.1', '0.0.0.0', '169.254.169.254', '10.0.0.1', '::1', '192.0.2.2'):
    try:
        socket.create_connection((host, {port}), timeout=2).close()
        print('DONE')
    except OSError as error:
        print(host, error.strerror)
try:
    socket.getaddrinfo('example.com', 80)
    print('DONE')
except OSError:
    pass
""")

    assert "DONE" not in ended.output
    assert len(ended.output.splitlines()) == 6


async def test_a_link_out_of_the_work_folder_leads_nowhere(box, home):
    (home / "secret").write_text("hunter2")
    os.symlink(home / "secret", box.work / "link")
    os.symlink("../../../../../etc/shadow", box.work / "up")
    os.symlink("/proc/1/root/etc/shadow", box.work / "proc")

    ended = await box.run("cat link; cat up; cat proc; ls /proc/1/root/")

    assert "hunter2" not in ended.output
    assert "root:" not in ended.output


async def test_a_cache_is_never_mounted_over_a_link_in_the_work_folder(box, home):
    cache = home / "cache"
    cache.mkdir()
    box.own(cache)
    os.symlink("/oldroot/tmp", box.work / "node_modules")
    extra = (box.bind(cache, "/app/node_modules/x", writable=True),)

    with pytest.raises(Exception, match="symbolic link"):
        await box.run("true", extra=extra)


async def test_a_source_that_is_a_link_or_a_device_is_refused(box, home):
    os.symlink("/etc", home / "link")
    if not AS_ROOT:
        pytest.skip("an ordinary user can bind only what it may read anyway")

    with pytest.raises(Exception, match="neither a folder nor a file"):
        await box.run("true", extra=(box.bind(home / "link", "/x"),))
    with pytest.raises(Exception, match="neither a folder nor a file"):
        await box.run("true", extra=(box.bind(Path("/dev/zero"), "/x"),))


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user has one user id for all projects")
async def test_projects_have_different_users_on_the_host(box, until):
    from windlass.builds import uids
    from windlass.core.settings import Settings

    output: list[bytes] = []
    running = await box.start("echo up; exec tail -f /dev/null", output)
    await until(lambda: output)
    status = Path(f"/proc/{running.pid}/status").read_text()
    owner = int(status.partition("Uid:")[2].split()[0])
    await running.kill()

    assert owner == box.uid != 0
    assert uids.of_project(Settings(), 1) != uids.of_project(Settings(), 2)
