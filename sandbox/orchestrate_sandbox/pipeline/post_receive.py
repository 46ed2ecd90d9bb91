"""The hook of an emulated CodeCommit repository: tells the server which refs a push has changed.

Run by git as a program of its own, with nothing but the standard library:
`python -I -S post_receive.py <address> <account> <region> <repository>`, with SANDBOX_PUSH_TOKEN set. What it prints,
git shows to whoever pushes, each line after `remote: `.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.parse

TOKEN = "SANDBOX_PUSH_TOKEN"  # noqa: S105  (its name)
_HEADER = "x-sandbox-secret"
_SECONDS = 60


def main() -> None:
    address, account, region, repository = sys.argv[1:]
    refs = [line.rstrip("\n") for line in sys.stdin]
    body = json.dumps({"account": account, "region": region, "repository": repository, "refs": refs})
    target = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(target.netloc, timeout=_SECONDS)
    try:
        told = {_HEADER: os.environ.get(TOKEN, "")}
        connection.request("POST", target.path, body.encode(errors="surrogateescape"), told)
        answer = connection.getresponse().read().decode(errors="replace")
    except OSError as error:
        sys.exit(f"The sandbox does not answer ({error}): the push is stored, but it starts nothing.")
    finally:
        connection.close()
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()
