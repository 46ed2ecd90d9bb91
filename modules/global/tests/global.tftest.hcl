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
}

variables {
  name    = "dev-research"
  account = "111111111111"
}

run "one_plain_role" {
  command = plan

  assert {
    condition     = toset(keys(module.flow_logs_role)) == toset(["plain"])
    error_message = "one role for all Regions"
  }

  assert {
    condition     = length(module.table) == 0
    error_message = "no tables unless asked for"
  }
}

run "versions_side_by_side" {
  command = plan

  variables {
    role_isolation = "version"
    role_versions  = [1, 2]
  }

  assert {
    condition     = { for key, role in module.flow_logs_role : key => role.name } == { v1 = "dev-research-flow-logs-v1", v2 = "dev-research-flow-logs-v2" }
    error_message = "both versions exist at once"
  }
}

run "by_region_leaves_nothing_here" {
  command = plan

  variables {
    role_isolation = "region"
  }

  assert {
    condition     = length(module.flow_logs_role) == 0
    error_message = "each Region makes its own role"
  }
}

run "tables" {
  command = plan

  variables {
    tables = { orders = { hash_key = { name = "order" }, replica_regions = ["eu-central-1"] } }
  }

  assert {
    condition     = output.table_names == { orders = "dev-research-orders" }
    error_message = "a table's name follows the workload's"
  }
}

run "without_boundary" {
  command = plan

  variables {
    permissions_boundary = null
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Dev"
  }
  expect_failures = [var.name]
}

run "reject_account" {
  command = plan
  variables {
    account = "1"
  }
  expect_failures = [var.account]
}

run "reject_account_mismatch" {
  command = plan
  variables {
    account = "222222222222"
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "reject_role_isolation" {
  command = plan
  variables {
    role_isolation = "none"
  }
  expect_failures = [var.role_isolation]
}

run "reject_no_version" {
  command = plan
  variables {
    role_isolation = "version"
    role_versions  = []
  }
  expect_failures = [var.role_versions]
}

run "reject_permissions_boundary" {
  command = plan
  variables {
    permissions_boundary = "arn:aws:iam::111111111111:policy/Boundary"
  }
  expect_failures = [var.permissions_boundary]
}

run "reject_table_name" {
  command = plan
  variables {
    tables = { "My Orders" = { hash_key = { name = "order" } } }
  }
  expect_failures = [var.tables]
}
