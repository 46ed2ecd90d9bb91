locals {
  compass = {
    north     = "n", south = "s", east = "e", west = "w", central = "c",
    northeast = "ne", northwest = "nw", southeast = "se", southwest = "sw",
  }

  parts = split("-", var.region)
  # us-gov-west-1: us + g + w + 1. Compass words keep two letters, so that ap-southeast-1 is not ap-south-1.
  region_short = join("", concat(
    [local.parts[0]],
    [for word in slice(local.parts, 1, length(local.parts) - 1) : lookup(local.compass, word, substr(word, 0, 1))],
    [local.parts[length(local.parts) - 1]],
  ))

  # A name that is too long for its service keeps its readable start and gets a digest of the whole, so that two long
  # names never become one.
  limited = {
    for limit in [24, 32] : limit => length(var.name) <= limit ? var.name : join("-", [
      trimsuffix(substr(var.name, 0, limit - 7), "-"),
      substr(sha256(var.name), 0, 6),
    ])
  }
}
