# Built-in providers only; its apply lasts until a file appears, so that a test can act in the middle of it.
variable "gate" {
  type    = string
  default = ""
}

variable "content" {
  type    = string
  default = "one"
}

resource "terraform_data" "first" {
  input = var.content
}

resource "terraform_data" "gated" {
  input      = var.content
  depends_on = [terraform_data.first]

  provisioner "local-exec" {
    command = "test -z '${var.gate}' || { touch '${var.gate}.reached' && while ! test -e '${var.gate}'; do sleep 0.1; done; }"
  }
}

output "content" {
  value = terraform_data.gated.output
}
