"""Repositories made on the spot, released by the real command against one emulated AWS for each test process."""

from tests.support.projects import new_project

__all__ = ["new_project"]
