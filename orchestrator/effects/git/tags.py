"""What a tag of the repository is."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.effects.git.objects import GitObject


@dataclass(frozen=True)
class TagRef:
    """A tag as git has it: the name of the ref, the object it points to, and the commit behind that."""

    name: str
    object: str
    commit: str
    annotated: bool
    inner_name: str | None
    tagger: str | None

    @staticmethod
    def of(name: str, target: GitObject, commit: str) -> TagRef:
        """`target` is what the ref points to: a tag object, or the commit itself."""
        if target.kind == "commit":
            return TagRef(name, target.id, commit, annotated=False, inner_name=None, tagger=None)
        header = _header(target)
        return TagRef(name, target.id, commit, True, header.get("tag"), header.get("tagger"))


def _header(tag: GitObject) -> dict[str, str]:
    """The header of a tag object; of a field that stands twice, the first, as git reads it."""
    fields: dict[str, str] = {}
    for line in tag.content.partition(b"\n\n")[0].decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        fields.setdefault(key, value)
    return fields
