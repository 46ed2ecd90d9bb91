mock_provider "aws" {}

variables {
  name                     = "dev-research-flow-logs"
  description              = "Delivers flow logs"
  trusted_services         = ["vpc-flow-logs.amazonaws.com"]
  policies                 = { permissions = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  permissions_boundary_arn = "arn:aws:iam::111111111111:policy/InfraServiceBoundary"
}

run "plain" {
  command = plan

  assert {
    condition     = aws_iam_role.this.name == "dev-research-flow-logs"
    error_message = "a plain role has the name itself"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::111111111111:policy/InfraServiceBoundary"
    error_message = "the role carries its boundary"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal.Service == ["vpc-flow-logs.amazonaws.com"]
    error_message = "only the named services may take the role"
  }
}

run "by_region" {
  command = plan

  variables {
    region = "eu-central-1"
  }

  assert {
    condition     = aws_iam_role.this.name == "dev-research-flow-logs-euc1"
    error_message = "the Region's short name ends the role's"
  }
}

run "by_version" {
  command = plan

  variables {
    role_version = 2
  }

  assert {
    condition     = aws_iam_role.this.name == "dev-research-flow-logs-v2"
    error_message = "the version ends the role's name"
  }
}

run "services_of_other_partitions" {
  command = plan

  variables {
    trusted_services = ["ec2.amazonaws.com.cn", "logs.c2s.ic.gov", "logs.amazonaws.eu", "states.us-east-1.amazonaws.com"]
  }
}

run "reject_service_that_is_none" {
  command = plan
  variables {
    trusted_services = ["ec2.amazonaws.com", "ec2.amazonaws.com.example.org"]
  }
  expect_failures = [var.trusted_services]
}

run "for_one_account_only" {
  command = plan

  variables {
    source_account = "111111111111"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "111111111111"
    error_message = "the services must act for this account"
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "flow logs"
  }
  expect_failures = [var.name]
}

run "reject_name_too_long_with_its_suffix" {
  command = plan
  variables {
    name         = "a-role-name-of-sixty-two-characters-which-fits-without-a-suffix-"
    role_version = 1
  }
  expect_failures = [var.name]
}

run "reject_role_version" {
  command = plan
  variables {
    role_version = 0
  }
  expect_failures = [var.role_version]
}

run "reject_region_and_version" {
  command = plan
  variables {
    region       = "us-east-1"
    role_version = 1
  }
  expect_failures = [var.role_version]
}

run "reject_no_service" {
  command = plan
  variables {
    trusted_services = []
  }
  expect_failures = [var.trusted_services]
}

run "reject_source_account" {
  command = plan
  variables {
    source_account = "12"
  }
  expect_failures = [var.source_account]
}

run "reject_policies" {
  command = plan
  variables {
    policies = { permissions = "allow everything" }
  }
  expect_failures = [var.policies]
}

run "reject_permissions_boundary" {
  command = plan
  variables {
    permissions_boundary_arn = "InfraServiceBoundary"
  }
  expect_failures = [var.permissions_boundary_arn]
}
