variable "name" {
  type = string
}

output "name" {
  value = "label-${var.name}"
}
