"""`aws` in builds: `aws s3 cp` with boto3; for all else the AWS CLI of this machine, if it has one.

A program of its own. The options that change only what is printed are taken and ignored.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEME = "s3://"


def main() -> None:
    if sys.argv[1:3] != ["s3", "cp"]:
        _hand_over()
    parser = argparse.ArgumentParser(prog="aws s3 cp")
    parser.add_argument("source")
    parser.add_argument("destination")
    for option in ("--quiet", "--only-show-errors", "--no-progress", "--recursive"):
        parser.add_argument(option, action="store_true")
    wanted = parser.parse_args(sys.argv[3:])
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _copy(boto3.client("s3"), wanted)
    except (BotoCoreError, ClientError, OSError) as error:
        sys.exit(f"fatal error: {error}")


def _hand_over() -> None:
    own = Path(os.environ.get("SANDBOX_COMMANDS", "/"))
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder) != own]
    real = shutil.which("aws", path=os.pathsep.join(folders))
    if real is None:
        sys.exit(f"aws {' '.join(sys.argv[1:3])}: the sandbox's builds have `aws s3 cp`; for more install the AWS CLI")
    os.execv(real, ["aws", *sys.argv[1:]])  # noqa: S606  (no shell is meant)


def _copy(s3: Any, wanted: argparse.Namespace) -> None:
    down, up = wanted.source.startswith(_SCHEME), wanted.destination.startswith(_SCHEME)
    if down == up:
        sys.exit("aws s3 cp: the sandbox copies between this machine and a bucket")
    pairs = list(_downloads(s3, wanted) if down else _uploads(wanted))
    if not pairs:
        sys.exit(f"aws s3 cp: nothing is there: {wanted.source}")
    for path, bucket, key in pairs:
        if down:
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, key, str(path))
        else:
            s3.upload_file(str(path), bucket, key)


def _downloads(s3: Any, wanted: argparse.Namespace) -> Iterator[tuple[Path, str, str]]:
    bucket, _, prefix = wanted.source.removeprefix(_SCHEME).partition("/")
    if not wanted.recursive:
        into = Path(wanted.destination)
        is_folder = into.is_dir() or wanted.destination.endswith("/")
        yield (into / prefix.rpartition("/")[2] if is_folder else into), bucket, prefix
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            name = found["Key"][len(prefix) :].lstrip("/")
            yield Path(wanted.destination, name), bucket, found["Key"]


def _uploads(wanted: argparse.Namespace) -> Iterator[tuple[Path, str, str]]:
    bucket, _, key = wanted.destination.removeprefix(_SCHEME).partition("/")
    source = Path(wanted.source)
    if not wanted.recursive:
        yield source, bucket, key + source.name if not key or key.endswith("/") else key
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield path, bucket, f"{key.rstrip('/')}/{path.relative_to(source).as_posix()}".lstrip("/")


if __name__ == "__main__":
    main()
