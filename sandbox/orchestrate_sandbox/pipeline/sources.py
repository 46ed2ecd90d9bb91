"""The phase DOWNLOAD_SOURCE: what a build works on."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrate_sandbox.pipeline.archives import unpack
from orchestrate_sandbox.pipeline.build import Artifact, EmulatedBuild


class SourceError(Exception):
    """The source cannot be had."""


def download(build: EmulatedBuild, folder: Path, variables: dict[str, str], s3: Callable[[], Any]) -> dict[str, str]:
    """Into `folder`, further inputs beside it; the variables that tell of it. Raises SourceError."""
    source = build.project["source"]
    if source["type"] not in _KINDS:
        raise SourceError(f"a source of type {source['type']} is not in the sandbox")
    return _KINDS[source["type"]](build, folder, variables, s3)


def _artifacts(build: EmulatedBuild, folder: Path, _: dict[str, str], s3: Callable[[], Any]) -> dict[str, str]:
    told = {}
    for number, artifact in enumerate(build.order.inputs):
        into = folder if number == 0 else folder.with_name(f"src-{artifact.name}")
        _unpacked(s3(), artifact, into)
        if number > 0:
            told[f"CODEBUILD_SRC_DIR_{artifact.name}"] = str(into)
    build.resolved_version = build.order.inputs[0].revision if build.order.inputs else None
    return told


def _object(build: EmulatedBuild, folder: Path, _: dict[str, str], s3: Callable[[], Any]) -> dict[str, str]:
    bucket, _, key = build.project["source"]["location"].removeprefix("arn:aws:s3:::").partition("/")
    build.resolved_version = _unpacked(s3(), Artifact("source", bucket, key), folder)
    return {}


def _unpacked(s3: Any, artifact: Artifact, folder: Path) -> str | None:
    found = s3.get_object(Bucket=artifact.bucket, Key=artifact.key)
    try:
        unpack(found["Body"].read(), folder)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"s3://{artifact.location} is not a zip file that can be unpacked: {error}") from None
    return str(found["VersionId"]) if "VersionId" in found else None


def _clone(build: EmulatedBuild, folder: Path, variables: dict[str, str], _: Callable[[], Any]) -> dict[str, str]:
    """At the version asked for: a commit, a branch, or a ref by its full name; else where HEAD is."""
    source = build.project["source"]
    depth = int(source.get("gitCloneDepth", 0))
    shallow = [f"--depth={depth}", "--no-local"] if depth else []
    _git(folder, variables, "clone", "--quiet", *shallow, "--", source["location"], ".")
    version = build.order.source_version or build.project.get("sourceVersion")
    if version:
        _git(folder, variables, "checkout", "--quiet", "--detach", _commit(folder, variables, version))
    build.resolved_version = _git(folder, variables, "rev-parse", "HEAD")
    return {"CODEBUILD_SOURCE_REPO_URL": source["location"]}


def _commit(folder: Path, variables: dict[str, str], version: str) -> str:
    branch = version.removeprefix("refs/heads/")
    for name in (f"refs/remotes/origin/{branch}", version):
        try:
            return _git(folder, variables, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
        except SourceError:
            continue
    raise SourceError(f"the repository has no {version}")


def _nothing(*_: Any) -> dict[str, str]:
    return {}


_KINDS: dict[str, Callable[[EmulatedBuild, Path, dict[str, str], Callable[[], Any]], dict[str, str]]] = {
    "CODEPIPELINE": _artifacts,
    "CODECOMMIT": _clone,
    "S3": _object,
    "NO_SOURCE": _nothing,
}


def _git(folder: Path, variables: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SourceError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
