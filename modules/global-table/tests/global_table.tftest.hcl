mock_provider "aws" {
  mock_data "aws_region" {
    defaults = {
      name = "us-east-1"
    }
  }
}

variables {
  name            = "dev-research-orders"
  hash_key        = { name = "order" }
  range_key       = { name = "line", type = "N" }
  replica_regions = ["eu-central-1", "ap-southeast-1"]
}

run "replicas" {
  command = plan

  assert {
    condition     = toset(aws_dynamodb_table.this.replica[*].region_name) == toset(["eu-central-1", "ap-southeast-1"])
    error_message = "one replica in each listed Region"
  }

  assert {
    condition     = alltrue(aws_dynamodb_table.this.replica[*].point_in_time_recovery) && aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    error_message = "every Region can be restored to a point in time"
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "protected against deletion by default"
  }

  assert {
    condition     = output.regions == toset(["us-east-1", "eu-central-1", "ap-southeast-1"])
    error_message = "the table's own Region counts"
  }
}

run "keys_by_region" {
  command = plan

  variables {
    replica_regions = ["eu-central-1"]
    kms_key_arns = {
      us-east-1    = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000001"
      eu-central-1 = "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000002"
    }
  }

  assert {
    condition     = one(aws_dynamodb_table.this.replica).kms_key_arn == "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000002"
    error_message = "a replica is encrypted with its own Region's key"
  }
}

run "reject_replica_in_a_partition_whose_name_looks_like_europe" {
  command = plan
  variables {
    replica_regions = ["eu-isoe-west-1"]
  }
  expect_failures = [aws_dynamodb_table.this]
}

run "reject_name" {
  command = plan
  variables {
    name = "no spaces"
  }
  expect_failures = [var.name]
}

run "reject_hash_key" {
  command = plan
  variables {
    hash_key = { name = "order", type = "text" }
  }
  expect_failures = [var.hash_key]
}

run "reject_range_key" {
  command = plan
  variables {
    range_key = { name = "order" }
  }
  expect_failures = [var.range_key]
}

run "reject_region_that_is_none" {
  command = plan
  variables {
    replica_regions = ["europe"]
  }
  expect_failures = [var.replica_regions]
}

run "reject_replica_at_home" {
  command = plan
  variables {
    replica_regions = ["us-east-1"]
  }
  expect_failures = [aws_dynamodb_table.this]
}

run "reject_replica_in_another_partition" {
  command = plan
  variables {
    replica_regions = ["cn-north-1"]
  }
  expect_failures = [aws_dynamodb_table.this]
}

run "reject_key_of_another_region" {
  command = plan
  variables {
    kms_key_arns = { us-east-1 = "arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000001" }
  }
  expect_failures = [var.kms_key_arns]
}

run "reject_missing_key" {
  command = plan
  variables {
    kms_key_arns = { us-east-1 = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000001" }
  }
  expect_failures = [aws_dynamodb_table.this]
}
