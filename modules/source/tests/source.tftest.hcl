mock_provider "aws" {
  source = "../../tests/modules/tooling/mocks"
}

variables {
  kind       = "codecommit"
  repository = "infrastructure"
  stem       = "acme-tf"
  logs       = { retention_days = 365, kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000" }
  build      = { image = "aws/codebuild/amazonlinux-x86_64-standard:5.0", compute_type = "BUILD_GENERAL1_SMALL" }
}

run "makes_a_repository" {
  assert {
    condition     = output.type == "CODECOMMIT" && output.url == "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/infrastructure"
    error_message = "the repository is in CodeCommit"
  }

  assert {
    condition     = output.connection_arn == null && length(aws_codebuild_project.copy) == 0
    error_message = "no connection and no copies"
  }
}

run "links_to_github" {
  variables {
    kind       = "github"
    repository = "acme/infrastructure"
  }

  assert {
    condition     = output.type == "GITHUB" && output.url == "https://github.com/acme/infrastructure.git" && output.repository_arn == null
    error_message = "the repository is linked"
  }

  assert {
    condition     = aws_codeconnections_connection.this[0].provider_type == "GitHub" && length(aws_iam_policy.committer) == 0
    error_message = "who may push is GitHub's to say"
  }
}

run "copies_to_other_regions" {
  variables {
    replicas = ["eu-central-1", "ap-southeast-1"]
  }

  assert {
    condition = one([for variable in aws_codebuild_project.copy["this"].environment[0].environment_variable : variable.value if variable.name == "REPLICA_URLS"]) == join(" ", [
      "https://git-codecommit.ap-southeast-1.amazonaws.com/v1/repos/infrastructure",
      "https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/infrastructure",
    ])
    error_message = "both Regions get a copy"
  }
}

run "replicas_are_not_for_people" {
  variables {
    home = false
  }

  assert {
    condition     = length(aws_iam_policy.committer) == 0
    error_message = "people push to the home repository alone"
  }
}

run "reject_unknown_kind" {
  command = plan

  variables {
    kind = "svn"
  }

  expect_failures = [var.kind]
}

run "reject_names_that_nothing_can_have" {
  command = plan

  variables {
    repository = "acme/infrastructure"
    branch     = "-main"
    stem       = "ACME"
  }

  expect_failures = [var.repository, var.branch, var.stem]
}

run "reject_copies_of_a_linked_repository" {
  command = plan

  variables {
    kind       = "github"
    repository = "acme/infrastructure"
    replicas   = ["eu-central-1"]
  }

  expect_failures = [var.replicas]
}
