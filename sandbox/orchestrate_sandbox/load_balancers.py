"""Finds the load balancer with a DNS name, in any account and Region, and reads its rules through the AWS API."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrate_sandbox.keys import SERVICES_ID, SandboxKeys, for_clients

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client


@dataclass(frozen=True)
class LoadBalancer:
    account: str
    region: str
    arn: str
    dns_name: str


def every() -> list[LoadBalancer]:
    """From moto's memory, since no API call lists over accounts and Regions."""
    from moto.elbv2.models import elbv2_backends  # 80 MB with EC2, which it needs

    return [
        LoadBalancer(account, region, balancer.arn, balancer.dns_name)
        for account, region, backend in list(elbv2_backends.iter_backends())
        for balancer in list(backend.load_balancers.values())
    ]


def named(host: str) -> LoadBalancer | None:
    """DNS names know no case, and a final dot changes nothing."""
    wanted = host.lower().rstrip(".")
    return next((balancer for balancer in every() if balancer.dns_name.lower() == wanted), None)


class Listeners:
    """Reads listeners and rules as their owner would."""

    def __init__(self, endpoint: str, keys: SandboxKeys) -> None:
        self._endpoint = endpoint
        self._keys = for_clients(SERVICES_ID, keys.services)
        self._making = threading.Lock()
        self._client = functools.cache(self._new_client)

    def rules(self, balancer: LoadBalancer, port: int) -> Sequence[Mapping[str, Any]] | None:
        """The rules of the HTTP listener on that port; None where there is none."""
        with self._making:  # boto3's session may not be used by two threads at once
            client = self._client(balancer.account, balancer.region)
        listeners = client.describe_listeners(LoadBalancerArn=balancer.arn)["Listeners"]
        arns = [found["ListenerArn"] for found in listeners if (found["Port"], found["Protocol"]) == (port, "HTTP")]
        return client.describe_rules(ListenerArn=arns[0])["Rules"] if arns else None

    def _new_client(self, account: str, region: str) -> ElasticLoadBalancingv2Client:
        import boto3
        from botocore.config import Config

        make: Any = boto3.client  # a dictionary of keys fits none of its many signatures
        client: ElasticLoadBalancingv2Client = make(
            "elbv2",
            region_name=region,
            endpoint_url=self._endpoint,
            **self._keys,
            config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1}),
        )

        def as_owner(params: dict[str, Any], **_: object) -> None:
            params["headers"]["x-moto-account-id"] = account

        client.meta.events.register("before-call.elastic-load-balancing-v2", as_owner)
        return client
