"""The workload from its previous version to this one, in an emulated AWS."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.modules.root import DrivenRoot

REPOSITORY = Path(__file__).parents[3]
TARGET = {"account": "000000000000", "region": "us-east-1", "env": "dev", "team": "upgrade"}
GLOBAL = TARGET | {"scope": "global", "release": "dev_global/upgrade/1.1"}
REGIONAL = TARGET | {"scope": "us-east-1", "release": "dev_us-east-1/upgrade/1.1"}


@dataclass(frozen=True)
class Upgraded:
    """Both scopes after the upgrade, and what each upgrade did."""

    global_scope: DrivenRoot
    regional_scope: DrivenRoot
    global_changes: dict[str, str]
    regional_changes: dict[str, str]


def previous_version() -> dict[str, str]:
    return dict(yaml.safe_load((REPOSITORY / "tests/modules/previous-version.yaml").read_text()))


def previous(folder: Path) -> Path:
    """The tree of the previous version, of its commit."""
    wanted = previous_version()
    archive = ["git", "-C", str(REPOSITORY), "archive", wanted["commit"], "modules"]
    done = subprocess.run(archive, capture_output=True, check=False)
    assert done.returncode == 0, f"the clone must hold {wanted}; a shallow one does not: {done.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return folder


def upgraded(workload: Callable[[], DrivenRoot]) -> Upgraded:
    """Takes two minutes, most of which a load balancer and a bucket's lifecycle rule are waited for.

    `workload` makes the root ready, first of the previous version, then of this one.
    """
    before = workload()
    before.with_state("global").apply(GLOBAL)
    before.with_state("regional").apply(REGIONAL)
    shutil.copytree(REPOSITORY / "modules", before.folder.parent, dirs_exist_ok=True)
    after = workload()
    global_scope, regional_scope = after.with_state("global"), after.with_state("regional")
    return Upgraded(global_scope, regional_scope, global_scope.apply(GLOBAL), regional_scope.apply(REGIONAL))
