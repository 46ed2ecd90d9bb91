"""The background sandbox of a repository: started once, found again, filled anew, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from orchestrate_sandbox import environment, process, state
from orchestrate_sandbox.keys import KEY_ID, for_clients
from orchestrate_sandbox.layout import RESET_PATH, SandboxLayout, encode
from orchestrate_sandbox.private import post
from orchestrate_sandbox.state import ServerState
from orchestrator.errors import DependencyError, Refused


@dataclass(frozen=True)
class Up:
    """`started` is False where it ran already; `as_configured` where it was filled from the same configuration."""

    state: ServerState
    started: bool
    as_configured: bool


def up(folder: Path, layout: SandboxLayout) -> Up:
    with state.one_command_at_a_time(folder):
        found = _running(folder)
        if found is None:
            address = process.start_in_background(layout, folder)
            return Up(ServerState(address, layout), started=True, as_configured=True)
    return Up(found, started=False, as_configured=found.layout == layout)


def down(folder: Path) -> bool:
    """Whether there was one to stop."""
    with state.one_command_at_a_time(folder):
        found = _running(folder)
        if found is None:
            return False
        _stop(folder, found.address.pid)
    return True


def reset(folder: Path, layout: SandboxLayout) -> ServerState:
    """Empties the running sandbox and fills it with the accounts and roles of `layout`.

    Refused where the layout's tooling account or Region is another: programs that have its environment would then
    be in the wrong place.
    """
    with state.one_command_at_a_time(folder):
        found = _needed(folder)
        if (layout.tooling_account, layout.region) != (found.layout.tooling_account, found.layout.region):
            raise Refused(
                "the tooling account or its Region has changed since the sandbox was started",
                hint="Start anew: `orchestrate sandbox down`, then `orchestrate sandbox up`.",
            )
        post(found.address, RESET_PATH, encode(layout))
        filled = ServerState(found.address, layout)
        state.write(folder, filled)
    return filled


def running(folder: Path) -> ServerState:
    """Raises DependencyError where none is running."""
    with state.one_command_at_a_time(folder):
        return _needed(folder)


def for_shell(found: ServerState) -> str:
    """Lines for `eval` that bring a shell with our surroundings into this sandbox."""
    sandbox = _variables(found)
    return "\n".join(environment.shell_lines(sandbox, environment.names_to_unset(os.environ, sandbox)))


def described(found: ServerState) -> dict[str, object]:
    """The same for programs."""
    address = found.address
    return {
        "env": _variables(found),
        "pid": address.pid,
        "endpoint": address.endpoint,
        "proxy": address.proxy,
    }


def _variables(found: ServerState) -> dict[str, str]:
    address = found.address
    keys = for_clients(KEY_ID, address.secret)
    plain = environment.environment(address.endpoint, address.proxy, found.layout.region, keys)
    return environment.beside_proxies(os.environ, plain)


def _running(folder: Path) -> ServerState | None:
    if not state.is_alive(folder):
        return None
    found = state.read(folder)
    if found is None:
        raise DependencyError(
            f"a sandbox runs, but its state in {folder} is gone",
            hint=f"It ends by itself within {state.LOST_SECONDS:g} s; then try again.",
        )
    return found


def _needed(folder: Path) -> ServerState:
    found = _running(folder)
    if found is None:
        raise DependencyError("no sandbox is running for this repository", hint="Start one: `orchestrate sandbox up`.")
    return found


def _stop(folder: Path, pid: int) -> None:
    """The lock told that the server lives, so the process number is its own."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if not state.gone_within(folder, process.STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
            state.gone_within(folder, process.STOP_SECONDS)
