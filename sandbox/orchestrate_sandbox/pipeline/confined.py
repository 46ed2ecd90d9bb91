"""Runs a command with less than its user's rights: most of the file system read-only or hidden, no way to more rights.

A program of its own, with nothing but the standard library: `python -I -S confined.py SPEC COMMAND...`. SPEC is JSON:
`hidden` folders are empty for the command, `readable` and `writable` paths are there all the same, and everything else
is read-only. Uses user and mount namespaces of Linux (namespaces(7), mount_setattr(2)), so it needs no privilege and no
other program. Fails closed: where a step fails, the command is not run.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

_NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x08000000  # user, mount, System V IPC
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV = 0x1000, 0x4000, 0x40000, 0x2, 0x4
_MOUNT_SETATTR, _HERE, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 0x1
_NO_NEW_PRIVILEGES, _DROP_CAPABILITY, _CAPABILITIES = 38, 24, 64
_KEEP_AS_THEY_ARE = ("/proc", "/dev")

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """struct mount_attr."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def main() -> None:
    spec = json.loads(sys.argv[1])
    folder = os.getcwd()
    try:
        _enter_namespaces()
        _arrange(spec["hidden"], spec["readable"], spec["writable"])
        _give_up_rights()
        os.chdir(folder)
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  (no shell is meant)
    except OSError as error:
        sys.exit(f"cannot be confined: {error}")


def _enter_namespaces() -> None:
    """As the same user and group; the mapping of others is not ours to make."""
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(_NEW_NAMESPACES), "namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)


def _arrange(hidden: list[str], readable: list[str], writable: list[str]) -> None:
    """From the outermost path inwards; what is to be seen again is opened before anything is hidden."""
    kept = [path for path in (*readable, *writable) if os.path.exists(path)]
    opened = {path: os.open(path, os.O_PATH) for path in kept}
    changeable = [path for path in writable if path in opened]
    for path in sorted({*hidden, *kept}, key=lambda path: path.count("/")):
        if path in opened:
            _show(opened[path], path)
        elif os.path.isdir(path):
            _mount("none", path, "tmpfs", _NOSUID | _NODEV, b"mode=0700")
            changeable.append(path)
        elif os.path.exists(path):
            _mount("/dev/null", path, None, _BIND)
    _set("/", _Attributes(set=_READ_ONLY), recursive=True)
    for path in changeable:
        _set(path, _Attributes(clear=_READ_ONLY), recursive=False)
    for path in _KEEP_AS_THEY_ARE:
        _set(path, _Attributes(clear=_READ_ONLY), recursive=True)


def _show(descriptor: int, path: str) -> None:
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    _mount(source, path, None, _BIND | _RECURSIVE)


def _give_up_rights() -> None:
    """Neither a program with set-user-ID nor root's number in the namespace brings a capability back."""
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "rights")
    for capability in range(_CAPABILITIES):
        if _libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0) != 0:
            break  # there are no more


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    names = [None if name is None else os.fsencode(name) for name in (source, target, kind)]
    _check(_libc.mount(*names, ctypes.c_ulong(flags), options), target)


def _set(path: str, attributes: _Attributes, *, recursive: bool) -> None:
    flags = ctypes.c_uint(_AT_RECURSIVE if recursive else 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    call = (ctypes.c_long(_MOUNT_SETATTR), ctypes.c_int(_HERE), ctypes.c_char_p(os.fsencode(path)))
    _check(_libc.syscall(*call, flags, ctypes.byref(attributes), size), path)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
