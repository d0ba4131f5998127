#!/bin/sh
# moto 5.2.5 (with boto3 1.44.8), which runs state machines with execute_state_machine: they take other ways than in Step
# Functions, without an error. A time with an offset or with a fraction of a second, as Step Functions' own times have one, is no
# timestamp: IsTimestamp and each comparison are false. A variable that is missing takes the Default instead of failing the
# execution. In StringMatches, ? and [ ] are patterns, not characters.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet moto[stepfunctions]==5.2.5 boto3==1.44.8; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import json
import logging
import os
import time

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1")

import boto3
from moto import mock_aws

logging.disable(logging.CRITICAL)


def choose(client, name, rule, value):
    states = {
        "ask": {"Type": "Choice", "Choices": [{**rule, "Next": "yes"}], "Default": "no"},
        "yes": {"Type": "Pass", "Result": "yes", "End": True},
        "no": {"Type": "Pass", "Result": "no", "End": True},
    }
    machine = client.create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "ask", "States": states}),
        roleArn="arn:aws:iam::123456789012:role/any",
    )["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=machine, input=json.dumps(value))["executionArn"]
    while (run := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.05)
    print(json.dumps(rule), "of", json.dumps(value), "is", run.get("output", run["status"]))


with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions")
    cases = (
        ({"IsTimestamp": True}, "2026-01-01T00:00:00Z"),
        ({"IsTimestamp": True}, "2026-01-01T00:00:00.123Z"),
        ({"IsTimestamp": True}, "2026-01-01T00:00:00+02:00"),
        ({"TimestampLessThan": "2027-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ({"TimestampLessThan": "2027-01-01T00:00:00Z"}, "2026-01-01T00:00:00.123Z"),
        ({"NumericEquals": 1}, None),
        ({"StringMatches": "a?c*"}, "abcd"),
        ({"StringMatches": "[ab]*"}, "axe"),
    )
    for number, (test, value) in enumerate(cases):
        choose(client, f"machine-{number}", {"Variable": "$.a", **test}, {} if value is None else {"a": value})
PROGRAM

cat >seen <<'SEEN'
{"Variable": "$.a", "IsTimestamp": true} of {"a": "2026-01-01T00:00:00Z"} is yes
{"Variable": "$.a", "IsTimestamp": true} of {"a": "2026-01-01T00:00:00.123Z"} is no
{"Variable": "$.a", "IsTimestamp": true} of {"a": "2026-01-01T00:00:00+02:00"} is no
{"Variable": "$.a", "TimestampLessThan": "2027-01-01T00:00:00Z"} of {"a": "2026-01-01T00:00:00Z"} is yes
{"Variable": "$.a", "TimestampLessThan": "2027-01-01T00:00:00Z"} of {"a": "2026-01-01T00:00:00.123Z"} is no
{"Variable": "$.a", "NumericEquals": 1} of {} is no
{"Variable": "$.a", "StringMatches": "a?c*"} of {"a": "abcd"} is yes
{"Variable": "$.a", "StringMatches": "[ab]*"} of {"a": "axe"} is yes
SEEN

venv/bin/python finding.py >now
diff seen now
