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

run "reject_values_that_no_target_can_have" {
  command = plan
  variables {
    account  = "11111111111"
    region   = "us-east"
    env      = "dev_1"
    team     = "research-"
    scope    = "global"
    release  = "latest"
    greeting = ""
  }
  expect_failures = [var.account, var.region, var.env, var.team, var.release, var.greeting]
}

run "reject_region_that_is_not_listed" {
  command = plan
  variables {
    allowed_regions = ["eu-central-1"]
  }
  expect_failures = [var.region]
}

# Terraform asks no rule that depends on a value that is wrong itself: this one depends on the Region.
run "reject_unknown_scope" {
  command = plan
  variables {
    scope = "everywhere"
  }
  expect_failures = [var.scope]
}
