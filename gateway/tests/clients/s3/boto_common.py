"""What the boto3 programs share: where the server is, steps, and comparing."""

import base64
import contextlib
import hashlib
import os
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["S3_ENDPOINT"]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
MIB = 1 << 20

# What a second attempt would repair has failed.
ONCE = {"retries": {"total_max_attempts": 1}, "signature_version": "s3v4", "s3": {"addressing_style": "path"}}


class Surprise(Exception):
    """The server answered something else than it must."""


def client(**settings):
    """A client of the S3 door; `settings` go into its configuration."""
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", config=Config(**{**ONCE, **settings}))


def step(text):
    """Says what is done now."""
    print(text, flush=True)


def must(condition, what):
    """Ends the run unless `condition` holds."""
    if not condition:
        raise Surprise(what)


def equal(found, expected, what):
    """Ends the run unless both are the same."""
    must(found == expected, f"{what}: expected {shown(expected)}, found {shown(found)}")


def shown(thing):
    """A thing as it stands in a message."""
    text = repr(thing)
    return text if len(text) < 600 else f"{text[:300]}… ({len(text)} characters)"


@contextlib.contextmanager
def refused(code, status):
    """What is done in here must be refused so. HEAD has no body, so that its code is the status."""
    try:
        yield
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        equal(found, (code, status), f"the refusal of {error.operation_name} ({error})")
    else:
        raise Surprise(f"{code} must be the answer, but it was done")


class Stay(urllib.request.HTTPRedirectHandler):
    """Does not go where an answer leads."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(Stay)


def plain(method, url, body=None, headers=None):
    """A request of somebody who knows nothing but a URL: status, headers and body."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def md5(data):
    """The MD5 in hexadecimal, quoted, as ETags are."""
    return f'"{hashlib.md5(data).hexdigest()}"'


def of_parts(parts):
    """The ETag of an object that was uploaded in these parts."""
    return f'"{hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()}-{len(parts)}"'


def encoded(data):
    """Base64, as text."""
    return base64.b64encode(data).decode()


@contextlib.contextmanager
def bucket(s3, name):
    """A bucket of its own, which is emptied and removed in the end."""
    name = f"{name}-{os.getpid()}-{time.monotonic_ns() % 10**6}"
    s3.create_bucket(Bucket=name)
    yield name
    empty(s3, name)
    s3.delete_bucket(Bucket=name)


def empty(s3, name):
    """Aborts and deletes everything in a bucket, every version by its id."""
    for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        # Keys that XML cannot carry are named in requests of their own.
        versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
        odd = [version for version in versions if not version["Key"].isprintable()]
        named = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions if version not in odd]
        for version in odd:
            s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
        if named:
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": named, "Quiet": True})
            equal(answer.get("Errors", []), [], "errors while emptying the bucket")
