#!/bin/sh
# s3-concat 0.3.0 (moto 5.2.5 as S3, boto3 1.44.8): objects under a prefix are joined to one. Those under 5 MB, which S3 does
# not take as parts, are collected and put behind all the larger ones, so the order is that of the keys only where all are small
# or all are large. The rows of an archive come in another order, and a small first object, such as the header of a CSV file, is
# the last one. No warning; the number of bytes is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet s3-concat==0.3.0 moto[s3]==5.2.5 boto3==1.44.8; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import os

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")

import boto3
from moto import mock_aws
from s3_concat import S3Concat

LARGE = 6 * 1024 * 1024


def joined(name, sizes):
    for number, size in enumerate(sizes, 1):
        client.put_object(Bucket="bucket", Key=f"{name}/{number}", Body=f"{number}".ljust(size - 1).encode() + b"\n")
    job = S3Concat("bucket", f"joined/{name}", None)
    job.add_files(f"{name}/")
    job.concat()
    body = client.get_object(Bucket="bucket", Key=f"joined/{name}")["Body"].read()
    print(name, body.decode().split(), len(body) == sum(sizes))


with mock_aws():
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    joined("small", [100, 100, 100])
    joined("large", [LARGE, LARGE, LARGE])
    joined("mixed", [100, LARGE, 100, LARGE])
PROGRAM

cat >seen <<'SEEN'
small ['1', '2', '3'] True
large ['1', '2', '3'] True
mixed ['2', '4', '1', '3'] True
SEEN

venv/bin/python finding.py >now 2>python.log || { cat python.log >&2; exit 2; }
diff seen now
