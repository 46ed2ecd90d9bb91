# What `orchestrate bootstrap` made; it stays bootstrap's own.

data "aws_s3_bucket" "release" {
  for_each = local.here

  bucket = "${local.stem}-releases-${each.key}"
}

data "aws_kms_alias" "stores" {
  for_each = toset([for env in keys(local.here) : env if local.project.state.encryption == "kms"])

  name = "alias/${local.stem}-${each.key}"
}

locals {
  keys = { for env in keys(local.here) : env => try(data.aws_kms_alias.stores[env].target_key_arn, null) }

  # requirements.txt holds the hash of the wheel and of each dependency, so its own hash stands for all.
  package_files  = toset(concat(["requirements.txt"], tolist(fileset(var.package, "*.whl"))))
  package_sha256 = filesha256("${var.package}/requirements.txt")
  package_prefix = "tooling/${local.package_sha256}/"

  packages = {
    for pair in setproduct(keys(local.here), local.package_files) :
    "${pair[0]}/${pair[1]}" => { env = pair[0], file = pair[1] }
  }
}

resource "aws_s3_object" "package" {
  for_each = local.packages

  bucket      = data.aws_s3_bucket.release[each.value.env].id
  key         = "${local.package_prefix}${each.value.file}"
  source      = "${var.package}/${each.value.file}"
  source_hash = filesha256("${var.package}/${each.value.file}")
  kms_key_id  = local.keys[each.value.env]

  lifecycle {
    # Builds that have begun install what they were told of.
    create_before_destroy = true
  }
}

locals {
  # From what is stored, so that no build is told of it before it is there.
  stored_prefix = one(distinct([for object in aws_s3_object.package : "${dirname(object.key)}/"]))
}
