# Built-in providers only. The package is made while planning (as `archive_file` does; here by the program that runs
# Terraform in the test) and must be there, byte for byte, when the plan is applied.
variable "team" {
  type = string
}

resource "terraform_data" "package" {
  input = filesha256("${path.module}/build/package.zip")

  provisioner "local-exec" {
    command = "cp ${abspath(path.module)}/build/package.zip ${var.delivered_to}"
  }
}

variable "delivered_to" {
  type = string
}

output "package" {
  value = terraform_data.package.output
}
