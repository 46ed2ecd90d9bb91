# Which roles of workload accounts may be assumed: each by its ARN, in policies of their own, because a list for hundreds
# of accounts does not fit into a role's inline policies (10,240 characters, "IAM and AWS STS quotas").

locals {
  accounts = toset([for team in var.teams : team.account])

  # One policy as long as they fit into one; beyond, five by the account's last digit, so that a new account changes one.
  one_policy = length(local.accounts) <= 60 # asked in the loop, it would be counted anew for every account
  group_of = {
    for account in local.accounts : account => local.one_policy ? "all" : tostring(parseint(substr(account, 11, 1), 10) % 5)
  }
  groups = { for account, group in local.group_of : group => account... }

  # IAM attaches ten policies to a role; `deploy` has both kinds.
  assumable = {
    for pair in setproduct(["plan", "apply"], keys(local.groups)) : "${pair[0]}-${pair[1]}" => {
      kind  = pair[0]
      group = pair[1]
      policy = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Sid    = "Assume${title(pair[0])}Roles"
          Effect = "Allow"
          # A session that carries a source identity carries it on, or AWS refuses it.
          Action = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
          Resource = [
            for account in sort(local.groups[pair[1]]) :
            "arn:${local.partition}:iam::${account}:role/${var.workload_roles[pair[0]]}"
          ]
        }]
      })
    }
  }

  assumes = {
    plan   = ["plan"]
    apply  = ["apply"]
    people = ["plan"]
    deploy = ["plan", "apply"]
  }

  assuming = merge([
    for role, kinds in local.assumes : {
      for key, found in local.assumable : "${role}-${key}" => { role = role, policy = key } if contains(kinds, found.kind)
    } if contains(["plan", "apply"], role) || contains(keys(local.for_people), role)
  ]...)
}

resource "aws_iam_policy" "accounts" {
  for_each = local.assumable

  name        = "${var.name}-accounts-${each.key}"
  description = "Take the role ${var.workload_roles[each.value.kind]} in accounts of ${var.env}"
  policy      = each.value.policy

  # "IAM and AWS STS quotas": managed policies, without white space; the quota is fixed.
  lifecycle {
    precondition {
      condition     = length(each.value.policy) <= 6144
      error_message = "The policy ${var.name}-accounts-${each.key} has ${length(each.value.policy)} characters with the ${length(local.accounts)} accounts of ${var.env}; IAM allows 6,144. Divide the environment into several (docs/quotas-and-costs.md says how many accounts fit)."
    }
  }
}

resource "aws_iam_role_policy_attachment" "accounts" {
  for_each = local.assuming

  role       = contains(["plan", "apply"], each.value.role) ? aws_iam_role.this[each.value.role].name : aws_iam_role.people[each.value.role].name
  policy_arn = aws_iam_policy.accounts[each.value.policy].arn
}
