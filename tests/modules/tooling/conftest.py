"""The tooling as it is applied, once for all tests of this folder."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tests.support.tooling_project import AppliedTooling


@pytest.fixture(scope="session")
def project(tooling_begun: Future[AppliedTooling]) -> AppliedTooling:
    return tooling_begun.result()
