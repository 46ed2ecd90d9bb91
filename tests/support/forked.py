"""Forks off commands from a process that has imported all of `orchestrate`: importing is most of what a command costs.

Started with one end of a socket as its standard input. Each message on it brings another socket, standard output and
standard error; on that socket come arguments, folder and environment, and it answers with the process id, and with the
exit status in the end. Ends with its standard input, and what it has forked goes on.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

_NOT_OF_COMMANDS = ("orchestrator.pins", "orchestrator.bundled", "orchestrator.__main__")
_LIBRARIES = (
    "boto3",
    "botocore.session",
    "git",
    "hcl2",
    "jsonschema",
    "python_terraform",
    "rich.console",
    "rich.table",
)
LENGTH = 8


def main() -> None:
    _import_all()
    asked = socket.socket(fileno=0)
    while descriptors := socket.recv_fds(asked, 1, 3)[1]:
        _reap()
        if os.fork() == 0:
            asked.detach()
            _wait_for_one(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap() -> None:
    """Those who have waited for a command and told its end."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _import_all() -> None:
    import orchestrator

    for name in _LIBRARIES:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not module.name.startswith(_NOT_OF_COMMANDS):
            importlib.import_module(module.name)
    _read_what_aws_is()
    gc.collect()
    gc.freeze()


def _read_what_aws_is() -> None:
    """By making clients; none of them asks anything."""
    from orchestrator.effects.aws.session import Session

    os.environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none")
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    session = Session("us-east-1")
    session.client("dynamodb"), session.client("kms"), session.client("s3"), session.client("sts")


def _wait_for_one(connection: int, out: int, err: int) -> None:
    """Forks the command and tells of it; in the command itself returns, by way of `orchestrate`'s own end."""
    told = socket.socket(fileno=connection)
    length = int.from_bytes(told.recv(LENGTH, socket.MSG_WAITALL), "big")
    asked = json.loads(told.recv(length, socket.MSG_WAITALL))
    command = os.fork()
    if command == 0:
        told.close()
        _become(asked, out, err)
    told.sendall(command.to_bytes(LENGTH, "big"))
    _, status = os.waitpid(command, 0)
    told.sendall(os.waitstatus_to_exitcode(status).to_bytes(LENGTH, "big", signed=True))
    os._exit(0)


def _become(asked: Mapping[str, Any], out: int, err: int) -> NoReturn:
    """The command, as if it had been started: with its own arguments, folder, environment and streams."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["cwd"])
    sys.argv = asked["argv"]
    sys.path[0] = os.path.dirname(sys.argv[0])

    from orchestrator.cli.main import run

    code = 1
    try:
        run()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        # As Python ends, but that it does not take down what was imported.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
