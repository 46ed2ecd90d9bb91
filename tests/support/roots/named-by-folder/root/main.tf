# Local modules, no provider block at all, and a name made of the working folder.
module "label" {
  source = "../modules/label"
  name   = basename(path.cwd)
}

resource "aws_ssm_parameter" "this" {
  name  = "/named/${module.label.name}"
  type  = "String"
  value = "x"
}
