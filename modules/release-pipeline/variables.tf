variable "name" {
  description = "Name of the pipeline, and the beginning of all names here: `<stem>-<env>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,56}$", var.name))
    error_message = "name is \"${var.name}\" (${length(var.name)} characters): use at most 57 lower-case letters, digits and hyphens, so that role names stay within 64. Shorten state.prefix or the environment's name."
  }
}

variable "env" {
  description = "The environment that is released to."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", var.env)) && endswith(var.name, "-${var.env}")
    error_message = "env is \"${var.env}\": it is an environment of envs/, and name (${var.name}) ends with it."
  }
}

variable "tag_prefixes" {
  description = "What the names of tags begin with that start this pipeline, for example `[\"dev_\"]`."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.tag_prefixes) > 0 && alltrue([for prefix in var.tag_prefixes : startswith(prefix, "${var.env}_")])
    error_message = "tag_prefixes is [${join(", ", var.tag_prefixes)}]: name at least one, each beginning with ${var.env}_, so that no other environment's tags start this pipeline."
  }
}

variable "source_repository" {
  description = "The repository, as module source tells it, and its protected branch."
  type = object({
    type           = string
    url            = string
    repository_arn = optional(string)
    connection_arn = optional(string)
    branch         = string
  })

  validation {
    condition     = contains(["CODECOMMIT", "GITHUB", "GITLAB", "BITBUCKET"], var.source_repository.type)
    error_message = "source_repository has the type ${var.source_repository.type}: it is CODECOMMIT, GITHUB, GITLAB or BITBUCKET."
  }
}

variable "required_checks" {
  description = "What the environment requires (`checks.required`): a step for each that is not `lint` or `scan`, which every pipeline has."
  type        = set(string)
  default     = []
  nullable    = false

  # CodePipeline gives an action five artefacts at most: the plan takes the source and the result of each check.
  validation {
    condition     = length(setunion(var.required_checks, ["lint", "scan"])) <= 4 && alltrue([for check in var.required_checks : can(regex("^[a-z]{1,10}$", check)) && !contains(["plan", "apply", "verify", "submit"], check)])
    error_message = "required_checks is [${join(", ", var.required_checks)}]: name checks, at most two besides lint and scan."
  }
}

variable "stores" {
  description = "What `orchestrate bootstrap` made for the environment: names, and ARN of the key (null where S3 manages the keys)."
  type = object({
    state_bucket   = string
    lock_table     = optional(string)
    release_bucket = string
    ledger_table   = string
    kms_key_arn    = optional(string)
  })
}

variable "teams" {
  description = "The environment's teams and their workload accounts. No role here reaches another account."
  type        = map(object({ account = string }))
  nullable    = false

  validation {
    condition     = length(var.teams) > 0 && alltrue([for team in values(var.teams) : can(regex("^[0-9]{12}$", team.account))])
    error_message = "teams names at least one team, each with an account number of twelve digits."
  }
}

variable "workload_roles" {
  description = "Names of the roles in the workload accounts."
  type        = object({ plan = string, apply = string })

  validation {
    condition     = var.workload_roles.plan != var.workload_roles.apply
    error_message = "workload_roles has ${var.workload_roles.plan} twice: reading and writing use different roles."
  }
}

variable "approvals" {
  description = "How many people approve a plan before it is applied; 0: none."
  type        = number
  default     = 0

  validation {
    condition     = var.approvals >= 0 && var.approvals <= 10 && floor(var.approvals) == var.approvals
    error_message = "approvals is ${var.approvals}: give a whole number from 0 to 10."
  }
}

variable "plan_expiry_hours" {
  description = "Hours after which a plan is refused; as long its approval is waited for."
  type        = number
  default     = 24

  validation {
    condition     = var.plan_expiry_hours >= 1 && var.plan_expiry_hours <= 720
    error_message = "plan_expiry_hours is ${var.plan_expiry_hours}: give 1 to 720."
  }
}

variable "timeouts" {
  description = "Minutes that Terraform may take to plan and to apply."
  type        = object({ plan = number, apply = number })
  default     = { plan = 60, apply = 240 }

  validation {
    condition     = alltrue([for minutes in values(var.timeouts) : minutes >= 1 && minutes <= 1440])
    error_message = "timeouts are ${var.timeouts.plan} and ${var.timeouts.apply} minutes: give 1 to 1440 each."
  }
}

variable "apply_from" {
  description = "`pipeline`: only the pipeline's apply step may apply; `anywhere`: people may, with a role that is made for them."
  type        = string
  default     = "anywhere"

  validation {
    condition     = contains(["anywhere", "pipeline"], var.apply_from)
    error_message = "apply_from is \"${var.apply_from}\": it is anywhere or pipeline."
  }
}

variable "package" {
  description = "Where in the release bucket `orchestrate` and its dependencies are, and the SHA-256 of their requirements.txt, which pins them all."
  type        = object({ prefix = string, sha256 = string })

  validation {
    condition     = can(regex("^tooling/", var.package.prefix)) && can(regex("^[0-9a-f]{64}$", var.package.sha256))
    error_message = "package has a prefix below tooling/, where no build may write, and a SHA-256 of 64 hexadecimal digits."
  }
}

variable "logs" {
  description = "Log groups, topic and queue: days that logs are kept, and ARN of the KMS key that encrypts them."
  type        = object({ retention_days = number, kms_key_arn = string })
}

variable "notify" {
  description = "Mail addresses that hear of approvals to give and of failures."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.notify : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))])
    error_message = "notify is [${join(", ", var.notify)}]: give mail addresses."
  }
}

variable "break_glass_topic" {
  description = "ARN of the SNS topic that hears when somebody breaks the glass (`approval.break_glass.notify`); null: nobody may."
  type        = string
  default     = null

  validation {
    condition     = var.break_glass_topic == null || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.break_glass_topic))
    error_message = "break_glass_topic is \"${coalesce(var.break_glass_topic, "null")}\": give the ARN of an SNS topic."
  }
}

variable "build" {
  description = "The image and size of builds."
  type        = object({ image = string, compute_type = string })
  default     = { image = "aws/codebuild/amazonlinux-x86_64-standard:5.0", compute_type = "BUILD_GENERAL1_SMALL" }
}
