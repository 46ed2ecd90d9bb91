"""The KMS key of an environment, known by its alias."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws.retry import ignoring, retry_on
from orchestrator.effects.aws.session import Session
from orchestrator.errors import Refused
from orchestrator.model.stores.settings import KeySettings, StoreSettings, merged_policy, policy_statements

_SHORTEST_WAIT_DAYS = 7


@dataclass(frozen=True)
class KeyStore:
    """The alias decides which key it is. An alias never moves: what is encrypted with a key needs that key."""

    aws: Session
    store: StoreSettings

    def arn(self) -> str | None:
        """The key behind the alias, None where there is none."""
        with self.aws.explained("find the", str(self.store)):
            found = self._description()
            return None if found is None else str(found["Arn"])

    def inspect(self) -> KeySettings | None:
        with self.aws.explained("read the settings of the", str(self.store)):
            found = self._description()
            return None if found is None else self._settings(found)

    def create(self, wanted: KeySettings) -> None:
        """A key under the alias: one that lost its alias (or whose making was cut short), else a new one.

        Of two runs at once the first to take the alias wins; the other's new key, which nobody has used, is
        scheduled for deletion.
        """
        with self.aws.explained("create the", str(self.store)):
            orphan = self._orphan(wanted)
            key = orphan or self._new_key(wanted)
            alias = {"AliasName": self.store.name, "TargetKeyId": key}
            made = ignoring(lambda: self._kms.create_alias(**alias), {"AlreadyExistsException"})
            if made is None and orphan is None:
                self._give_up(key)

    def repair(self, wanted: KeySettings, settings: Iterable[str]) -> None:
        """Mends the named settings, in the order given: a key must be enabled before the rest can be changed."""
        changes: dict[str, Callable[[str, KeySettings], None]] = {
            "spec": self._refuse,
            "state": self._enable,
            "policy": self._put_policy,
            "rotation": self._rotate,
            "tags": self._tag,
        }
        for setting in settings:
            with self.aws.explained("change the settings of the", str(self.store)):
                changes[setting](self._id(), wanted)

    def _description(self) -> Mapping[str, Any] | None:
        answer = ignoring(lambda: self._kms.describe_key(KeyId=self.store.name), {"NotFoundException"})
        return None if answer is None else answer["KeyMetadata"]

    def _id(self) -> str:
        """Of the key behind an alias that exists, though perhaps only since a moment ago."""
        answer = retry_on(lambda: self._kms.describe_key(KeyId=self.store.name), {"NotFoundException"})
        return str(answer["KeyMetadata"]["KeyId"])

    def _settings(self, found: Mapping[str, Any]) -> KeySettings:
        key = found["KeyId"]
        return KeySettings(
            spec=found["KeySpec"],
            state=found["KeyState"],
            policy=policy_statements(self._policy(key)),
            rotation=self._kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
            tags=self._tags(key),
        )

    def _policy(self, key: str) -> str:
        return str(self._kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    def _tags(self, key: str) -> dict[str, str]:
        pages = self._kms.get_paginator("list_resource_tags").paginate(KeyId=key)
        return {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}

    def _orphan(self, wanted: KeySettings) -> str | None:
        """The oldest usable key with our tags. Keys whose tags we may not read are not ours."""
        keys = [entry["KeyId"] for page in self._kms.get_paginator("list_keys").paginate() for entry in page["Keys"]]
        ours = [self._kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys if self._has_tags(key, wanted)]
        usable = [key for key in ours if key["KeyState"] in ("Enabled", "Disabled")]
        return min(usable, key=lambda key: (key["CreationDate"], key["KeyId"]))["KeyId"] if usable else None

    def _has_tags(self, key: str, wanted: KeySettings) -> bool:
        found = ignoring(lambda: self._tags(key), {"AccessDeniedException", "NotFoundException"}) or {}
        return wanted.tags.items() <= found.items()

    def _new_key(self, wanted: KeySettings) -> str:
        answer = self._kms.create_key(
            Description=f"Terraform state, plans and ledger of {self.store.env} (orchestrate bootstrap)",
            Policy=merged_policy(None, wanted.policy),
            Tags=_tag_list(wanted),
        )
        return str(answer["KeyMetadata"]["KeyId"])

    def _give_up(self, spare: str) -> None:
        if self._id() != spare:  # another run may have taken our new key for an orphan and given it the alias
            self._kms.schedule_key_deletion(KeyId=spare, PendingWindowInDays=_SHORTEST_WAIT_DAYS)

    def _refuse(self, key: str, wanted: KeySettings) -> None:
        raise Refused(
            f"the {self.store} is not of the kind {wanted.spec}: it cannot encrypt the stores",
            hint="Move the alias away, or set state.encryption to s3 in envs/orchestrate.yaml.",
        )

    def _enable(self, key: str, wanted: KeySettings) -> None:
        """Also takes back a scheduled deletion: with the key, all that it encrypted would be lost."""
        found = self._kms.describe_key(KeyId=key)["KeyMetadata"]
        if found["KeyState"] == "PendingDeletion":
            self._kms.cancel_key_deletion(KeyId=key)
        self._kms.enable_key(KeyId=key)

    def _put_policy(self, key: str, wanted: KeySettings) -> None:
        policy = merged_policy(self._policy(key), wanted.policy)
        self._kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)

    def _rotate(self, key: str, wanted: KeySettings) -> None:
        self._kms.enable_key_rotation(KeyId=key)

    def _tag(self, key: str, wanted: KeySettings) -> None:
        self._kms.tag_resource(KeyId=key, Tags=_tag_list(wanted))

    @property
    def _kms(self) -> Any:
        return self.aws.client("kms", self.store.region)


def _tag_list(wanted: KeySettings) -> list[dict[str, object]]:
    return [{"TagKey": key, "TagValue": value} for key, value in wanted.tags.items()]
