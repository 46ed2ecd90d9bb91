variables {
  name   = "dev-research"
  region = "us-east-1"
}

run "short_name_of_a_region" {
  command = plan

  assert {
    condition     = output.region_short == "use1"
    error_message = "us-east-1 is use1"
  }
}

run "two_compass_letters" {
  command = plan

  variables {
    region = "ap-southeast-1"
  }

  assert {
    condition     = output.region_short == "apse1"
    error_message = "ap-southeast-1 is apse1, which is not ap-south-1's aps1"
  }
}

run "short_name_in_another_partition" {
  command = plan

  variables {
    region = "us-gov-west-1"
  }

  assert {
    condition     = output.region_short == "usgw1"
    error_message = "us-gov-west-1 is usgw1"
  }
}

run "name_that_fits_stays" {
  command = plan

  assert {
    condition     = output.name_32 == "dev-research"
    error_message = "a short name is not changed"
  }
}

run "long_name_keeps_its_start_and_gets_a_digest" {
  command = plan

  variables {
    name = "production-europe-quantitative-research"
  }

  assert {
    condition     = can(regex("^production-europe-quantit-[0-9a-f]{6}$", output.name_32)) && length(output.name_32) <= 32
    error_message = "${output.name_32} must be the start of the name and six digits, at most 32 characters"
  }

  assert {
    condition     = can(regex("^production-europe-[0-9a-f]{6}$", output.name_24))
    error_message = "${output.name_24} must not have two hyphens in a row"
  }
}

run "reject_name_with_capitals" {
  command = plan
  variables {
    name = "Dev-Research"
  }
  expect_failures = [var.name]
}

run "reject_region" {
  command = plan
  variables {
    region = "us-east"
  }
  expect_failures = [var.region]
}
