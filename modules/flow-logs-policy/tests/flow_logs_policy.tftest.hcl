variables {
  name      = "dev-research"
  account   = "111111111111"
  partition = "aws-cn"
}

run "one_network_of_one_account" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(output.policies.permissions).Statement : [
        for arn in flatten([statement.Resource]) : startswith(arn, "arn:aws-cn:logs:*:111111111111:log-group:")
      ]
    ]))
    error_message = "the policy must name this account's log groups in its own partition, and nothing else"
  }
}

run "delivers_to_its_own_log_group_only" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(output.policies.permissions).Statement : [
        for arn in flatten([statement.Resource]) : strcontains(arn, ":log-group:/dev-research/flow-logs")
      ] if contains(flatten([statement.Action]), "logs:PutLogEvents")
    ]))
    error_message = "writing is for /dev-research/flow-logs alone"
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "*"
  }
  expect_failures = [var.name]
}

run "reject_account" {
  command = plan
  variables {
    account = "11111111111"
  }
  expect_failures = [var.account]
}

run "reject_partition" {
  command = plan
  variables {
    partition = "*"
  }
  expect_failures = [var.partition]
}
