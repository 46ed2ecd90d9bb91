"""The environment variables of a build.

Source: "Environment variables in build environments" (CodeBuild user guide). Those of the project come before those
of the build specification; a build's role is in them as credentials, where AWS has an address that gives them.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrate_sandbox import environment
from orchestrate_sandbox.pipeline.build import EmulatedBuild
from orchestrate_sandbox.pipeline.image import Image
from orchestrate_sandbox.pipeline.place import here


class VariableError(Exception):
    """A variable of a kind that the sandbox has not."""


def variables(build: EmulatedBuild, image: Image, keys: Mapping[str, str]) -> dict[str, str]:
    """`keys` are credentials by the names of boto3's parameters. Raises VariableError."""
    return {
        **image.variables(),
        **environment.environment(here().endpoint, here().proxy, build.region, keys),
        **_of_the_project(build),
        **_of_the_build(build, image),
    }


def _of_the_project(build: EmulatedBuild) -> dict[str, str]:
    found = {}
    for variable in build.project["environment"].get("environmentVariables", []):
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise VariableError(f"the variable {variable['name']} is a {variable['type']}: not in the sandbox")
        found[variable["name"]] = variable["value"]
    return found


def _of_the_build(build: EmulatedBuild, image: Image) -> dict[str, str]:
    told = {
        "ARN": build.arn,
        "ID": build.id,
        "IMAGE": str(build.project["environment"]["image"]),
        "NUMBER": str(build.order.number),
        "SUCCEEDING": "1",
    }
    return {
        **{f"CODEBUILD_BUILD_{name}": value for name, value in told.items()},
        "CODEBUILD_INITIATOR": build.order.initiator,
        "CODEBUILD_KMS_KEY_ID": build.project["encryptionKey"],
        "CODEBUILD_LOG_PATH": build.log_stream,
        "CODEBUILD_PROJECT_ARN": build.project["arn"],
        "CODEBUILD_SOURCE_VERSION": build.order.source_version or "",
        "CODEBUILD_SRC_DIR": str(image.source),
        "CODEBUILD_START_TIME": str(int(build.began.timestamp() * 1000)),
        "SANDBOX_COMMANDS": str(image.commands),
    }
