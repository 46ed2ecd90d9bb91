"""The emulated AWS on this machine (docs/sandbox.md).

`server` is a program of its own; `process` starts it, `background` keeps one per repository, `run` wraps a command
in one. Nothing here is imported by a release: an orchestrator in the sandbox is the same as one that talks to AWS.
"""
