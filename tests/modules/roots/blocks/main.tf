# Every block that needs no load balancer, applied together: one run for all of them.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "zones" {
  description = "Letters of the zones."
  type        = list(string)
  default     = ["a", "c"]
}

variable "nat" {
  description = "As in module network."
  type        = string
  default     = "single"
}

variable "role_versions" {
  description = "Versions of the role."
  type        = set(number)
  default     = [1]
}

variable "managed_names" {
  description = "As in module deploy-roles."
  type        = set(string)
  default     = ["dev-research-*"]
}

variable "table_protected" {
  description = "As deletion_protection in module global-table."
  type        = bool
  default     = false
}

variable "replica_regions" {
  description = "As in module global-table."
  type        = set(string)
  default     = ["eu-central-1"]
}

locals {
  account = "000000000000"
}

module "deploy_roles" {
  source = "../../../../modules/deploy-roles"

  account                 = local.account
  tooling_account         = "999999999999"
  plan_trusted_role_arns  = ["arn:aws:iam::999999999999:role/acme-plan-dev", "arn:aws:iam::999999999999:role/acme-apply-dev"]
  build_trusted_role_arns = ["arn:aws:iam::999999999999:role/acme-apply-dev"]
  managed_names           = var.managed_names
  external_id             = "acme"
}

module "policy" {
  source = "../../../../modules/flow-logs-policy"

  name      = "blocks"
  account   = local.account
  partition = "aws"
}

module "role" {
  source   = "../../../../modules/service-role"
  for_each = { for number in var.role_versions : "v${number}" => number }

  name                     = "blocks-flow-logs"
  role_version             = each.value
  description              = "Delivers flow logs"
  trusted_services         = module.policy.trusted_services
  source_account           = local.account
  policies                 = module.policy.policies
  permissions_boundary_arn = module.deploy_roles.service_boundary_arn
}

module "network" {
  source = "../../../../modules/network"

  name = "blocks"
  cidr = "10.20.0.0/16"
  zones = {
    for letter in var.zones : "us-east-1${letter}" => {
      public  = cidrsubnet("10.20.0.0/16", 4, index(["a", "b", "c"], letter))
      private = cidrsubnet("10.20.0.0/16", 4, index(["a", "b", "c"], letter) + 8)
    }
  }
  nat       = var.nat
  flow_logs = { role_arn = module.role["v1"].arn }
}

module "table" {
  source = "../../../../modules/global-table"

  name                = "blocks-orders"
  hash_key            = { name = "order" }
  range_key           = { name = "line", type = "N" }
  replica_regions     = var.replica_regions
  deletion_protection = var.table_protected
}

output "vpc_id" {
  description = "As in module network."
  value       = module.network.vpc_id
}
