mock_provider "aws" {
  source = "../../tests/modules/tooling/mocks"
}

variables {
  region  = "us-east-1"
  envs    = "../../tests/modules/tooling/envs/central"
  package = "../../tests/modules/tooling/package"
}

run "a_pipeline_for_each_environment" {
  command = plan

  assert {
    condition     = keys(module.pipeline) == ["dev", "prod"]
    error_message = "every file in envs/ is an environment"
  }

  assert {
    condition     = jsonencode([local.tag_prefixes, local.approvals]) == jsonencode([{ dev = ["dev_"], prod = ["prod_"] }, { dev = 0, prod = 2 }])
    error_message = "tags and approvals follow the configuration"
  }

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation && aws_kms_key.logs.enable_key_rotation
    error_message = "all is recorded and encrypted"
  }
}

run "regional_tooling_has_the_tags_of_its_region" {
  command = plan

  variables {
    region = "eu-central-1"
    envs   = "../../tests/modules/tooling/envs/regional"
  }

  assert {
    condition     = local.stem == "acme-tf-euc1" && jsonencode(local.tag_prefixes) == jsonencode({ dev = ["dev_eu-central-1/"] })
    error_message = "each Region's pipeline takes its own tags"
  }

  assert {
    condition     = !aws_cloudtrail.this.is_multi_region_trail
    error_message = "the trail of the tooling Region records all Regions"
  }

  assert {
    condition     = jsonencode(local.keys) == jsonencode({ dev = null }) && length(data.aws_kms_alias.stores) == 0
    error_message = "stores whose keys S3 manages have no key that could be looked up"
  }
}

run "reject_region_without_form" {
  command = plan

  variables {
    region = "everywhere"
  }

  expect_failures = [var.region]
}

run "reject_other_region_with_layout_central" {
  command = plan

  variables {
    region = "eu-central-1"
  }

  expect_failures = [var.region]
}

run "reject_missing_package_and_image_that_is_not_pinned" {
  command = plan

  variables {
    package = "../../tests/modules/tooling/nothing"
    build   = { image = "python", compute_type = "BUILD_GENERAL1_SMALL" }
  }

  expect_failures = [var.package, var.build]
}
