"""Conditions: reading what changed, writing what nobody else wrote meanwhile."""

import concurrent.futures
import datetime

from botocore.exceptions import ClientError
from boto_common import bucket, client, equal, md5, must, refused, step

HOUR = datetime.timedelta(hours=1)


def run():
    s3 = client(max_pool_connections=16)
    with bucket(s3, "boto-conditions") as name:
        reading(s3, {"Bucket": name, "Key": "read"})
        writing(s3, name)
        racing(s3, name)


def reading(s3, at):
    step("reading under conditions")
    etag = s3.put_object(**at, Body=b"first")["ETag"]
    when = s3.head_object(**at)["LastModified"]
    equal(s3.get_object(**at, IfMatch=etag)["Body"].read(), b"first", "If-Match that holds")
    equal(s3.get_object(**at, IfMatch=f'"other", {etag}')["Body"].read(), b"first", "If-Match with several")
    equal(s3.get_object(**at, IfMatch="*")["Body"].read(), b"first", "If-Match: *")
    equal(s3.get_object(**at, IfNoneMatch='"other"')["Body"].read(), b"first", "If-None-Match that holds")
    equal(s3.get_object(**at, IfModifiedSince=when - HOUR)["Body"].read(), b"first", "If-Modified-Since that holds")
    equal(s3.get_object(**at, IfUnmodifiedSince=when)["Body"].read(), b"first", "If-Unmodified-Since that holds")
    for verb, unmet in ((s3.get_object, "PreconditionFailed"), (s3.head_object, "412")):
        with refused("304", 304):
            verb(**at, IfNoneMatch=etag)
        with refused("304", 304):
            verb(**at, IfModifiedSince=when)
        with refused(unmet, 412):
            verb(**at, IfMatch='"other"')
        with refused(unmet, 412):
            verb(**at, IfUnmodifiedSince=when - HOUR)
    # Of both kinds, the ETag decides: RFC 9110, and the table in the documentation of GetObject.
    equal(s3.get_object(**at, IfMatch=etag, IfUnmodifiedSince=when - HOUR)["Body"].read(), b"first", "ETag before date")
    with refused("304", 304):
        s3.get_object(**at, IfNoneMatch=etag, IfModifiedSince=when - HOUR)

    step("copying under conditions")
    copy = {"Bucket": at["Bucket"], "Key": "copy", "CopySource": at}
    s3.copy_object(**copy, CopySourceIfMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.copy_object(**copy, CopySourceIfNoneMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.copy_object(**copy, CopySourceIfMatch='"other"')
    with refused("PreconditionFailed", 412):
        s3.copy_object(**copy, CopySourceIfModifiedSince=when)


def writing(s3, name):
    step("writing under conditions")
    at = {"Bucket": name, "Key": "write"}
    etag = s3.put_object(**at, Body=b"one", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(**at, Body=b"two", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.put_object(**at, Body=b"two", IfMatch='"other"')
    equal(s3.get_object(**at)["Body"].read(), b"one", "what refused writers left")
    s3.put_object(**at, Body=b"two", IfMatch=etag)
    equal(s3.get_object(**at)["Body"].read(), b"two", "what the permitted writer wrote")
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=name, Key="never there", Body=b"x", IfMatch=etag)

    step("completing an upload in parts under conditions")
    upload = s3.create_multipart_upload(**at)["UploadId"]
    part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"three")["ETag"]
    done = {**at, "UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part}]}}
    with refused("PreconditionFailed", 412):
        s3.complete_multipart_upload(**done, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.complete_multipart_upload(**done, IfMatch='"other"')
    s3.complete_multipart_upload(**done, IfMatch=md5(b"two"))
    equal(s3.get_object(**at)["Body"].read(), b"three", "what was completed")

    step("deleting under conditions")
    with refused("PreconditionFailed", 412):
        s3.delete_object(**at, IfMatch=md5(b"two"))
    s3.delete_object(**at, IfMatch=s3.head_object(**at)["ETag"])
    with refused("404", 404):
        s3.head_object(**at)


def racing(s3, name):
    step("of sixteen who write if nobody has, one wins; of sixteen who write if it is still the same, one wins")

    def body(number, condition):
        # Whoever writes the same again leaves the ETag as it was.
        return f"writer {number} under {condition}".encode()

    def write(number, **condition):
        try:
            s3.put_object(Bucket=name, Key="race", Body=body(number, condition), **condition)
            return number
        except ClientError as error:
            code = error.response["Error"]["Code"]
            # The second code is AWS's for one who lost while both were under way.
            must(code in ("PreconditionFailed", "ConditionalRequestConflict"), f"a loser is told {code}")
            return None

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": None}):
            if "IfMatch" in condition:
                condition["IfMatch"] = s3.head_object(Bucket=name, Key="race")["ETag"]
            results = threads.map(lambda number: write(number, **condition), range(16))
            winners = [number for number in results if number is not None]
            equal(len(winners), 1, f"the winners under {condition}")
            found = s3.get_object(Bucket=name, Key="race")["Body"].read()
            equal(found, body(winners[0], condition), "what the winner wrote")
