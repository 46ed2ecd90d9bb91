"""Which files of a repository a check of one root configuration covers.

The root's folder and the local modules it calls, directly or through others, with what lies below them; files and
folders that their code names by a relative path; the target's variable files. A folder with configuration files that
nobody calls is another root's business: neither it nor anything below it is covered, so editing one team's root does
not touch the check of another's.

Paths are relative to the top of the repository, with `/`; the top itself is the empty path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from orchestrator.errors import InvalidInput
from orchestrator.model.text.quoting import quoted
from orchestrator.model.tools.dialect import ALL_CONFIGURATION, ALL_TESTS, Dialect

Kind: TypeAlias = Literal["file", "executable", "link"]
Kinds: TypeAlias = Mapping[str, Kind]
Read: TypeAlias = Callable[[str], bytes]

LOCK_FILE = ".terraform.lock.hcl"
CONFIGURATION = ALL_CONFIGURATION
_TESTS = ALL_TESTS

# A relative path in code, up to where it is no longer literal. `path.root` and `path.cwd` are the root's folder.
_MODULE = re.compile(r'\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"$]*)?)"')
_PATH = re.compile(
    r"""\$\{path\.module\}/(?P<module>[^"$%*?\n]*)
      | \$\{path\.(?:root|cwd)\}/(?P<root>[^"$%*?\n]*)
      | (?<![\w./])(?P<either>\.{1,2}/[^"'`$%*?\s\n]*)
      | (?<=")(?P<parent>\.\.)(?=")""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Coverage:
    """What is covered.

    `files` maps a path to the one that its content is read from: a link to a file is covered as that file. `links`
    maps links to folders to their targets. `modules` are the folders of configuration, the root's first.
    """

    files: Mapping[str, str]
    links: Mapping[str, str]
    modules: tuple[str, ...]


def cover(kinds: Kinds, read: Read, root: str, extra: Iterable[str], *, leave_out: Iterable[str] = ()) -> Coverage:
    """Coverage of the root in folder `root`, with the files `extra`; nothing below `leave_out` is taken unnamed.

    Raises InvalidInput where the root holds no configuration, or a covered link leads out of the repository.
    """
    walk = _Walk(kinds, read, root, frozenset(leave_out))
    if root not in walk.configured:
        raise InvalidInput(
            f"there is no Terraform configuration in {quoted(root or '.')}",
            hint="Name the folder of a root configuration: one that holds *.tf files.",
        )
    walk.reach(root)
    for path in extra:
        walk.take(path)
    return Coverage(dict(sorted(walk.files.items())), dict(sorted(walk.links.items())), tuple(walk.modules))


def tests_of(module: str, coverage: Coverage, dialect: Dialect) -> tuple[str, ...]:
    """The test files of a module that a program of that dialect runs, relative to the module's folder."""
    found: list[str] = []
    for below in ("", "tests/"):
        prefix = f"{module}/{below}" if module else below
        names = {path.removeprefix(prefix) for path in coverage.files if path.startswith(prefix)}
        read = dialect.read({name for name in names if "/" not in name})
        found += [f"{below}{name}" for name in read if name.endswith(dialect.tests)]
    return tuple(sorted(found))


def roots_below(kinds: Kinds, read: Read, folder: str) -> tuple[str, ...]:
    """Folders at or below `folder` with configuration that no other configuration calls as a local module."""
    configured = _configured(kinds)
    called = set()
    for path in kinds:
        if path.endswith((*CONFIGURATION, *_TESTS)) and kinds[path] != "link":
            base = _parent(path)
            bases = {base, _parent(base)} if path.endswith(_TESTS) else {base}
            for source in _MODULE.findall(_text(read(path))):
                called |= {target for b in bases if (target := _joined(b, source)) is not None and target != b}
    prefix = f"{folder}/" if folder else ""
    return tuple(sorted(d for d in configured - called if d == folder or d.startswith(prefix)))


@dataclass
class _Walk:
    kinds: Kinds
    read: Read
    root: str
    leave_out: frozenset[str]
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.configured = _configured(self.kinds)
        self._children: dict[str, set[str]] = {}
        for path in self.kinds:
            while path:
                parent = _parent(path)
                siblings = self._children.setdefault(parent, set())
                if path in siblings:
                    break
                siblings.add(path)
                path = parent

    def reach(self, folder: str) -> None:
        """A folder of configuration: the root, or a module that something reached calls."""
        waiting = [folder]
        while waiting:
            module = waiting.pop()
            if module in self.modules or module not in self.configured:
                continue
            self.modules.append(module)
            self._take_below(module, configuration=True)
            waiting.extend(self._named_in(module))

    def _named_in(self, module: str) -> list[str]:
        """Takes what the code of a module names; returns the modules it calls."""
        called: list[str] = []
        for path in self._code_of(module):
            text = _text(self.read(self.files.get(path, path)))
            for source in _MODULE.findall(text):
                target = self._real(module, source)
                if target in self.configured:
                    called.append(target)
                else:
                    self._take_named(module, source)  # `source` names a file in other blocks
            for match in _PATH.finditer(_MODULE.sub("", text)):
                bases = {"module": (module,), "root": (self.root,)}.get(match.lastgroup or "", (module, self.root))
                for base in bases:
                    self._take_named(base, match[match.lastgroup or 0])
        return called

    def _code_of(self, module: str) -> list[str]:
        tests = f"{module}/tests" if module else "tests"
        here = [p for p in self._children.get(module, ()) if p in self.files and p.endswith((*CONFIGURATION, *_TESTS))]
        return sorted(here + [p for p in self._children.get(tests, ()) if p in self.files and p.endswith(_TESTS)])

    def _take_named(self, base: str, path: str) -> None:
        target = self._real(base, path)
        if target is not None and target not in self.modules:
            if target in self.kinds:
                self.take(target)
            elif not path.endswith("/") and target not in self._children:
                self._take_below(_parent(target), configuration=False)  # "files/${name}" and "files/a-${name}" alike
            else:
                self._take_below(target, configuration=False)

    def _take_below(self, folder: str, *, configuration: bool) -> None:
        """Files of a folder and of those below it that hold no configuration; hidden ones only if Terraform's own."""
        for path in sorted(self._children.get(folder, ())):
            name = path.rpartition("/")[2]
            if name.startswith(".") and name != LOCK_FILE:
                continue
            if path in self.kinds:
                if configuration or not path.endswith((*CONFIGURATION, LOCK_FILE)):
                    self.take(path)
            elif path not in self.configured and path not in self.leave_out:
                self._take_below(path, configuration=configuration)

    def take(self, path: str) -> None:
        if path in self.files or path in self.links or path not in self.kinds:
            return
        if self.kinds[path] != "link":
            self.files[path] = path
            return
        target = self._real(_parent(path), path.rpartition("/")[2])
        if target is None:
            raise InvalidInput(
                f"{quoted(path)} is a link that leads out of the repository, or round in a circle",
                hint="What is not in the commit cannot be checked: replace the link by the file.",
            )
        if target in self.kinds:
            self.files[path] = target
        elif target in self._children:
            self.links[path] = _text(self.read(path))
            self._take_below(target, configuration=target in self.configured)

    def _real(self, base: str, path: str) -> str | None:
        """The path that `path` means in folder `base`, links followed; None where it leaves the repository.

        Links to folders that lie on the way are covered.
        """
        ahead = [*base.split("/"), *path.split("/")]
        done: list[str] = []
        passed: dict[str, str] = {}
        while ahead:
            part = ahead.pop(0)
            here = "/".join([*done, part])
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    return None
                done.pop()
            elif self.kinds.get(here) != "link":
                done.append(part)
            else:
                if here in passed or (target := _text(self.read(here))).startswith("/"):
                    return None
                passed[here] = target
                ahead = target.split("/") + ahead
        real = "/".join(done)
        if real in self._children:
            self.links.update(passed)
        return real


def _configured(kinds: Kinds) -> frozenset[str]:
    return frozenset(_parent(path) for path in kinds if path.endswith(CONFIGURATION) and not _hidden(path))


def _hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _joined(base: str, path: str) -> str | None:
    """As _real, without links."""
    done: list[str] = []
    for part in [*base.split("/"), *path.split("/")]:
        if part == ".." and not done:
            return None
        if part == "..":
            done.pop()
        elif part not in ("", "."):
            done.append(part)
    return "/".join(done)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
