"""What a plan would do: the counts and the changes that a receipt keeps of it."""

from __future__ import annotations

import msgspec

from orchestrator.model.text import decoding

SIGNS = {"add": "+", "change": "~", "destroy": "-", "replace": "-/+", "forget": ".", "import": "<-", "move": "->"}


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"import_": "import"}):
    """Counts of resources; a replacement counts as replace alone. What is imported or moved may be changed as well."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    import_: int = 0
    move: int = 0
    forget: int = 0
    outputs: int = 0

    def __str__(self) -> str:
        counted = [
            f"{self.add} to add, {self.change} to change, {self.destroy} to destroy, {self.replace} to replace",
            *(
                f"{number} to {kind}"
                for kind, number in (("import", self.import_), ("move", self.move), ("forget", self.forget))
                if number
            ),
        ]
        if self.outputs:
            counted.append(f"{self.outputs} output{'' if self.outputs == 1 else 's'} to change")
        return ", ".join(counted)

    def words(self, changes: bool) -> str:
        """As it is told everywhere. `changes` is Terraform's own verdict; old records do not count outputs."""
        if not changes and self == Summary():
            return "no changes"
        return "only outputs change" if self == Summary(outputs=self.outputs) else str(self)


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to one resource or output; `details` are lines such as `~ tags.release: "1.0" -> "1.1"`."""

    address: str
    action: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{SIGNS[self.action]} {self.address}"
        return "\n".join([head, *(f"    {line}" for line in self.details)])


class _Head(msgspec.Struct):
    format_version: str


def is_plan(content: bytes) -> bool:
    """Whether it is JSON of the form that `terraform show -json` gives to a plan (its documentation, "JSON Output")."""
    decoding.allow_depth()
    try:
        return decoding.decode(content, _Head).format_version.startswith("1.")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
