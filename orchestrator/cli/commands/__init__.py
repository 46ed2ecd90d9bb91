"""The commands, one a module; what they share stands beside this folder."""
