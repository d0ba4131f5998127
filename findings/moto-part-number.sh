#!/bin/sh
# moto 5.2.5 (boto3 1.44.8): GetObject with a PartNumber, which S3 answers with that part of a multipart object, returns the whole object
# with the status 200. HeadObject has the part's size and the number of parts, so a reader that takes an object part by part gets
# it several times over, without an error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet moto[s3]==5.2.5 boto3==1.44.8; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import boto3
from moto import mock_aws

PARTS = [b"a" * 5 * 1024 * 1024, b"b"]
OBJECT = {"Bucket": "archive", "Key": "part-by-part"}
with mock_aws():
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    s3.create_bucket(Bucket="archive")
    upload = s3.create_multipart_upload(**OBJECT)["UploadId"]
    done = [
        {"PartNumber": number, "ETag": s3.upload_part(**OBJECT, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(PARTS, 1)
    ]
    s3.complete_multipart_upload(**OBJECT, UploadId=upload, MultipartUpload={"Parts": done})
    for number, body in enumerate(PARTS, 1):
        head = s3.head_object(**OBJECT, PartNumber=number)
        got = s3.get_object(**OBJECT, PartNumber=number)
        status, size = got["ResponseMetadata"]["HTTPStatusCode"], len(got["Body"].read())
        print(f"part {number} of {head['PartsCount']}, {len(body)} bytes: HEAD {head['ContentLength']}, GET {status} {size}")
PROGRAM

cat >seen <<'SEEN'
part 1 of 2, 5242880 bytes: HEAD 5242880, GET 200 5242881
part 2 of 2, 1 bytes: HEAD 1, GET 200 5242881
SEEN

venv/bin/python finding.py >now
diff seen now
