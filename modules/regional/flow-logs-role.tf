# The role comes from the global scope, found by its name; or, kept apart by Region, from here.

locals {
  own_role = var.role_isolation == "region"
  # Mirrors the naming of module service-role, which the global scope uses.
  role_name = join("-", concat(
    ["${var.name}-flow-logs"],
    var.role_isolation == "version" ? ["v${var.role_version}"] : [],
  ))
  flow_logs_role_arn = local.own_role ? one(module.flow_logs_role[*].arn) : one(one(data.aws_iam_roles.flow_logs[*].arns))
}

# Looked up as a list, because a list may be empty: a missing role is then explained instead of "not found".
data "aws_iam_roles" "flow_logs" {
  count = local.own_role ? 0 : 1

  name_regex = "^${local.role_name}$"

  lifecycle {
    postcondition {
      condition     = length(self.arns) == 1
      error_message = "The role ${local.role_name} is not there yet. It belongs to the global scope: ${var.global_hint}"
    }
  }
}

module "flow_logs_policy" {
  source = "../flow-logs-policy"

  name      = var.name
  account   = local.account
  partition = local.partition
}

module "flow_logs_role" {
  source = "../service-role"
  count  = local.own_role ? 1 : 0

  name             = "${var.name}-flow-logs"
  region           = var.region
  description      = "Delivers VPC flow logs of ${var.name} in ${var.region} to CloudWatch Logs"
  trusted_services = module.flow_logs_policy.trusted_services
  source_account   = local.account
  policies         = module.flow_logs_policy.policies

  permissions_boundary_arn = (
    var.permissions_boundary == null ? null :
    "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
  )
}
