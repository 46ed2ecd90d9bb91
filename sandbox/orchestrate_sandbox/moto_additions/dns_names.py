"""Every load balancer has a DNS name of its own.

moto names it after the load balancer alone, so two accounts with the same infrastructure share a DNS name. AWS adds
what makes it unique, and `internal-` where it is not reachable from the Internet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from moto.elbv2.models import ELBv2Backend


def apply() -> None:
    ELBv2Backend.create_load_balancer = _with_own_name(ELBv2Backend.create_load_balancer)


def _with_own_name(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_with_own_name(self: Any, *args: Any, **kwargs: Any) -> Any:
        balancer = create(self, *args, **kwargs)
        balancer.dns_name = _dns_name(balancer, self.region_name)
        return balancer

    return create_with_own_name


def _dns_name(balancer: Any, region: str) -> str:
    """The ARN holds the account and a random part."""
    digest = hashlib.sha256(balancer.arn.encode()).hexdigest()
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    internal = "internal-" if balancer.scheme == "internal" else ""
    if balancer.type == "network":
        return f"{internal}{balancer.name}-{digest[:16]}.elb.{region}.{suffix}"
    number = int(digest, 16) % 10**10
    return f"{internal}{balancer.name}-{number:010}.{region}.elb.{suffix}"
