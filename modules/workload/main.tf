# One root for every environment, team and scope. The orchestrator gives the variables below, the backend and the
# roles; scope alone decides which of the two compositions a state holds.

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      environment = var.env
      team        = var.team
      scope       = var.scope
      managed-by  = "terraform"
    }
  }
}

locals {
  name    = "${var.env}-${var.team}"
  version = reverse(split("/", var.release))[0]
  region  = "Region: ${var.region}"
  page = join("", [
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>${var.team} ${var.env}</title></head>",
    "<body><h1>${local.greeting}</h1><p>${local.region}</p><p>Team ${var.team}, environment ${var.env}</p></body></html>",
  ])
  # Text in HTML, never markup.
  greeting = replace(replace(replace(var.greeting, "&", "&amp;"), "<", "&lt;"), ">", "&gt;")

  deletion_protection = coalesce(var.deletion_protection, !contains(["dev", "qa"], var.env))
}

module "global" {
  source = "../global"
  count  = var.scope == "global" ? 1 : 0

  name                 = local.name
  account              = var.account
  role_isolation       = var.role_isolation
  role_versions        = var.role_versions
  permissions_boundary = var.permissions_boundary
  tables               = var.tables
  deletion_protection  = local.deletion_protection
}

module "regional" {
  source = "../regional"
  count  = var.scope == "global" ? 0 : 1

  name                 = local.name
  account              = var.account
  region               = var.region
  cidr                 = var.cidr
  max_zones            = var.max_zones
  nat                  = var.nat
  page                 = local.page
  allowed_cidrs        = var.allowed_cidrs
  certificate          = var.certificate
  web_acl              = var.web_acl
  log_retention_days   = var.log_retention_days
  deletion_protection  = local.deletion_protection
  role_isolation       = var.role_isolation
  role_version         = var.role_version
  permissions_boundary = var.permissions_boundary
  global_hint          = "release ${var.env}_global/${var.team}/${local.version} first."
}
