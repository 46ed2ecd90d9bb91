data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  release_bucket = "arn:${local.partition}:s3:::${var.stores.release_bucket}"
  state_bucket   = "arn:${local.partition}:s3:::${var.stores.state_bucket}"
  tables         = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table"
  projects       = "arn:${local.partition}:codebuild:${local.region}:${local.account}:project"
  pipeline_arn   = "arn:${local.partition}:codepipeline:${local.region}:${local.account}:${var.name}"

  # CodePipeline keeps what its actions hand on below the first 20 characters of the pipeline's name, and below the first
  # 10 of the artefact's.
  handed_on = "${local.release_bucket}/${substr(var.name, 0, min(20, length(var.name)))}"

  codecommit = var.source_repository.type == "CODECOMMIT"

  # What every build is told; the rest comes with the execution.
  told = {
    ORCHESTRATE_ENV       = var.env
    ORCHESTRATE_PIPELINE  = var.name
    ORCHESTRATE_RULES_REF = "refs/heads/${var.source_repository.branch}"
    ORCHESTRATE_PACKAGE   = "s3://${var.stores.release_bucket}/${var.package.prefix}"
    ORCHESTRATE_SHA256    = var.package.sha256
  }
}
