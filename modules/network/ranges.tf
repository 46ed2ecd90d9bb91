# IPv4 ranges as numbers, because Terraform compares addresses only as text. The VPC's preconditions read them.

locals {
  cidrs = merge(
    { for zone, subnets in var.zones : "${zone} public" => subnets.public },
    { for zone, subnets in var.zones : "${zone} private" => subnets.private },
  )

  first = {
    for label, cidr in merge(local.cidrs, { vpc = var.cidr }) : label =>
    sum([for place, octet in split(".", cidrhost(cidr, 0)) : tonumber(octet) * pow(256, 3 - place)])
  }
  # First address, and the first one after the range.
  ranges = {
    for label, cidr in merge(local.cidrs, { vpc = var.cidr }) : label => {
      first = local.first[label]
      after = local.first[label] + pow(2, 32 - tonumber(split("/", cidr)[1]))
    }
  }

  outside = [
    for label, cidr in local.cidrs : "${label} ${cidr}"
    if local.ranges[label].first < local.ranges.vpc.first || local.ranges[label].after > local.ranges.vpc.after
  ]

  labels = sort(keys(local.cidrs))
  overlapping = flatten([
    for place, a in local.labels : [
      for b in slice(local.labels, place + 1, length(local.labels)) :
      "${a} ${local.cidrs[a]} and ${b} ${local.cidrs[b]}"
      if local.ranges[a].first < local.ranges[b].after && local.ranges[b].first < local.ranges[a].after
    ]
  ])
}
