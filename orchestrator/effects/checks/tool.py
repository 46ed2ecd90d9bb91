"""Runs a checking tool and reads the JSON it prints; whatever is not a complete answer is an error, never a pass."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from orchestrator.effects.system import process
from orchestrator.effects.system.process import TimeLimits
from orchestrator.errors import DependencyError
from orchestrator.model.checks.finding import masked, printable
from orchestrator.model.text import decoding
from orchestrator.model.tools.tool import Tool

_GRACE_SECONDS = 5
_MOST_BYTES = 1 << 29
_TAIL_BYTES = 20_000
_T = TypeVar("_T")
_numbers = itertools.count()


@dataclass(frozen=True)
class ScratchDir:
    """Where tools work: a scratch folder of our own, the surroundings' variables, and how long one run may take.

    `temporary` is for the tools' own files: Terraform and tflint talk to their plugins through sockets in it, and the
    path of a socket has at most 103 bytes (macOS; Linux 107), so it does not lie in the scratch folder.
    """

    scratch: Path
    temporary: Path
    env: Mapping[str, str]
    seconds: float
    cancelled: Callable[[], bool] = lambda: False

    @property
    def tree(self) -> Path:
        """The checked files and nothing else."""
        return self.scratch / "tree"

    @property
    def limits(self) -> TimeLimits:
        return TimeLimits(self.seconds, grace=_GRACE_SECONDS, cancelled=self.cancelled, size=_MOST_BYTES)

    def plain_env(self, **extra: str) -> dict[str, str]:
        """For tools that need neither credentials nor a home: they run other people's code, and read their files."""
        kept = {name: value for name, value in self.env.items() if name in _KEPT}
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        return {**kept, "HOME": str(home), "TMPDIR": str(self.temporary), "NO_COLOR": "1", **extra}

    def terraform_env(self) -> dict[str, str]:
        """For Terraform, which fetches providers and modules."""
        passed = {name: value for name, value in self.env.items() if name.lower() in _PROXIES or name in _TERRAFORMS}
        return self.plain_env(**passed)


_KEPT = frozenset({"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"})
_TERRAFORMS = frozenset({"TF_PLUGIN_CACHE_DIR", "GOGC", "GOMEMLIMIT", "GOMAXPROCS"})
_PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy", "all_proxy"})


@dataclass(frozen=True)
class ToolResult:
    """What a tool left: its exit code, and files with what it printed."""

    tool: Tool
    returncode: int
    stdout: Path
    stderr: Path

    @property
    def said(self) -> str:
        """The end of what it printed on stderr (or else on stdout), masked, for an error message."""
        for path in (self.stderr, self.stdout):
            text = tail(path).strip()
            if text:
                lines = [line.strip() for line in text.splitlines() if line.strip()]
                return printable(masked(" | ".join(lines[-4:])), 600)
        return "it printed nothing"

    def broken(self, what: str) -> DependencyError:
        """The error for a tool that did not do its work."""
        how = f"was killed by signal {-self.returncode}" if self.returncode < 0 else f"exit code {self.returncode}"
        return DependencyError(
            f"{self.tool.name} {self.tool.version} {what} ({how}): {self.said}",
            hint=f"It is {self.tool.path}. `orchestrate tools` shows which tools are found, and where.",
        )

    def decoded(self, kind: type[_T]) -> _T:
        """The JSON it printed; raises DependencyError where it is none of that form."""
        values = self.decoded_list(kind)
        if len(values) > 1:
            raise self.broken("printed a list instead of one value")
        return values[0]

    def decoded_list(self, kind: type[_T]) -> list[_T]:
        """As decoded, where it prints one or a list of them; never empty."""
        try:
            values = decode(self.stdout, kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.broken(f"did not print the JSON that it should: {printable(str(error), 200)}") from None
        if not values:
            raise self.broken("printed an empty list")
        return values


def answer(
    tool: Tool, arguments: Sequence[str | Path], scratch_dir: ScratchDir, cwd: Path, env: Mapping[str, str]
) -> ToolResult:
    """Runs the tool to its end; which exit codes are good is the caller's to judge.

    Raises DependencyError where it cannot be started, hangs or floods, Interrupted where we were stopped.
    """
    name = f"{tool.name}-{next(_numbers)}"
    out, err = scratch_dir.scratch / f"{name}.out", scratch_dir.scratch / f"{name}.err"
    argv = [tool.path, *arguments]
    code = process.collect(argv, cwd=cwd, env=env, stdout=out, stderr=err, limits=scratch_dir.limits)
    return ToolResult(tool, code, out, err)


def decode(path: Path, kind: type[_T]) -> list[_T]:
    """One value or a list of them, through a memory map: a large text is never held whole. Raises DecodeError."""
    if path.stat().st_size == 0:
        raise msgspec.DecodeError("it printed nothing")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        many = content[:64].lstrip()[:1] == b"["
        return decoding.decode(content, list[kind]) if many else [decoding.decode(content, kind)]  # type: ignore[valid-type]


def tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
