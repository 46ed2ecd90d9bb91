data "aws_region" "current" {}

locals {
  # A partition's Regions have a prefix of their own (eu-isoe-west-1 is not Europe's); replicas cannot cross partitions.
  kinds = {
    for region in setunion(var.replica_regions, [data.aws_region.current.name]) :
    region => regex("^(?:cn-|us-gov-|[a-z]+-iso[a-z]*-|eusc-|)", region)
  }
  strangers = [for region in var.replica_regions : region if local.kinds[region] != local.kinds[data.aws_region.current.name]]

  attributes = merge(
    { (var.hash_key.name) = var.hash_key.type },
    var.range_key == null ? {} : { (var.range_key.name) = var.range_key.type },
  )
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119: encrypted with the key given for each Region (kms_key_arns), else with DynamoDB's own
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.hash_key.name
  range_key                   = try(var.range_key.name, null)
  deletion_protection_enabled = var.deletion_protection

  # Replication reads the stream (DynamoDB, "Global tables: how it works").
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  dynamic "attribute" {
    for_each = local.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "replica" {
    for_each = var.replica_regions

    content {
      region_name            = replica.value
      point_in_time_recovery = true
      propagate_tags         = true
      kms_key_arn            = lookup(var.kms_key_arns, replica.value, null)
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = lookup(var.kms_key_arns, data.aws_region.current.name, null)
  }

  lifecycle {
    precondition {
      condition     = !contains(var.replica_regions, data.aws_region.current.name)
      error_message = "replica_regions holds ${data.aws_region.current.name}, where the table itself stands. Name the other Regions only."
    }

    precondition {
      condition     = length(local.strangers) == 0
      error_message = "replica_regions holds ${join(", ", local.strangers)}, in another partition than ${data.aws_region.current.name}. Replicas stay within one partition: remove them."
    }

    precondition {
      condition = length(var.kms_key_arns) == 0 || length(setsubtract(
        setunion(var.replica_regions, [data.aws_region.current.name]), keys(var.kms_key_arns),
      )) == 0
      error_message = "kms_key_arns names keys for ${join(", ", keys(var.kms_key_arns))}: give one for the table's Region and each replica's, or none at all."
    }
  }
}
