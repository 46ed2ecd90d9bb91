data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.name
  codecommit = var.kind == "codecommit"

  hosts     = { github = "github.com", gitlab = "gitlab.com", bitbucket = "bitbucket.org" }
  providers = { github = "GitHub", gitlab = "GitLab", bitbucket = "Bitbucket" }
}

resource "aws_codecommit_repository" "this" {
  #checkov:skip=CKV2_AWS_37: who may push to the protected branch and who may tag is limited by IAM, and every plan has its own approval
  count = local.codecommit ? 1 : 0

  repository_name = var.repository
  description     = "Infrastructure; its tags are released"
  kms_key_id      = var.logs.kms_key_arn
}

# Made as PENDING: a person completes it once in the console ("Update a pending connection").
resource "aws_codeconnections_connection" "this" {
  count = local.codecommit ? 0 : 1

  name          = substr("${var.stem}-tooling", 0, 32)
  provider_type = local.providers[var.kind]
}
