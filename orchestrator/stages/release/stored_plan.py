"""The stored plan as it is, not as its receipt tells.

Who holds the plan role can store any receipt: one that shows one plan and binds another. So before a plan is applied,
everything that people were shown, and everything that was judged, is derived from the plan file anew and compared.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping

from orchestrator.effects.terraform import hcl
from orchestrator.effects.terraform.data_folder import module_folders
from orchestrator.effects.terraform.plan_file import configuration
from orchestrator.errors import Refused
from orchestrator.model.plan_view.view import view_of, view_of_receipt
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.terraform.planned_variables import different
from orchestrator.model.terraform.root import Json, labelled
from orchestrator.model.text.canonical import sha256
from orchestrator.model.text.quoting import quoted
from orchestrator.model.tools.dialect import DIALECTS
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.policy.verdict import judge_preview
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.release.kept_view import kept
from orchestrator.stages.terraform import prepare
from orchestrator.stages.terraform.prepare import Prepared


def check(ctx: ReleaseContext, prepared: Prepared, receipt: PlanReceipt, admission: Admission) -> None:
    """Raises Refused where the restored plan is not what the receipt shows, or of another configuration.

    Raises what planning it would have raised: for other credentials, or what the policy forbids.
    """
    problem = next(_other_configuration(prepared), None)
    if problem is not None:
        raise _refused(ctx, f"was not made of this commit: {problem}")
    content = prepared.terraform.plan_json()
    problem = next(itertools.chain(_other_plan(content, receipt), _other_values(ctx, prepared, content)), None)
    if problem is not None:
        raise _refused(ctx, f"is not what its receipt shows: {problem}")
    prepared.check_credentials(content, ctx.release.rules.project.workload.unmanaged_providers)
    protected = judge_preview(ctx, content, admission).protected
    if missing := sorted({*protected} - {*receipt.protected}):
        raise _refused(ctx, f"would destroy what its receipt does not name as protected: {quoted(missing[0])}")


def _refused(ctx: ReleaseContext, what: str) -> Refused:
    return Refused(
        f"the stored plan of {ctx.release.tag} {what}",
        hint="Do not apply it: somebody with the plan role stored it. Plan again, and find out who.",
    )


def _other_plan(content: bytes, receipt: PlanReceipt) -> Iterator[str]:
    if sha256(content) != receipt.plan_json:
        yield "what Terraform says of it has another hash"
    found, told = kept(view_of(content)), view_of_receipt(receipt)
    for name, is_, shown in (
        ("counts", found.summary, told.summary),
        ("changes", found.changes, told.changes),
        ("drift", found.drift, told.drift),
        ("failed checks", found.checks, told.checks),
        ("number of resources", found.resources_after, told.resources_after),
    ):
        if is_ != shown:
            yield f"its {name} differ"


def _other_values(ctx: ReleaseContext, prepared: Prepared, content: bytes) -> Iterator[str]:
    planned = json.loads(content).get("variables", {})
    files = prepare.read(ctx, prepared.root)
    passed = prepared.terraform.settings.pass_env  # the planner's surroundings gave these, and they are not ours
    unset = ((name, body) for name, body in _variables(files) if f"TF_VAR_{name}" not in passed)
    defaults = {name: body["default"] for name, body in unset if "default" in body}
    paths = [*prepare.automatic_var_files(prepared.root), *prepared.var_files]
    layers = [hcl.read_file(path, ctx.cache, planned.keys()) for path in paths]
    for name in different(planned, [defaults, *layers]):
        yield f"the variable {quoted(name)} has another value"


def _variables(files: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    return (pair for body in files.values() for pair in labelled(body, "variable"))


def _other_configuration(prepared: Prepared) -> Iterator[str]:
    """The files that the plan holds are those of the export, with ours among them; no more and no less."""
    terraform = prepared.terraform
    dialect = DIALECTS[terraform.name]
    planned = configuration(terraform.plan_file, terraform.root)
    folders = {terraform.root.resolve()} | {
        folder.resolve() for folder in module_folders(terraform.workspace.data, terraform.root).values()
    }
    read = {
        folder / name
        for folder in folders
        for name in dialect.read({path.name for path in folder.iterdir() if not path.is_dir()})
        if name.endswith(dialect.configuration)
    }
    for path in sorted({*planned} ^ read):
        yield f"{quoted(path.name)} is in one of the two alone"
    for path, content in planned.items():
        if path.read_bytes() != content:
            yield f"{quoted(path.name)} differs"
