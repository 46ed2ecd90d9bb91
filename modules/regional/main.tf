data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.account
      error_message = "The provider's credentials belong to account ${self.account_id}, but account is ${var.account}. Release with the role of account ${var.account}, or correct the team's account in envs/."
    }
  }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.region
      error_message = "The provider works in ${self.name}, but region is ${var.region}. Give the provider region = var.region."
    }
  }
}

data "aws_partition" "current" {}

# Local zones and Wavelength zones have to be opted into: they are not part of the Region's own zones. Whatever their state:
# a zone that is impaired for an hour keeps its subnets in the plans of that hour.
data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394: subnets are keyed and addressed by zone, so that a new zone adds some and moves none; max_zones bounds it

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  partition = data.aws_partition.current.partition

  # A zone's letter gives its place in the address plan, so that a zone that comes or goes never moves another's subnets.
  letters = split("", "abcdefgh")
  names   = sort(data.aws_availability_zones.available.names)
  chosen  = slice(local.names, 0, min(coalesce(var.max_zones, length(local.letters)), length(local.names)))
  places  = { for zone in local.chosen : zone => index(local.letters, substr(zone, length(zone) - 1, 1)) }
  zones = {
    for zone, place in local.places : zone => {
      public  = cidrsubnet(var.cidr, 4, place)
      private = cidrsubnet(var.cidr, 4, place + length(local.letters))
    }
  }
}

module "names" {
  source = "../names"

  name   = var.name
  region = var.region
}

module "network" {
  source = "../network"

  name  = var.name
  cidr  = var.cidr
  zones = local.zones
  nat   = var.nat

  flow_logs = {
    role_arn       = local.flow_logs_role_arn
    retention_days = var.log_retention_days
    kms_key_arn    = aws_kms_key.logs.arn
  }
}

module "web_entry" {
  source = "../web-entry"

  name                = module.names.name_32
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  page                = { body = var.page }
  allowed_cidrs       = var.allowed_cidrs
  certificate         = var.certificate
  web_acl             = var.web_acl
  deletion_protection = var.deletion_protection

  access_logs = {
    bucket         = "${module.names.name_32}-logs-${local.account}-${module.names.region_short}"
    retention_days = var.log_retention_days
  }
}
