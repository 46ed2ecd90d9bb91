"""Load balancers of the emulated AWS answer through the sandbox's proxy."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.process import Sandbox

pytestmark = pytest.mark.slow

RESEARCH = "111111111111"
RISK = "222222222222"


def fixed(body: str, status: str = "200", content_type: str = "text/plain") -> dict[str, Any]:
    response = {"MessageBody": body, "StatusCode": status, "ContentType": content_type}
    return {"Type": "fixed-response", "FixedResponseConfig": response}


@dataclass(frozen=True)
class Balancer:
    elbv2: Any
    arn: str
    dns_name: str

    def listen(self, action: dict[str, Any], port: int = 80) -> str:
        listener = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=port, DefaultActions=[action]
        )
        return str(listener["Listeners"][0]["ListenerArn"])


MakeBalancer = Callable[..., Balancer]


@pytest.fixture
def balancer(emulated: Sandbox) -> MakeBalancer:
    def make(account: str = RESEARCH, region: str = "us-east-1", name: str = "", **options: Any) -> Balancer:
        ec2 = client(emulated, "ec2", account=account, region=region)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=region + zone)
            for index, zone in enumerate("ab")
        ]
        elbv2 = client(emulated, "elbv2", account=account, region=region)
        found = elbv2.create_load_balancer(
            Name=name or f"lb-{uuid4().hex[:8]}",
            Subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
            **options,
        )["LoadBalancers"][0]
        return Balancer(elbv2, found["LoadBalancerArn"], found["DNSName"])

    return make


@dataclass(frozen=True)
class ProxyReply:
    status: int
    content_type: str
    text: str
    location: str | None


def ask(proxy: str, address: str, method: str = "GET", **headers: str) -> ProxyReply:
    """A request to the proxy as curl makes it: by absolute address."""
    connection = http.client.HTTPConnection(urlsplit(proxy).netloc, timeout=10)
    try:
        connection.request(method, address, headers={"Host": urlsplit(address).netloc, **headers})
        response = connection.getresponse()
        text = response.read().decode()
        return ProxyReply(response.status, response.getheader("Content-Type", ""), text, response.getheader("Location"))
    finally:
        connection.close()


def test_the_page_of_a_load_balancer(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    made.listen(fixed("<h1>us-east-1</h1>", content_type="text/html"))
    reply = ask(emulated.proxy, f"http://{made.dns_name}/any/path?x=1")
    assert reply == ProxyReply(200, "text/html", "<h1>us-east-1</h1>", None)
    assert ask(emulated.proxy, f"http://{made.dns_name.upper()}/").status == 200
    assert ask(emulated.proxy, f"http://{made.dns_name}/", method="HEAD").text == ""
    assert ask(emulated.proxy, f"http://{made.dns_name}/", method="POST").status == 200


def test_the_same_name_in_two_accounts_and_two_regions(emulated: Sandbox, balancer: MakeBalancer) -> None:
    name = f"same-{uuid4().hex[:8]}"
    places = [(RESEARCH, "us-east-1"), (RISK, "us-east-1"), (RESEARCH, "eu-central-1")]
    made = {place: balancer(*place, name=name) for place in places}
    for (account, region), one in made.items():
        one.listen(fixed(f"{account} {region}"))
    assert len({one.dns_name for one in made.values()}) == len(places)
    for (account, region), one in made.items():
        assert ask(emulated.proxy, f"http://{one.dns_name}/").text == f"{account} {region}"


def test_dns_names_have_awss_form(balancer: MakeBalancer) -> None:
    name = f"inner-{uuid4().hex[:6]}"
    inner = balancer(name=name, Scheme="internal").dns_name
    assert inner.startswith(f"internal-{name}-")
    assert inner.endswith(".us-east-1.elb.amazonaws.com")
    assert balancer(Type="network").dns_name.endswith(".elb.us-east-1.amazonaws.com")


def test_rules_are_tried_by_priority_before_the_default(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    listener = made.listen(fixed("default"))
    for priority, pattern in ((20, "/a/*"), (3, "/a/b")):
        made.elbv2.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [pattern]}],
            Actions=[fixed(pattern)],
        )
    texts = {path: ask(emulated.proxy, f"http://{made.dns_name}{path}").text for path in ("/", "/a/b", "/a/c")}
    assert texts == {"/": "default", "/a/b": "/a/b", "/a/c": "/a/*"}


def test_a_redirect(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    made.listen({"Type": "redirect", "RedirectConfig": config})
    reply = ask(emulated.proxy, f"http://{made.dns_name}/path?q=1")
    assert (reply.status, reply.location) == (301, f"https://{made.dns_name}/path?q=1")


def test_a_target_group_has_no_targets(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    vpc = made.elbv2.describe_load_balancers(LoadBalancerArns=[made.arn])["LoadBalancers"][0]["VpcId"]
    group = made.elbv2.create_target_group(Name=f"tg-{uuid4().hex[:8]}", Protocol="HTTP", Port=80, VpcId=vpc)
    made.listen({"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]})
    assert ask(emulated.proxy, f"http://{made.dns_name}/").status == 503


def test_only_ports_with_a_listener_answer(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    made.listen(fixed("on 8080"), port=8080)
    assert ask(emulated.proxy, f"http://{made.dns_name}:8080/").text == "on 8080"
    refused = ask(emulated.proxy, f"http://{made.dns_name}/")
    assert refused.status == 502
    assert "no HTTP listener on port 80" in refused.text


def test_a_deleted_load_balancer_is_gone(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    made.listen(fixed("here"))
    made.elbv2.delete_load_balancer(LoadBalancerArn=made.arn)
    assert ask(emulated.proxy, f"http://{made.dns_name}/").status == 502


@pytest.mark.parametrize("address", ["http://example.com/", "http://169.254.169.254/latest/meta-data/"])
def test_no_other_host_is_reached(emulated: Sandbox, address: str) -> None:
    reply = ask(emulated.proxy, address)
    assert reply.status == 502
    assert "not a load balancer of this sandbox" in reply.text


def test_no_tunnel_is_opened(emulated: Sandbox) -> None:
    host, _, port = urlsplit(emulated.proxy).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"no HTTPS here" in answer


def test_nonsense_is_refused(emulated: Sandbox) -> None:
    host, _, port = urlsplit(emulated.proxy).netloc.partition(":")
    for request in (b"GET http://[x/ HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_asked_directly_it_lists_the_load_balancers(emulated: Sandbox, balancer: MakeBalancer) -> None:
    made = balancer()
    made.listen(fixed("page"))
    assert f"http://{made.dns_name}/\n" in ask(emulated.proxy, f"{emulated.proxy}/").text
    by_host = ask(emulated.proxy, "/", Host=made.dns_name)
    assert by_host.text == "page"


def test_a_browsers_configuration(emulated: Sandbox) -> None:
    reply = ask(emulated.proxy, f"{emulated.proxy}/proxy.pac")
    assert reply.content_type == "application/x-ns-proxy-autoconfig"
    assert urlsplit(emulated.proxy).netloc in reply.text
