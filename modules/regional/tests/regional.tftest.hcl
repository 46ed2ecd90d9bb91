mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "111111111111"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }

  mock_data "aws_region" {
    defaults = {
      name = "us-east-1"
    }
  }

  mock_data "aws_availability_zones" {
    defaults = {
      names = ["us-east-1a", "us-east-1b", "us-east-1c"]
    }
  }

  mock_data "aws_iam_roles" {
    defaults = {
      arns = ["arn:aws:iam::111111111111:role/dev-research-flow-logs"]
    }
  }
}

variables {
  name    = "dev-research"
  account = "111111111111"
  region  = "us-east-1"
  page    = "Region: us-east-1"
}

run "every_zone_of_the_region" {
  command = plan

  assert {
    condition     = local.zones == { us-east-1a = { public = "10.0.0.0/20", private = "10.0.128.0/20" }, us-east-1b = { public = "10.0.16.0/20", private = "10.0.144.0/20" }, us-east-1c = { public = "10.0.32.0/20", private = "10.0.160.0/20" } }
    error_message = "each zone has its place in the address plan, by its letter"
  }

  assert {
    condition     = local.flow_logs_role_arn == "arn:aws:iam::111111111111:role/dev-research-flow-logs"
    error_message = "the role of the global scope is found by its name"
  }
}

run "region_with_two_zones" {
  command = plan

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["us-east-1a", "us-east-1b"] }
  }

  assert {
    condition     = length(local.zones) == 2
    error_message = "two zones are enough"
  }
}

run "zone_that_vanishes_moves_no_other" {
  command = plan

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["us-east-1a", "us-east-1c"] }
  }

  assert {
    condition     = local.zones["us-east-1c"] == { public = "10.0.32.0/20", private = "10.0.160.0/20" }
    error_message = "a zone keeps its ranges whatever other zones there are"
  }
}

run "fewer_zones" {
  command = plan

  variables {
    max_zones = 2
  }

  assert {
    condition     = toset(keys(local.zones)) == toset(["us-east-1a", "us-east-1b"])
    error_message = "the first zones by name"
  }
}

run "role_by_version" {
  command = plan

  variables {
    role_isolation = "version"
    role_version   = 2
  }

  assert {
    condition     = data.aws_iam_roles.flow_logs[0].name_regex == "^dev-research-flow-logs-v2$"
    error_message = "this Region uses the second version"
  }
}

run "role_by_region" {
  command = plan

  variables {
    role_isolation = "region"
  }

  assert {
    condition     = module.flow_logs_role[0].name == "dev-research-flow-logs-use1" && length(data.aws_iam_roles.flow_logs) == 0
    error_message = "the Region makes its own role and needs none of the global scope"
  }
}

run "china" {
  command = plan

  variables {
    region = "cn-north-1"
  }

  override_data {
    target = data.aws_region.current
    values = { name = "cn-north-1" }
  }

  override_data {
    target = module.network.data.aws_region.current
    values = { name = "cn-north-1" }
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = module.web_entry.data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["cn-north-1a", "cn-north-1b"] }
  }

  # CloudWatch Logs is one of the few services whose principal ends in .cn there; load balancers' log delivery is not.
  assert {
    condition     = jsondecode(aws_kms_key.logs.policy).Statement[1].Principal.Service == "logs.cn-north-1.amazonaws.com.cn"
    error_message = "${jsondecode(aws_kms_key.logs.policy).Statement[1].Principal.Service} cannot use the key"
  }

  assert {
    condition     = !strcontains(aws_kms_key.logs.policy, "arn:aws:")
    error_message = "every ARN lies in the Region's own partition"
  }
}

run "reject_missing_global_role" {
  command = plan

  override_data {
    target = data.aws_iam_roles.flow_logs
    values = { arns = [] }
  }

  expect_failures = [data.aws_iam_roles.flow_logs]
}

run "reject_account_mismatch" {
  command = plan
  variables {
    account = "222222222222"
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "reject_region_that_is_not_the_providers" {
  command = plan
  variables {
    region = "eu-central-1"
  }
  expect_failures = [data.aws_region.current]
}

run "reject_values_that_no_region_can_have" {
  command = plan
  variables {
    name                 = "Dev"
    account              = "1"
    region               = "here"
    cidr                 = "fd00::/20"
    max_zones            = 1
    nat                  = "all"
    page                 = ""
    log_retention_days   = 366
    role_isolation       = "none"
    role_version         = 0
    permissions_boundary = "arn:aws:iam::111111111111:policy/Boundary"
  }
  expect_failures = [
    var.name, var.account, var.region, var.cidr, var.max_zones, var.nat, var.page, var.log_retention_days,
    var.role_isolation, var.role_version, var.permissions_boundary,
  ]
}

run "reject_cidr_too_small" {
  command = plan
  variables {
    cidr = "10.0.0.0/25"
  }
  expect_failures = [var.cidr]
}
