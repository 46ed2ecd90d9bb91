"""A build runs with the least rights that this machine can give it. Where it has namespaces: the tests need Linux.

What the build tries is what a stranger's code would try: the user's files, other processes, the sandbox's own keys.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrate_sandbox import state
from orchestrate_sandbox.pipeline import confined, confinement
from tests.support.workbench import Workbench, buildspec


def said_by(aws: Workbench, *commands: str) -> str:
    build = aws.build(aws.project(buildspec(*commands)))
    assert build["buildStatus"] == "SUCCEEDED"
    return aws.log(build)


@pytest.fixture
def left_in_home() -> Iterator[Path]:
    """The user's own home: a file that a build must neither see nor change."""
    path = Path.home() / f".sandbox-test-{os.getpid()}"
    path.write_text("precious")
    yield path
    path.unlink()


def test_a_build_neither_reads_nor_writes_its_users_files(aws: Workbench, left_in_home: Path) -> None:
    log = said_by(
        aws,
        f"cat {left_in_home} || echo unread",
        f"echo changed > {left_in_home} || echo unwritten",
        f"touch {Path(__file__).parent}/made || echo read-only",
        "touch $HOME/own $TMPDIR/own src && echo own",
        "test ! -e /run/docker.sock -o ! -S /run/docker.sock && echo no docker",
    )
    assert left_in_home.read_text() == "precious"
    assert not (Path(__file__).parent / "made").exists()
    for word in ("unread", "read-only", "own", "no docker"):
        assert f"\n{word}\n" in log


def test_a_build_reads_no_other_process_and_gets_no_more_rights(aws: Workbench) -> None:
    log = said_by(
        aws,
        f"cat /proc/{aws.sandbox.pid}/environ > /dev/null || echo unread",
        "grep -E 'Cap(Eff|Prm|Bnd):|NoNewPrivs:' /proc/self/status",
        "mount -t tmpfs none /mnt || echo no mount",
    )
    assert "\nunread\n" in log
    assert "\nno mount\n" in log
    for name in ("Eff", "Prm", "Bnd"):
        assert f"Cap{name}:\t0000000000000000\n" in log
    assert "NoNewPrivs:\t1\n" in log


def test_a_build_sees_no_state_of_a_background_sandbox(aws: Workbench) -> None:
    base = state.base_folder()
    base.mkdir(parents=True, exist_ok=True)
    kept = base / f"test-{os.getpid()}"
    kept.mkdir()
    try:
        assert "\nnothing\n" in said_by(aws, f"test -e {kept} || echo nothing")
    finally:
        kept.rmdir()


def test_a_build_specification_outside_of_the_source_is_not_read(aws: Workbench) -> None:
    build = aws.build(aws.project("../../../../../../../etc/secret.yml"))
    assert build["buildStatus"] == "FAILED"


@pytest.mark.parametrize("spec", [{"hidden": ["/proc"], "readable": [], "writable": []}, None])
def test_what_cannot_be_confined_is_not_run(spec: object, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", confined.__file__, json.dumps(spec or {}), "touch", str(tmp_path / "ran")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


def test_where_there_are_no_namespaces_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    confinement.why_not.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    try:
        found = confinement.of_build([tmp_path], "000000000000")
        assert found.command("true") == ["true"]
        assert found.refused == "there are no namespaces on this system"
    finally:
        confinement.why_not.cache_clear()
