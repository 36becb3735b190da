#!/usr/bin/python3
"""Writes the seccomp program systemd would load for a unit, out of the unit file itself: SystemCallFilter= with its groups
as this machine's systemd expands them, MemoryDenyWriteExecute=, RestrictAddressFamilies=, RestrictNamespaces=.

filter.py UNIT OUT      OUT is raw BPF, for bwrap --seccomp
"""
import errno, re, subprocess, sys

import seccomp

unit, out = sys.argv[1:]
text = open(unit).read()


def members(group):
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True).stdout
    names = set()
    for line in told.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            names |= members(word)
        elif word and not word.startswith("#"):
            names.add(word)
    return names


allowed = set()
for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
    words = line.lstrip("~").split()
    for word in words:
        names = members(word) if word.startswith("@") else {word}
        allowed = allowed - names if line.startswith("~") else allowed | names
refused = seccomp.ERRNO(errno.EPERM)
program = seccomp.SyscallFilter(defaction=refused)
conditional = {"mmap", "mprotect", "socket", "clone", "unshare", "setns", "shmat", "clone3"}
for name in sorted(allowed - conditional):
    try:
        program.add_rule(seccomp.ALLOW, name)
    except (ValueError, RuntimeError):
        pass  # A call this kernel or library has no number for.
masked = seccomp.MASKED_EQ
# Never writable and executable at once, never made executable later.
program.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, masked, 6, 0))
program.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, masked, 6, 2))
program.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, masked, 6, 4))
program.add_rule(seccomp.ALLOW, "mprotect", seccomp.Arg(2, masked, 4, 0))
families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
for name in re.search(r"^RestrictAddressFamilies=(.*)$", text, re.M).group(1).split():
    program.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, families[name]))
# No new namespace of any kind: CLONE_NEW* bits of clone(2). clone3 hides its flags in memory, so libc is told it is not
# there and uses clone.
program.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, masked, 0x7E020080, 0))
program.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
with open(out, "wb") as file:
    program.export_bpf(file)
