"""The modules and `orchestrate` name a Region alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.model.rules.region import REGIONS, short_name

ROOT = """
variable "regions" {
  type = set(string)
}

module "names" {
  source   = "./names"
  for_each = var.regions

  name   = "any"
  region = each.value
}

output "short" {
  value = { for region, names in module.names : region => names.region_short }
}
"""


@pytest.mark.slow
def test_short_name_of_every_region_is_the_orchestrators(
    modules: Callable[[Path | None], Path], root: Callable[..., Any]
) -> None:
    copy = modules(None)
    (copy / "main.tf").write_text(ROOT)
    every = root(".", copy=copy)
    every.apply({"regions": list(REGIONS)})
    assert every.outputs()["short"] == {region: short_name(region) for region in REGIONS}
