"""Prints the system-call filter of a sandbox as a BPF program.

Run as a script in a process of its own: finding libseccomp takes a tenth of a second and loads
what no long-running process should keep. The result is data that travels inside a `Launch`.
"""

import errno
import sys

import pyseccomp

# Refused because a build or a web application has no business with them and each has been the way
# out of a container before: new namespaces and mounts, other processes, kernel interfaces.
REFUSED = """
unshare setns mount umount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen
fsconfig fsmount fspick mount_setattr name_to_handle_at open_by_handle_at
ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
keyctl add_key request_key fanotify_init lookup_dcookie nfsservctl quotactl quotactl_fd
init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct
syslog vhangup iopl ioperm modify_ldt uselib ustat sysfs _sysctl settimeofday clock_settime
clock_adjtime adjtimex stime sethostname setdomainname memfd_secret lsm_set_self_attr
mbind migrate_pages move_pages set_mempolicy
"""
# Newer than some libseccomp; these have one number on every architecture.
NUMBERS = {
    "quotactl_fd": 443,
    "memfd_secret": 447,
    "lsm_set_self_attr": 460,
    "open_tree_attr": 467,
    "clone3": 435,
    "mount_setattr": 442,
}
# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
NEW_NAMESPACES = (
    0x80,
    0x20000,
    0x2000000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK (lists the own interfaces). AF_VSOCK, for one, would
# reach the machine below a virtual one: network namespaces do not hold it.
FAMILIES = {1, 2, 10, 16}
LAST_FAMILY = 16
LOW_32_BITS = 0xFFFFFFFF


def add(rules: pyseccomp.SyscallFilter, error: int, name: str, *args: pyseccomp.Arg) -> None:
    """Refuse a system call, or do nothing where the architecture never had it."""
    try:
        rules.add_rule(pyseccomp.ERRNO(error), NUMBERS.get(name, name), *args)
    except (OSError, ValueError) as problem:
        if name in NUMBERS or isinstance(problem, ValueError):
            return
        if problem.errno not in (errno.EDOM, errno.EINVAL):
            raise


def build() -> pyseccomp.SyscallFilter:
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED.split():
        add(rules, errno.EPERM, name)
    # Its flags are in memory, where a filter cannot look; libraries then fall back to clone.
    add(rules, errno.ENOSYS, "clone3")
    for flag in NEW_NAMESPACES:
        add(rules, errno.EPERM, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    for request in (TIOCSTI, TIOCLINUX):
        argument = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32_BITS, request)
        add(rules, errno.EPERM, "ioctl", argument)
    for family in set(range(LAST_FAMILY)) - FAMILIES:
        argument = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, LOW_32_BITS, family)
        add(rules, errno.EAFNOSUPPORT, "socket", argument)
    add(rules, errno.EAFNOSUPPORT, "socket", pyseccomp.Arg(0, pyseccomp.GT, LAST_FAMILY))
    return rules


if __name__ == "__main__":
    build().export_bpf(sys.stdout.buffer)
