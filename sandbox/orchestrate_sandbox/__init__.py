"""The emulated AWS on this machine (docs/sandbox.md).

`server` is a program of its own; `process` starts it, `background` keeps one per repository, `run` wraps a command
in one. A distribution of its own, which orchestrate finds by its entry point and never imports: an orchestrator in the
sandbox is the same as one that talks to AWS.
"""

__version__ = "0.2.0"
