# The tooling account: the repository, one pipeline for each environment, and what records and encrypts. Everything
# follows from the configuration in envs/, which orchestrate reads as well: a new environment, team or Region is
# configuration only.

provider "aws" {
  region              = var.region
  allowed_account_ids = [local.project.tooling.account]

  default_tags {
    tags = {
      managed-by = "orchestrate"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "names" {
  source = "../names"

  name   = "tooling"
  region = var.region
}

module "source" {
  source = "../source"

  kind       = local.source.kind
  repository = local.source.repository
  branch     = local.source.branch
  stem       = local.stem
  home       = local.home
  replicas   = local.home && local.source.kind == "codecommit" ? setsubtract(local.regions, [var.region]) : []
  logs       = local.logs
  build      = var.build
}

module "pipeline" {
  source   = "../release-pipeline"
  for_each = local.here

  name         = "${local.stem}-${each.key}"
  env          = each.key
  tag_prefixes = local.tag_prefixes[each.key]
  teams        = { for team, settings in each.value.teams : team => { account = settings.account } }

  source_repository = {
    type           = module.source.type
    url            = module.source.url
    repository_arn = module.source.repository_arn
    connection_arn = module.source.connection_arn
    branch         = local.source.branch
  }

  stores = {
    state_bucket   = "${local.stem}-${each.key}"
    lock_table     = local.project.state.locking == "s3" ? null : "${local.stem}-lock-${each.key}"
    release_bucket = data.aws_s3_bucket.release[each.key].id
    ledger_table   = "${local.stem}-ledger-${each.key}"
    kms_key_arn    = local.keys[each.key]
  }

  workload_roles    = local.workload_roles
  approvals         = local.approvals[each.key]
  required_checks   = try(each.value.checks.required, [])
  plan_expiry_hours = try(each.value.plans.expire_after_hours, 24)
  apply_from        = try(each.value.apply_from, "anywhere")
  package           = { prefix = local.stored_prefix, sha256 = local.package_sha256 }
  logs              = local.logs
  notify            = try(local.project.tooling.notify, [])
  break_glass_topic = try(each.value.approval.break_glass.notify, null)
  build             = var.build

  timeouts = {
    plan  = try(local.project.terraform.plan_timeout_minutes, 60)
    apply = try(local.project.terraform.apply_timeout_minutes, 240)
  }
}
