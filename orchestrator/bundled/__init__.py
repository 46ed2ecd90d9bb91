"""What ships with the package besides Python: the Terraform modules and build specifications that it applies itself,
and the hashes of its own dependencies. In the repository these are links to where they are written.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
