"""Git repositories made on the spot."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.git.repository import Repository

RULES = {
    "envs/orchestrate.yaml": 'state: {prefix: acme-tf, region: us-east-1}\ntooling: {account: "000000000000"}\n',
    "envs/dev.yaml": (
        "regions: [us-east-1, eu-central-1]\n"
        "global_resource_deploy_from_region: us-east-1\n"
        'teams: {research: {account: "111111111111"}, risk: {account: "222222222222", regions: [us-east-1]}}\n'
    ),
    "modules/workload/main.tf": "# the root\n",
}


@dataclass
class GitProject:
    """A repository, driven by git itself."""

    folder: Path

    def git(self, *arguments: str, input: bytes | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, input=input, check=True, capture_output=True)
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> str:
        """Commits everything; returns the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, of: str = "HEAD") -> str:
        """An annotated tag; returns the id of its object."""
        self.git("tag", "--annotate", "--message", "A release", name, of)
        return self.git("rev-parse", f"refs/tags/{name}")

    def open(self) -> Repository:
        return Repository.open(self.folder)
