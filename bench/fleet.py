"""`python -m bench.fleet`: `orchestrate release --on aws` for as many targets as asked, on the emulated AWS.

Submit builds and pipelines really run; the pipelines' one step does nothing, because a real step's time is Terraform's
own. So the figures are of the fan-out: asking, submitting, starting, following.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from tests.support.emulated_tooling import PipelineClone, emulated

_REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-1", "eu-west-1")
_SCOPES = ("global", *_REGIONS)


@click.command()
@click.option("--targets", default=200, show_default=True, type=click.IntRange(min=5), help="How many, in fives.")
@click.option("--parallel", default=20, show_default=True, help="So many under way at a time.")
@click.option("--limit", default=15, show_default=True, help="Executions that the emulated pipeline allows at a time.")
@click.option("--throttled", default=0.1, show_default=True, help="Share of requests that are throttled.")
def bench(targets: int, parallel: int, limit: int, throttled: float) -> None:
    """Release to many targets at once; then run the same command again."""
    teams = [f"team-{number}" for number in range(targets // len(_SCOPES))]
    with (
        tempfile.TemporaryDirectory(prefix="orchestrate-fleet-") as folder,
        emulated(Path(folder), _files(teams)) as at,
    ):
        at.push(*(f"dev_{scope}/{team}/1.0" for team in teams for scope in _SCOPES))
        at.aws.set(concurrent_executions=limit, throttled_share=throttled)
        first = _run(at, parallel)
        second = _run(at, parallel)
        same = first["executions"] == second["executions"]
    shown = {"targets": len(teams) * len(_SCOPES), "parallel": parallel, "limit": limit, "throttled": throttled}
    runs = {name: {**run, "executions": len(run["executions"])} for name, run in (("first", first), ("again", second))}
    click.echo(json.dumps({**shown, **runs, "same_executions": same}, indent=2))


def _files(teams: list[str]) -> dict[str, str]:
    accounts = ", ".join(f'{team}: {{account: "{number:012d}"}}' for number, team in enumerate(teams, 1))
    return {
        "envs/orchestrate.yaml": 'state: {prefix: fleet, region: us-east-1}\ntooling: {account: "000000000000"}\n'
        "workload: {root: root}\n",
        "envs/dev.yaml": f"regions: [{', '.join(_REGIONS)}]\nglobal_resource_deploy_from_region: us-east-1\n"
        f"teams: {{{accounts}}}\n",
        "root/main.tf": "# nothing\n",
    }


def _run(at: PipelineClone, parallel: int) -> dict[str, Any]:
    begun = time.monotonic()
    with at.start(
        "release", "--on", "aws", "--tag", "dev_*/*/1.0", "--parallel", str(parallel), "--format", "json"
    ) as running:
        out, err = running.communicate()
    releases = json.loads(out)["releases"] if out else []
    if running.returncode != 0:
        click.echo(err[-2000:], err=True)
    return {
        "exit_code": running.returncode,
        "seconds": round(time.monotonic() - begun, 1),
        "results": dict(Counter(release["result"] for release in releases)),
        "executions": sorted(str(release["execution"]) for release in releases),
    }


if __name__ == "__main__":
    bench()
