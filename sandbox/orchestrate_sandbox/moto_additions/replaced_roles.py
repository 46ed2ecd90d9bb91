"""The tooling makes roles that the sandbox has made beforehand: they take the place of those.

In an AWS account without the tooling these roles are not there; in the sandbox they are, so that Terraform runs with
narrowed sessions from the first release on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.models import IAMBackend

from orchestrate_sandbox.accounts import MADE_HERE


def apply() -> None:
    IAMBackend.create_role = _in_place(IAMBackend.create_role)


def _in_place(create_role: Callable[..., Any]) -> Callable[..., Any]:
    def create(self: Any, role_name: str, *arguments: Any, **named: Any) -> Any:
        ours = [key for key, role in self.roles.items() if role.name == role_name and role.description == MADE_HERE]
        for key in ours:
            del self.roles[key]
        return create_role(self, role_name, *arguments, **named)

    return create
