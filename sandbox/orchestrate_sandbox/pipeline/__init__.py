"""What runs in the emulated AWS: pushes raise events, events start builds and pipelines, builds are local processes.

Everything is read back from the emulator (rules, projects, pipelines as Terraform made them); nothing here knows the
modules of this product.
"""
