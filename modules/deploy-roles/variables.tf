variable "account" {
  description = "Number of the workload account that the roles stand in, twelve digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "tooling_account" {
  description = "Number of the tooling account, whose roles are trusted."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.tooling_account))
    error_message = "tooling_account is \"${var.tooling_account}\": write the account number as a string of twelve digits, leading zeros included."
  }

  validation {
    condition     = var.tooling_account != var.account
    error_message = "account and tooling_account are both ${var.account}: what releases there could change states, plans and the record of all. Give the team an account of its own."
  }
}

variable "plan_trusted_role_arns" {
  description = "ARNs of the tooling account's roles that may plan. The roles exist before this is applied."
  type        = set(string)
  nullable    = false

  validation {
    condition = length(var.plan_trusted_role_arns) > 0 && alltrue([
      for arn in var.plan_trusted_role_arns : can(regex("^arn:aws(-[a-z]+)*:iam::${var.tooling_account}:role/[A-Za-z0-9+=,.@_/-]+$", arn))
    ])
    error_message = "plan_trusted_role_arns is [${join(", ", var.plan_trusted_role_arns)}]: name at least one role of account ${var.tooling_account} by its whole ARN, without wildcards (arn:aws:iam::${var.tooling_account}:role/NAME)."
  }
}

variable "build_trusted_role_arns" {
  description = "ARNs of the tooling account's roles that may apply. The roles exist before this is applied."
  type        = set(string)
  nullable    = false

  validation {
    condition = length(var.build_trusted_role_arns) > 0 && alltrue([
      for arn in var.build_trusted_role_arns : can(regex("^arn:aws(-[a-z]+)*:iam::${var.tooling_account}:role/[A-Za-z0-9+=,.@_/-]+$", arn))
    ])
    error_message = "build_trusted_role_arns is [${join(", ", var.build_trusted_role_arns)}]: name at least one role of account ${var.tooling_account} by its whole ARN, without wildcards (arn:aws:iam::${var.tooling_account}:role/NAME)."
  }
}

variable "managed_names" {
  description = "Names, with `*` at the end, of the roles, policies and instance profiles that the build role manages, for example `[\"dev-research-*\"]`."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.managed_names) > 0 && alltrue([for pattern in var.managed_names : can(regex("^[A-Za-z0-9+=,.@_/-]{3,}[*]?$", pattern))])
    error_message = "managed_names is [${join(", ", var.managed_names)}]: name at least one pattern of three characters or more before a final *, such as dev-research-*. A bare * would hand over every role of the account."
  }

  validation {
    condition = alltrue(flatten([
      for pattern in var.managed_names : [
        for name in [
          var.plan_role_name, var.build_role_name, var.build_boundary_name, var.service_boundary_name,
          # What AWS Organizations and Control Tower administer the account with.
          "OrganizationAccountAccessRole", "AWSControlTowerExecution",
        ] :
        pattern != name && !(endswith(pattern, "*") && startswith(name, trimsuffix(pattern, "*")))
      ]
    ]))
    error_message = "managed_names is [${join(", ", var.managed_names)}], which covers the deployment roles, their boundaries, or roles that AWS administers the account with. Choose patterns that do not."
  }

  validation {
    # Paths of IAM Identity Center's roles and of service-linked ones.
    condition     = alltrue([for pattern in var.managed_names : !can(regex("^aws-|^aws[*]$", pattern))])
    error_message = "managed_names is [${join(", ", var.managed_names)}]: names and paths that begin with aws- are AWS's own. Choose patterns that begin otherwise."
  }
}

variable "services" {
  description = "IAM prefixes of the AWS services that releases use: read by the plan role, managed by the build role, the most for roles that it makes."
  type        = set(string)
  default     = ["acm", "cloudwatch", "dynamodb", "ec2", "elasticloadbalancing", "kms", "logs", "s3", "wafv2"]
  nullable    = false

  validation {
    condition     = length(var.services) > 0 && alltrue([for service in var.services : can(regex("^[a-z][a-z0-9-]+$", service))])
    error_message = "services is [${join(", ", var.services)}]: name at least one IAM service prefix such as ec2, without wildcards."
  }

  validation {
    condition     = length(setintersection(var.services, ["iam", "sts", "organizations", "account", "sso", "sso-directory", "identitystore"])) == 0
    error_message = "services holds ${join(", ", setintersection(var.services, ["iam", "sts", "organizations", "account", "sso", "sso-directory", "identitystore"]))}, with which a release could raise its own rights. Remove it; roles are covered by managed_names."
  }
}

variable "external_id" {
  description = "External id that the tooling account must give; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.external_id == null ? true : can(regex("^[A-Za-z0-9+=,.@:/_-]+$", var.external_id)) && length(var.external_id) >= 2 && length(var.external_id) <= 1224
    error_message = "external_id must have 2 to 1,224 letters, digits and +=,.@:/_-, as AWS STS requires."
  }
}

variable "session_tag_keys" {
  description = "Session tags that the tooling account may pass."
  type        = set(string)
  default     = ["env", "scope", "tag", "team"]
  nullable    = false

  validation {
    condition     = length(var.session_tag_keys) > 0
    error_message = "session_tag_keys is empty, and then every session tag would be refused: name the keys that releases pass."
  }
}

variable "plan_role_name" {
  description = "Name of the role that plans."
  type        = string
  default     = "InfraPlanRole"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.plan_role_name))
    error_message = "plan_role_name is \"${var.plan_role_name}\" (${length(var.plan_role_name)} characters): an IAM role name has 1 to 64 letters, digits and +=,.@_-."
  }
}

variable "build_role_name" {
  description = "Name of the role that applies."
  type        = string
  default     = "InfraBuildRole"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.build_role_name)) && var.build_role_name != var.plan_role_name
    error_message = "build_role_name is \"${var.build_role_name}\" (${length(var.build_role_name)} characters): an IAM role name has 1 to 64 letters, digits and +=,.@_-, and differs from plan_role_name."
  }
}

variable "build_boundary_name" {
  description = "Name of the policy that bounds the build role."
  type        = string
  default     = "InfraBuildBoundary"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", var.build_boundary_name))
    error_message = "build_boundary_name is \"${var.build_boundary_name}\": an IAM policy name has 1 to 128 letters, digits and +=,.@_-."
  }
}

variable "service_boundary_name" {
  description = "Name of the policy that bounds the roles made by the build role; module workload expects this default."
  type        = string
  default     = "InfraServiceBoundary"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", var.service_boundary_name)) && var.service_boundary_name != var.build_boundary_name
    error_message = "service_boundary_name is \"${var.service_boundary_name}\": an IAM policy name has 1 to 128 letters, digits and +=,.@_-, and differs from build_boundary_name."
  }
}
