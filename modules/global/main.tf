data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.account
      error_message = "The provider's credentials belong to account ${self.account_id}, but account is ${var.account}. Release with the role of account ${var.account}, or correct the team's account in envs/."
    }
  }
}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Versions stand side by side while Regions move from one to the next; by Region, each Region makes its own.
  role_versions = {
    plain   = { plain = null }
    version = { for number in var.role_versions : "v${number}" => number }
    region  = {}
  }
}

module "flow_logs_policy" {
  source = "../flow-logs-policy"

  name      = var.name
  account   = local.account
  partition = local.partition
}

# The role that a Region's flow logs are delivered with. Regions find it by its name.
module "flow_logs_role" {
  source   = "../service-role"
  for_each = local.role_versions[var.role_isolation]

  name             = "${var.name}-flow-logs"
  role_version     = each.value
  description      = "Delivers VPC flow logs of ${var.name} to CloudWatch Logs"
  trusted_services = module.flow_logs_policy.trusted_services
  source_account   = local.account
  policies         = module.flow_logs_policy.policies

  permissions_boundary_arn = (
    var.permissions_boundary == null ? null :
    "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
  )
}

moved {
  from = module.flow_logs_role
  to   = module.flow_logs_role["plain"]
}

module "table" {
  source   = "../global-table"
  for_each = var.tables

  name                = "${var.name}-${each.key}"
  hash_key            = each.value.hash_key
  range_key           = each.value.range_key
  replica_regions     = each.value.replica_regions
  kms_key_arns        = each.value.kms_key_arns
  deletion_protection = var.deletion_protection
}
