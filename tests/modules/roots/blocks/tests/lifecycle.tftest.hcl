# Applied once and destroyed at the end; between, each run changes one input. What its plan would do is compared in
# test_lifecycle.py. Without a refresh a plan trusts the state, which is enough where only an input differs.

run "applied" {}

run "nothing_changed" {
  command = plan
}

run "a_zone_between_others" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    zones = ["a", "b", "c"]
  }
}

run "nat_for_each_zone" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    nat = "per_zone"
  }
}

run "another_version_of_a_role" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    role_versions = [1, 2]
  }
}

run "more_managed_names" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    managed_names = ["dev-research-*", "dev-shared-*"]
  }
}

run "another_replica" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    replica_regions = ["eu-central-1", "ap-southeast-1"]
  }
}

run "protection" {
  command = plan

  plan_options {
    refresh = false
  }

  variables {
    table_protected = true
  }
}
