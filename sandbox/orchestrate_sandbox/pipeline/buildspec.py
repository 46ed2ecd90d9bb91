"""A build specification of CodeBuild, version 0.2. Pure.

Source: "Build specification reference for CodeBuild" (CodeBuild user guide). What the sandbox cannot do is refused,
never skipped.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import yaml

from orchestrator.model.text import decoding

Names = tuple[str, ...]


class BuildspecError(Exception):
    """The specification is not one, or asks for what the sandbox has not."""


class BuildspecPart(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """The keys of a build specification are written with hyphens."""


class Env(BuildspecPart, frozen=True):
    shell: Literal["sh", "bash", "/bin/sh", "/bin/bash"] = "sh"
    variables: dict[str, str | int | float | bool] = {}
    exported_variables: list[str] = []
    git_credential_helper: str | bool = "no"


class Phase(BuildspecPart, frozen=True):
    """`on_failure` of None is the default: a failed build phase still has its post_build phase."""

    commands: list[str] = []
    finally_: list[str] = msgspec.field(default=[], name="finally")
    on_failure: Literal["ABORT", "CONTINUE"] | None = None
    runtime_versions: dict[str, Any] = {}


class Phases(BuildspecPart, frozen=True, rename=None):
    install: Phase = Phase()
    pre_build: Phase = Phase()
    build: Phase = Phase()
    post_build: Phase = Phase()


class ArtifactFiles(BuildspecPart, frozen=True):
    """Patterns of files below `base_directory`, which is relative to the source's folder."""

    files: list[str]
    base_directory: str = "."
    discard_paths: str | bool = "no"
    name: str | None = None

    @property
    def is_flat(self) -> bool:
        return str(self.discard_paths).lower() in ("yes", "true")


class Artifacts(ArtifactFiles, frozen=True):
    files: list[str] = []
    secondary_artifacts: dict[str, ArtifactFiles] = {}


class ReportFiles(ArtifactFiles, frozen=True):
    file_format: str = "JUNITXML"


class CacheSettings(BuildspecPart, frozen=True):
    """Nothing is done for it: builds share this machine's caches."""

    paths: list[str] = []
    key: str | None = None
    fallback_keys: list[str] = []


class Buildspec(BuildspecPart, frozen=True):
    version: float | str
    phases: Phases
    env: Env = Env()
    artifacts: Artifacts | None = None
    reports: dict[str, ReportFiles] = {}
    cache: CacheSettings = CacheSettings()
    proxy: dict[str, Any] = {}


def parse(text: str) -> Buildspec:
    """Raises BuildspecError."""
    try:
        found = decoding.convert(yaml.safe_load(text), Buildspec)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML_FILE_ERROR: {error}") from None
    except msgspec.ValidationError as error:
        raise BuildspecError(f"YAML_FILE_ERROR: {error} (sandbox: what it cannot do is refused)") from None
    if str(found.version) != "0.2":
        raise BuildspecError(f"YAML_FILE_ERROR: the sandbox runs version 0.2, not {found.version}")
    return found
