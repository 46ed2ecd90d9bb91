"""A pipeline as CreatePipeline stored it: the part of its structure that executions follow. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from orchestrator.model.text import decoding


class DefinitionPart(msgspec.Struct, frozen=True, rename="camel"):
    """Keys that are not named here steer nothing in the sandbox."""


class Named(DefinitionPart, frozen=True):
    name: str


class ActionType(DefinitionPart, frozen=True):
    category: str
    owner: str
    provider: str
    version: str


class Action(DefinitionPart, frozen=True):
    name: str
    action_type_id: ActionType
    run_order: int = 1
    configuration: dict[str, str] = {}
    input_artifacts: tuple[Named, ...] = ()
    output_artifacts: tuple[Named, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    namespace: str | None = None
    timeout_in_minutes: int | None = None


class RuleType(DefinitionPart, frozen=True):
    category: str
    provider: str
    owner: str = "AWS"
    version: str = "1"


class Rule(DefinitionPart, frozen=True):
    name: str
    rule_type_id: RuleType
    configuration: dict[str, str] = {}


class Condition(DefinitionPart, frozen=True):
    """`result` is what happens where a rule does not hold."""

    rules: tuple[Rule, ...] = ()
    result: str | None = None


class Conditions(DefinitionPart, frozen=True):
    conditions: tuple[Condition, ...] = ()


class Retry(DefinitionPart, frozen=True):
    retry_mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"] = "FAILED_ACTIONS"


class OnFailure(DefinitionPart, frozen=True):
    result: str | None = None
    retry_configuration: Retry = Retry()
    conditions: tuple[Condition, ...] = ()


class DefinedStage(DefinitionPart, frozen=True):
    name: str
    actions: tuple[Action, ...]
    before_entry: Conditions = Conditions()
    on_success: Conditions = Conditions()
    on_failure: OnFailure = OnFailure()


class EncryptionKey(DefinitionPart, frozen=True):
    id: str


class ArtifactStore(DefinitionPart, frozen=True):
    location: str
    encryption_key: EncryptionKey | None = None


class PipelineVariable(DefinitionPart, frozen=True):
    name: str
    default_value: str | None = None


class PipelineDefinition(DefinitionPart, frozen=True):
    name: str
    role_arn: str
    stages: tuple[DefinedStage, ...]
    version: int
    artifact_store: ArtifactStore | None = None
    artifact_stores: dict[str, ArtifactStore] = {}
    execution_mode: Literal["SUPERSEDED", "QUEUED", "PARALLEL"] = "SUPERSEDED"
    variables: tuple[PipelineVariable, ...] = ()

    def store(self, region: str) -> ArtifactStore:
        found = self.artifact_store or self.artifact_stores.get(region)
        if found is None:
            raise ValueError(f"the pipeline {self.name} has no artifact store in {region}")
        return found

    def stage(self, name: str) -> DefinedStage | None:
        return next((stage for stage in self.stages if stage.name == name), None)


def read(stored: dict[str, Any]) -> PipelineDefinition:
    return decoding.convert(stored, PipelineDefinition)
