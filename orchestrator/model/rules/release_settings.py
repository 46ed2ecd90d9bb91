"""Who may release what when, in `envs/*.yaml`, as types: signatures, approvals, change windows, promotion."""

# No `from __future__ import annotations`: see config.
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from orchestrator.model.rules.tag import ENV_PATTERN

Signature: TypeAlias = Literal["none", "any", "required"]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_File = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!.*(^|/)\.\.(/|$))[A-Za-z0-9._/-]+$",
        description="A file of the protected branch, relative to the folder that holds envs/.",
    ),
]
# IAM API reference: role, user and session names; `*` stands for any characters.
_ROLE = r"[A-Za-z0-9_+=,.@*-]{1,64}"
_PRINCIPAL = rf"^(arn:aws[a-z-]*:iam::[0-9]{{12}}:(role|user)/[A-Za-z0-9_+=,.@*/-]{{1,512}}|{_ROLE})$"
_Time: TypeAlias = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
_Date: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
_Zone: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$",
        description="A time zone of the IANA database, such as Europe/Paris.",
    ),
]


class Signers(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose signatures count: the public keys stand on the protected branch. A file that is missing holds no key."""

    gpg: Annotated[_File, Meta(description="Public keys as `gpg --export --armor` writes them.")] = "envs/signers.asc"
    ssh: Annotated[_File, Meta(description="Allowed signers as ssh-keygen(1) describes them.")] = "envs/allowed_signers"


class BreakGlass(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may act alone in an emergency, and who is told of it at once."""

    by: Annotated[
        list[Annotated[str, Meta(pattern=_PRINCIPAL)]],
        Meta(min_length=1, description="Who may break the glass: names of roles or ARNs, as in `approval.by`."),
    ]
    notify: Annotated[
        str,
        Meta(
            pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$",
            description="The ARN of the SNS topic whose subscribers hear of it.",
        ),
    ]


class Approval(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a plan needs the approval of people before it is applied, of how many, and of whom."""

    required: Annotated[bool, Meta(description="True: apply refuses a plan that nobody has approved.")] = False
    count: Annotated[int, Meta(ge=1, le=10, description="How many people must approve.")] = 1
    by: Annotated[
        list[Annotated[str, Meta(pattern=_PRINCIPAL)]],
        Meta(
            description="Who may approve: names of roles of the tooling account, or ARNs of roles and users; `*` "
            "stands for any characters. Empty: whoever can write an approval."
        ),
    ] = field(default_factory=list)
    separation_of_duties: Annotated[
        bool, Meta(description="True: who released may not approve, and nobody of whom it is not known who they are.")
    ] = False
    console: Annotated[
        bool,
        Meta(
            description="True: an approval given in CodePipeline counts. False: it only lets the execution go on, and "
            "`orchestrate approve` is what counts; CodePipeline cannot tell which team an execution is of."
        ),
    ] = True
    break_glass: Annotated[
        BreakGlass | None,
        Meta(description="Who may act in an emergency without these approvals and outside the windows; else nobody."),
    ] = None


class Window(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """When applies may begin, every week. A window whose end is before its start ends on the next day."""

    days: Annotated[list[Day], Meta(min_length=1, description="The days on which it opens.")]
    start: Annotated[_Time, Meta(description='When it opens: "09:00".')]
    end: Annotated[_Time, Meta(description='When it closes: "16:30"; "24:00" is the end of the day.')]
    timezone: _Zone = "UTC"


class Freeze(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Days on which nothing is applied, whatever the windows say."""

    start: Annotated[_Date, Meta(description='The first day: "2026-12-20".')]
    end: Annotated[_Date, Meta(description='The last day: "2027-01-03".')]
    timezone: _Zone = "UTC"
    reason: Annotated[str, Meta(max_length=500, description="Why; it is told to whoever is refused.")] = ""


class Promotion(Struct, frozen=True, forbid_unknown_fields=True):
    """What must have happened in the environment that is promoted from, for the same team."""

    soak_hours: Annotated[int, Meta(ge=0, le=8760, description="How long it must have run there.")] = 0
    verified: Annotated[bool, Meta(description="True: `orchestrate verify` must have passed there.")] = True
    same: Annotated[
        Literal["commit", "source"],
        Meta(description="What must be the same: the commit, or every file that the team's root uses."),
    ] = "commit"


PromoteFrom: TypeAlias = Annotated[
    Annotated[str, Meta(pattern=f"^{ENV_PATTERN}$")] | None,
    Meta(description="The environment in which a release must have been applied before it may be released here."),
]


Waves: TypeAlias = Annotated[
    Annotated[list[Annotated[list[str], Meta(min_length=1)]], Meta(min_length=1)] | None,
    Meta(
        description="The order of releases to many targets at once: the Regions of a wave begin when those of the one "
        "before have been released: [[us-east-1], [eu-central-1, ap-southeast-1]]. `global` comes first unless it is "
        "in a wave. By default all Regions at once."
    ),
]


class People(Struct, frozen=True, forbid_unknown_fields=True):
    """How a person is known. Session names of IAM Identity Center (AWSReservedSSO_*) always are a person's."""

    named_sessions: Annotated[
        list[Annotated[str, Meta(pattern=f"^{_ROLE}$")]],
        Meta(
            description="Roles of the tooling account whose trust policy ties the session name (sts:RoleSessionName) "
            "to the person, or to the source identity; `*` stands for any characters."
        ),
    ] = field(default_factory=list)
    aliases: Annotated[
        dict[str, list[str]],
        Meta(description="Other names of the same person, by name: {alice: [alice@example.com, asmith]}."),
    ] = field(default_factory=dict)
