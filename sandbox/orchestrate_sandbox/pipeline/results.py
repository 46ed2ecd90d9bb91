"""The phase UPLOAD_ARTIFACTS: what a build leaves, files and test reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrate_sandbox.pipeline.archives import is_within, matching, packed
from orchestrate_sandbox.pipeline.build import Artifact, EmulatedBuild
from orchestrate_sandbox.pipeline.buildspec import ArtifactFiles, Artifacts, Buildspec


class NothingToUpload(Exception):
    """The build has not made what it was to leave."""


def upload(build: EmulatedBuild, buildspec: Buildspec, source: Path, s3: Any) -> None:
    """The artifacts that the pipeline asks for, or those of the project. Raises NothingToUpload, ClientError."""
    kind = build.project["artifacts"]["type"]
    if kind == "CODEPIPELINE":
        for artifact in build.order.outputs:
            _put(build, s3, artifact, _found(source, _of_artifact(build, buildspec, artifact)))
    elif kind == "S3":
        artifact = _of_project(build)
        _put(build, s3, artifact, _found(source, buildspec.artifacts))


def found(source: Path, wanted: ArtifactFiles) -> dict[str, Path]:
    """By name; never outside the source's folder, whatever a build has put into it."""
    base = source / wanted.base_directory
    names = matching(base, wanted.files, flat=wanted.is_flat)
    return {name: path for name, path in names.items() if is_within(source, path)}


def _found(source: Path, wanted: ArtifactFiles | None) -> dict[str, Path]:
    if wanted is None or not wanted.files:
        raise NothingToUpload("CLIENT_ERROR: the build specification has no files for this artifact")
    files = found(source, wanted)
    if not files:
        raise NothingToUpload(f"CLIENT_ERROR: no matching artifact paths found: {', '.join(wanted.files)}")
    return files


def _of_artifact(build: EmulatedBuild, buildspec: Buildspec, artifact: Artifact) -> ArtifactFiles | None:
    """Several outputs are the secondary artifacts of their names."""
    artifacts = buildspec.artifacts or Artifacts()
    if artifact.name in artifacts.secondary_artifacts:
        return artifacts.secondary_artifacts[artifact.name]
    return artifacts if len(build.order.outputs) == 1 else None


def _of_project(build: EmulatedBuild) -> Artifact:
    wanted = build.project["artifacts"]
    name = wanted.get("name", build.project["name"])
    parts = [wanted.get("path", ""), build.uuid if wanted.get("namespaceType") == "BUILD_ID" else "", name]
    return Artifact("primary", wanted["location"], "/".join(part.strip("/") for part in parts if part.strip("/")))


def _put(build: EmulatedBuild, s3: Any, artifact: Artifact, files: dict[str, Path]) -> None:
    """One zip file; files by themselves where the project wants no packaging."""
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": build.project["encryptionKey"]}
    if build.project["artifacts"]["type"] == "S3" and build.project["artifacts"].get("packaging") != "ZIP":
        for name, path in files.items():
            s3.put_object(Bucket=artifact.bucket, Key=f"{artifact.key}/{name}", Body=path.read_bytes(), **encryption)
        return
    s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=packed(files.items()), **encryption)
