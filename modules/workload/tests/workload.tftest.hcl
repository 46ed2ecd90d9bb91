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
  account = "111111111111"
  region  = "us-east-1"
  env     = "dev"
  team    = "research"
  scope   = "us-east-1"
  release = "dev_us-east-1/research/1.0"
}

run "regional_scope" {
  command = plan

  assert {
    condition     = length(module.regional) == 1 && length(module.global) == 0
    error_message = "a Region's scope holds the regional composition alone"
  }

  assert {
    condition     = output.verify_text == "Region: us-east-1" && strcontains(local.page, output.verify_text)
    error_message = "the page names its Region"
  }

  assert {
    condition     = !local.deletion_protection
    error_message = "dev may be taken down"
  }
}

run "global_scope" {
  command = plan

  variables {
    scope = "global"
  }

  assert {
    condition     = length(module.global) == 1 && length(module.regional) == 0
    error_message = "the global scope holds the global composition alone"
  }

  assert {
    condition     = output.verify_url == null && output.verify_text == null
    error_message = "nothing to visit"
  }
}

run "other_environments_are_protected" {
  command = plan

  variables {
    env = "prod"
  }

  assert {
    condition     = local.deletion_protection
    error_message = "an environment that is not known to be disposable is protected"
  }
}

run "greeting_is_text" {
  command = plan

  variables {
    greeting = "<script>"
  }

  assert {
    condition     = strcontains(local.page, "<h1>&lt;script&gt;</h1>")
    error_message = "markup in the greeting is shown, not run"
  }
}

run "page_of_the_longest_names_fits" {
  command = plan

  variables {
    env      = "environment-name"
    team     = "a-team-name-with-32-characters-x"
    greeting = join("", [for number in range(15) : "&&&&&&&&&&"])
  }

  assert {
    condition     = length(local.page) <= 1024
    error_message = "the page has ${length(local.page)} characters"
  }
}

run "release_is_version_or_tag" {
  command = plan

  variables {
    release = "1.0.1-rc.2"
  }
}

run "reject_account" {
  command = plan
  variables {
    account = "11111111111"
  }
  expect_failures = [var.account]
}

run "reject_region" {
  command = plan
  variables {
    region = "us-east"
    scope  = "global"
  }
  expect_failures = [var.region]
}

run "reject_region_that_is_not_listed" {
  command = plan
  variables {
    allowed_regions = ["eu-central-1"]
  }
  expect_failures = [var.region]
}

run "reject_env" {
  command = plan
  variables {
    env = "dev_1"
  }
  expect_failures = [var.env]
}

run "reject_team" {
  command = plan
  variables {
    team = "research-"
  }
  expect_failures = [var.team]
}

run "reject_unknown_scope" {
  command = plan
  variables {
    scope = "everywhere"
  }
  expect_failures = [var.scope]
}

run "reject_release" {
  command = plan
  variables {
    release = "latest"
  }
  expect_failures = [var.release]
}

run "reject_greeting" {
  command = plan
  variables {
    greeting = ""
  }
  expect_failures = [var.greeting]
}
