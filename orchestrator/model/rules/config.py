"""The configuration in `envs/` as types; the JSON Schemas for editors are made from them.

`envs/orchestrate.yaml` is a Project, `envs/<env>.yaml` an Environment. What one type alone cannot say (names that
collide, an account in two environments) is checked in `rules`. Unknown keys are errors everywhere.
"""

# No `from __future__ import annotations`: msgspec would evaluate each of them again at every start.
from typing import Annotated, Literal, TypeAlias, get_args

from msgspec import Meta, Struct, field

from orchestrator.model.rules.check_settings import Checks, PlanPolicy
from orchestrator.model.rules.region import REGIONS
from orchestrator.model.rules.release_settings import (
    Approval,
    Freeze,
    People,
    PromoteFrom,
    Promotion,
    Signature,
    Signers,
    Waves,
    Window,
)
from orchestrator.model.rules.tag import TEAM_PATTERN, TEAM_RULE
from orchestrator.model.tools.dialect import Program

# IAM and STS API references: RoleSessionName, RoleName and ExternalId.
_SESSION_NAME = r"^[A-Za-z0-9_+=,.@-]{2,64}$"
_ROLE_NAME = r"^[A-Za-z0-9_+=,.@-]{1,64}$"
_EXTERNAL_ID = r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$"
_RELATIVE_PATH = r"^(?!/)(?!.*(^|/)\.\.(/|$))[A-Za-z0-9._/-]+$"

AccountId: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]{12}$", description="An AWS account number: twelve digits, in quotes.")
]
# The list is for editors; `rule_checks` refuses unknown Regions, together with everything else that is wrong.
KNOWN_REGION = {"enum": list(REGIONS)}
RegionName: TypeAlias = Annotated[str, Meta(description="The name of an AWS Region.", extra_json_schema=KNOWN_REGION)]
TeamName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=f"^{TEAM_PATTERN}$",
        description=f"The name of a team: {TEAM_RULE}.",
    ),
]
RoleName: TypeAlias = Annotated[str, Meta(pattern=_ROLE_NAME, description="The name of an IAM role, without path.")]
FolderPath: TypeAlias = Annotated[
    str, Meta(pattern=_RELATIVE_PATH, description="A folder of the repository, relative to the one that holds envs/.")
]
VariableName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
Fact: TypeAlias = Literal["account", "region", "env", "team", "scope", "release"]


class ObjectLock(Struct, frozen=True, forbid_unknown_fields=True):
    """How long nobody can delete what is recorded in the release buckets: `anchors/`, `receipts/`, `evidence/`."""

    mode: Annotated[
        Literal["GOVERNANCE", "COMPLIANCE"],
        Meta(description="GOVERNANCE: whoever has s3:BypassGovernanceRetention can end it; COMPLIANCE: nobody can."),
    ]
    days: Annotated[int, Meta(ge=1, le=36500, description="From when an object is written.")]


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Terraform's state is kept."""

    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
            description="The beginning of all bucket and table names: at most 40 of a-z, 0-9 and -.",
        ),
    ]
    region: Annotated[str, Meta(description="The tooling Region.", extra_json_schema=KNOWN_REGION)]
    layout: Annotated[
        Literal["central", "regional"],
        Meta(description="central: all state in the tooling Region; regional: in the Region of each target."),
    ] = "central"
    locking: Annotated[
        Literal["dynamodb", "s3", "both"],
        Meta(description="Which locks Terraform takes: the lock table's, a lock object in the bucket, or both."),
    ] = "both"
    encryption: Annotated[
        Literal["kms", "s3"],
        Meta(description="kms: a key of the project's own (alias/<prefix>-<env>); s3: keys that S3 manages."),
    ] = "kms"
    object_lock: Annotated[
        ObjectLock | None,
        Meta(
            description="S3 Object Lock on what is recorded in the release buckets; by default only versions keep it."
        ),
    ] = None


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """The repository whose tags start the pipelines."""

    kind: Annotated[
        Literal["codecommit", "github", "gitlab", "bitbucket"],
        Meta(description="codecommit: made by the tooling; the others: linked through AWS CodeConnections."),
    ] = "codecommit"
    repository: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{1,100}(/[A-Za-z0-9._-]{1,100}){0,4}$",
            description="Its name; owner/name where it is linked.",
        ),
    ] = "infrastructure"
    branch: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$", description="The protected branch: the rules' home.")
    ] = "main"


class TrustedRoles(Struct, frozen=True, forbid_unknown_fields=True):
    """Roles of the tooling account, beside those of the pipelines, that workload accounts trust."""

    plan: Annotated[list[RoleName], Meta(description="These may plan.")] = field(default_factory=list)
    apply: Annotated[list[RoleName], Meta(description="These may plan and, where `apply_from` is anywhere, apply.")] = (
        field(default_factory=list)
    )


class Tooling(Struct, frozen=True, forbid_unknown_fields=True):
    """The account that holds the repository, the pipelines and the state."""

    account: AccountId
    source: Source = field(default_factory=Source)
    notify: Annotated[
        list[Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]],
        Meta(description="Mail addresses that hear of approvals to give and of failures; each must confirm."),
    ] = field(default_factory=list)
    log_retention_days: Annotated[
        Literal[30, 60, 90, 180, 365, 400, 545, 731, 1827, 3653],
        Meta(description="How long the logs of builds are kept."),
    ] = 365
    trusted_roles: TrustedRoles = field(default_factory=TrustedRoles)


class Roles(Struct, frozen=True, forbid_unknown_fields=True):
    """The roles in every workload account that plan and apply assume."""

    plan: RoleName = "InfraPlanRole"
    apply: RoleName = "InfraBuildRole"


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """The Terraform root configuration that a release plans and applies."""

    root: FolderPath = "modules/workload"
    roles: Roles = field(default_factory=Roles)
    session_name: Annotated[str, Meta(pattern=_SESSION_NAME, description="The session name of the assumed roles.")] = (
        "INFRA_BUILD"
    )
    external_id: Annotated[
        Annotated[str, Meta(pattern=_EXTERNAL_ID)] | None,
        Meta(description="The external id that the roles' trust policies ask for: 2 to 1224 of A-Z, 0-9 and _+=,.@:/-"),
    ] = None
    services: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]+$")]] | None,
        Meta(
            description="IAM prefixes of the AWS services that releases use; by default those of modules/deploy-roles."
        ),
    ] = None
    variables: Annotated[
        dict[Fact, VariableName],
        Meta(
            description="What the root calls a fact of the target where it is not its own name: {env: environment}.",
            extra_json_schema={"propertyNames": {"enum": list(get_args(Fact))}},
        ),
    ] = field(default_factory=dict)
    unmanaged_providers: Annotated[
        list[Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)?$")]],
        Meta(description="Provider blocks whose credentials stay as written: `aws`, `aws.<alias>`, `awscc`."),
    ] = field(default_factory=list)


class TerraformSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How Terraform is run."""

    program: Annotated[Program, Meta(description="Terraform or OpenTofu.")] = "terraform"
    plan_timeout_minutes: Annotated[int, Meta(ge=1, le=1440, description="Time limit of one plan.")] = 60
    apply_timeout_minutes: Annotated[int, Meta(ge=1, le=1440, description="Time limit of one apply.")] = 240
    providers: Annotated[
        list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:*_-]+(/[A-Za-z0-9*_-]+){1,2}$")]] | None,
        Meta(
            description="Providers that may run, with or without the registry's name (hashicorp/*); "
            "by default those of hashicorp, and those in the lock file of the protected branch."
        ),
    ] = None
    session: Annotated[
        Literal["optional", "required"],
        Meta(
            description="required: Terraform runs only with a session of its own, narrowed to the target; optional: "
            "where no role of the tooling can be taken for one, with the caller's credentials, and says so."
        ),
    ] = "optional"
    pass_env: Annotated[
        list[Annotated[str, Meta(pattern=r"^(?!AWS_|LD_|DYLD_|PATH$|HOME$)[A-Za-z_][A-Za-z0-9_]*$")]],
        Meta(
            description="Names of variables that Terraform, and with it every provider and program that it starts, may "
            "see besides those that it needs: TF_VAR_*, TF_CLI_ARGS*, TF_WORKSPACE, tokens of providers."
        ),
    ] = field(default_factory=list)


class Project(Struct, frozen=True, forbid_unknown_fields=True):
    """envs/orchestrate.yaml: the settings of the whole project."""

    state: State
    tooling: Tooling
    workload: Workload = field(default_factory=Workload)
    terraform: TerraformSettings = field(default_factory=TerraformSettings)
    people: People = field(default_factory=People)


class Team(Struct, frozen=True, forbid_unknown_fields=True):
    """A team's workload account in this environment."""

    account: AccountId
    regions: Annotated[
        list[RegionName] | None, Meta(description="The Regions of this team; by default all of the environment.")
    ] = None
    root: Annotated[
        FolderPath | None, Meta(description="The team's own root configuration instead of workload.root.")
    ] = None
    shared_account: Annotated[
        bool, Meta(description="True where another team of this environment uses the same account, on both.")
    ] = False


class Plans(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of stored plans."""

    expire_after_hours: Annotated[
        int, Meta(ge=1, le=720, description="A plan older than this is refused at apply.")
    ] = 24


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """envs/<env>.yaml: one environment."""

    regions: Annotated[list[RegionName], Meta(min_length=1, description="The Regions that may be deployed to.")]
    global_resource_deploy_from_region: Annotated[
        str,
        Meta(description="The provider Region of releases of scope `global`.", extra_json_schema=KNOWN_REGION),
    ]
    teams: Annotated[dict[TeamName, Team], Meta(min_length=1, description="The teams, by name.")]
    signature: Annotated[
        Signature,
        Meta(
            description="required: tags must be signed by one of `signers`; any: a signature, where there is one, must "
            "be good and one of theirs; none: signatures are not looked at."
        ),
    ] = "none"
    signers: Signers = field(default_factory=Signers)
    approval: Approval = field(default_factory=Approval)
    windows: Annotated[
        Annotated[list[Window], Meta(min_length=1)] | None,
        Meta(description="When applies may begin; by default at any time."),
    ] = None
    freeze: Annotated[list[Freeze], Meta(description="Days on which nothing is applied.")] = field(default_factory=list)
    promote_from: PromoteFrom = None
    promotion: Promotion = field(default_factory=Promotion)
    waves: Waves = None
    checks: Checks = field(default_factory=Checks)
    policy: PlanPolicy = field(default_factory=PlanPolicy)
    plans: Plans = field(default_factory=Plans)
    apply_from: Annotated[
        Literal["anywhere", "pipeline"],
        Meta(description="pipeline: only the pipeline's apply step may apply; everybody else is refused, by IAM too."),
    ] = "anywhere"
    allow_lightweight_tags: Annotated[
        bool, Meta(description="Accept tags without a tag object: nobody is recorded as their author.")
    ] = False
    allow_unmerged_commits: Annotated[
        bool, Meta(description="Accept tags on commits that the protected branch does not contain.")
    ] = False
