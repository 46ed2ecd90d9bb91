"""`terraform test` as a scanner: the tests of the root and of the local modules it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.model.checks.check import NO_TESTS, OWN, Observed
from orchestrator.model.checks.coverage import LOCK_FILE, tests_of
from orchestrator.model.checks.finding import Finding
from orchestrator.stages.checks.subject import terraform_in_tree
from orchestrator.stages.checks.terraform import OfTerraform

_NOT_RUN = "The tests were not run, because they apply this repository's code; --policies runs them."


@dataclass(frozen=True)
class TerraformTestScanner(OfTerraform):
    """Every module with test files, one after another, with the provider versions that the root locks."""

    name = "terraform test"

    @property
    def depends_on(self) -> Mapping[str, Any]:
        return {
            "root": self.subject.root,
            "unlocked": self.subject.unlocked(self.coverage, self.ctx.today),
            "passed": {name: self.ctx.env.get(name) for name in self.subject.terraform.pass_env},
            "run": self.subject.policies,
            **self.subject.allows,
        }

    def look(self, scratch_dir: ScratchDir) -> Observed:
        from orchestrator.effects.checks.terraform_test import TerraformTest

        if not self.subject.policies:
            return Observed((), (_NOT_RUN,), cases=())
        lock_file = scratch_dir.tree / self.subject.root / LOCK_FILE
        terraform = terraform_in_tree(self.subject, self.ctx, self.tool, scratch_dir)
        testing = TerraformTest(terraform, lock_file.read_bytes() if lock_file.is_file() else None)
        files = {module: tests_of(module, self.coverage, self.tool.dialect) for module in self.coverage.modules}
        ended = [testing.observe(module, found) for module, found in files.items() if found]
        observed = Observed.together([Observed((), cases=()), *ended])
        return observed if observed.cases or observed.findings else Observed((self._no_tests(),), cases=())

    def _no_tests(self) -> Finding:
        return Finding(
            check="test",
            tool=OWN,
            rule=NO_TESTS,
            severity="notice",
            message=f"no tests: neither {self.subject.shown_root or '.'} nor a local module it uses has any",
            remediation="Write tests/<name>.tftest.hcl beside the code, or take `test` out of checks.required.",
        )
