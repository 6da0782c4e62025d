"""`aws s3api`: one request at a time, as scripts use it."""

import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

from aws import api, refused
from boto_common import MIB, equal, md5, must, of_parts, step

NAME = f"aws-api-{os.getpid()}"
KEY = "dir/a +ü%20\"'$.bin"
BODY = os.urandom(100_000)


def run(directory):
    os.chdir(directory)
    pathlib.Path("body").write_bytes(BODY)
    buckets()
    put_and_head()
    get()
    copy()
    attributes()
    pages()
    multipart()
    versions()

    step("delete-bucket")
    api("delete-bucket", bucket=NAME)
    refused("NoSuchBucket", "delete-bucket", bucket=NAME)


def buckets():
    step("create-bucket, head-bucket, get-bucket-location, list-buckets")
    api("create-bucket", bucket=NAME)
    api("head-bucket", bucket=NAME)
    equal(api("get-bucket-location", bucket=NAME)["LocationConstraint"], None, "the location of a bucket in us-east-1")
    must(NAME in [bucket["Name"] for bucket in api("list-buckets")["Buckets"]], "the bucket is not listed")
    refused("404", "head-bucket", bucket=f"{NAME}-not")


def put_and_head():
    step("put-object with metadata and tags, head-object, get-object-tagging")
    kept = {
        "ContentType": "text/plain", "ContentLanguage": "de", "ContentDisposition": "inline", "ContentEncoding": "identity",
        "CacheControl": "no-store",
    }
    put = api(
        "put-object", bucket=NAME, key=KEY, body="body", metadata="first=1,second=two words",
        tagging="team=a%2Bb&stage=t%C3%A9st", content_type="text/plain", content_language="de", content_disposition="inline",
        content_encoding="identity", cache_control="no-store", expires="2031-01-02T03:04:05Z",
    )
    equal(put["ETag"], md5(BODY), "the ETag")
    head = api("head-object", bucket=NAME, key=KEY)
    equal({field: head.get(field) for field in kept}, kept, "the headers")
    found = (head["ContentLength"], head["ETag"], head["AcceptRanges"], head["Metadata"])
    equal(found, (100_000, md5(BODY), "bytes", {"first": "1", "second": "two words"}), "the object")
    must("2031" in head.get("Expires", head.get("ExpiresString", "")), f"when it expires: {head}")
    tags = {tag["Key"]: tag["Value"] for tag in api("get-object-tagging", bucket=NAME, key=KEY)["TagSet"]}
    equal(tags, {"team": "a+b", "stage": "tést"}, "the tags")


def read(key=KEY, **parameters):
    """The answer of get-object, and the body."""
    words = [word for name, value in parameters.items() for word in ("--" + name.replace("_", "-"), value)]
    answer = api("get-object", bucket=NAME, key=(key, *words, "file"))
    return answer, pathlib.Path("file").read_bytes()


def get():
    step("get-object whole, by range, by part, with other headers, under conditions")
    equal(read()[1] == BODY, True, "the body")
    for asked, first, last in (("0-0", 0, 1), ("5-1004", 5, 1005), ("99000-", 99_000, None), ("-10", -10, None),
                               ("50000-999999", 50_000, None)):
        equal(read(range="bytes=" + asked)[1] == BODY[first:last], True, f"the range {asked}")
    equal(read(range="bytes=5-9")[0]["ContentRange"], "bytes 5-9/100000", "the range told")
    equal(read(part_number="1")[1] == BODY, True, "the first part of what has one")
    equal(read(response_content_type="x/y")[0]["ContentType"], "x/y", "the type asked for")
    equal(read()[0]["TagCount"], 2, "the number of tags")
    asked = {"bucket": NAME, "key": KEY}
    refused("InvalidRange", "get-object", **asked, range=("bytes=100000-", "file"))
    refused("304", "get-object", **asked, if_none_match=(md5(BODY), "file"))
    refused("PreconditionFailed", "get-object", **asked, if_match=('"other"', "file"))
    refused("NoSuchKey", "get-object", bucket=NAME, key=("none", "file"))


def copy():
    step("copy-object as it is, and with other metadata and tags")
    answer = api("copy-object", bucket=NAME, key="copy", copy_source=f"{NAME}/{KEY}")
    equal(answer["CopyObjectResult"]["ETag"], md5(BODY), "its ETag")
    answer, body = read("copy")
    found = (answer["Metadata"], answer["ContentType"], answer["TagCount"], body == BODY)
    equal(found, ({"first": "1", "second": "two words"}, "text/plain", 2, True), "what was copied along")
    api(
        "copy-object", bucket=NAME, key="copy", copy_source=f"{NAME}/copy", metadata_directive="REPLACE", metadata="third=3",
        tagging_directive="REPLACE", tagging="only=one",
    )
    answer, body = read("copy")
    found = (answer["Metadata"], answer["ContentType"], answer["TagCount"], body == BODY)
    equal(found, ({"third": "3"}, "binary/octet-stream", 1, True), "what was replaced")


def attributes():
    step("get-object-attributes")
    answer = api(
        "get-object-attributes", bucket=NAME, key=KEY, object_attributes=("ETag", "ObjectSize", "StorageClass", "Checksum"),
    )
    found = (answer["ETag"], answer["ObjectSize"], answer["StorageClass"])
    equal(found, (md5(BODY).strip('"'), 100_000, "STANDARD"), "the attributes")


def pages():
    step("list-objects-v2 in pages, by prefix, by delimiter")
    keys = [f"pages/{number:02}" for number in range(1, 26)]
    for key in [*keys, "pages/sub/x"]:
        api("put-object", bucket=NAME, key=key, body="body")
    listed = api("list-objects-v2", bucket=NAME, prefix="pages/", page_size=7)["Contents"]
    equal([item["Key"] for item in listed], [*keys, "pages/sub/x"], "keys in pages of 7")
    answer = api("list-objects-v2", bucket=NAME, prefix="pages/", delimiter="/")
    equal([item["Key"] for item in answer["Contents"]], keys, "keys beside common prefixes")
    equal(answer["CommonPrefixes"], [{"Prefix": "pages/sub/"}], "common prefixes")
    answer = api("list-objects-v2", bucket=NAME, prefix="pages/", max_items=10, page_size=4)
    equal(len(answer["Contents"]), 10, "ten of them")
    rest = api("list-objects-v2", bucket=NAME, prefix="pages/", starting_token=answer["NextToken"])
    equal([item["Key"] for item in rest["Contents"]], [*keys[10:], "pages/sub/x"], "where the token goes on")
    answer = api("list-objects-v2", bucket=NAME, start_after="pages/20", max_keys=3, no_paginate=True)
    found = (answer["KeyCount"], answer["IsTruncated"], answer["Contents"][0]["Key"])
    equal(found, (3, True, "pages/21"), "one page of three")
    answer = api("list-objects", bucket=NAME, prefix="pages/", marker="pages/20", max_keys=3, no_paginate=True)
    equal([item["Key"] for item in answer["Contents"]], keys[20:23], "a page of the older call")


def multipart():
    step("a multipart upload by hand")
    parts = [os.urandom(5 * MIB), os.urandom(70_000)]
    at = {"bucket": NAME, "key": "parts/big"}
    upload = api("create-multipart-upload", **at, metadata="made=by-hand", content_type="a/b")["UploadId"]
    told = []
    for number in (2, 1):
        pathlib.Path("part").write_bytes(parts[number - 1])
        etag = api("upload-part", **at, upload_id=upload, part_number=number, body="part")["ETag"]
        equal(etag, md5(parts[number - 1]), f"the ETag of part {number}")
        told.insert(0, {"PartNumber": number, "ETag": etag})
    found = [(item["Key"], item["UploadId"]) for item in api("list-multipart-uploads", bucket=NAME)["Uploads"]]
    equal(found, [("parts/big", upload)], "the pending uploads")
    found = [(part["PartNumber"], part["Size"]) for part in api("list-parts", **at, upload_id=upload)["Parts"]]
    equal(found, [(1, 5 * MIB), (2, 70_000)], "its parts")
    other = {"Parts": [told[0], {"PartNumber": 2, "ETag": md5(b"other")}]}
    refused("InvalidPart", "complete-multipart-upload", **at, upload_id=upload, multipart_upload=other)
    whole = api("complete-multipart-upload", **at, upload_id=upload, multipart_upload={"Parts": told})
    equal(whole["ETag"], of_parts(parts), "the ETag of the whole")
    answer, body = read("parts/big")
    found = (answer["Metadata"], answer["ContentType"], body == b"".join(parts))
    equal(found, ({"made": "by-hand"}, "a/b", True), "the whole")
    equal(read("parts/big", part_number="2")[0]["PartsCount"], 2, "the number of parts")
    upload = api("create-multipart-upload", **at)["UploadId"]
    api("abort-multipart-upload", **at, upload_id=upload)
    refused("NoSuchUpload", "list-parts", **at, upload_id=upload)


def versions():
    step("put-bucket-versioning, list-object-versions, a version by its id")
    equal(api("get-bucket-versioning", bucket=NAME), {}, "versioning at first")
    api("put-bucket-versioning", bucket=NAME, versioning_configuration="Status=Enabled")
    equal(api("get-bucket-versioning", bucket=NAME)["Status"], "Enabled", "versioning now")
    at = {"bucket": NAME, "key": "kept"}
    pathlib.Path("part").write_bytes(b"first")
    first = api("put-object", **at, body="part")["VersionId"]
    second = api("put-object", **at, body="body")["VersionId"]
    equal(api("delete-object", **at)["DeleteMarker"], True, "the delete marker")
    refused("NoSuchKey", "get-object", bucket=NAME, key=("kept", "file"))
    answer = api("list-object-versions", bucket=NAME, prefix="kept")
    equal([version["VersionId"] for version in answer["Versions"]], [second, first], "the versions")
    equal([marker["IsLatest"] for marker in answer["DeleteMarkers"]], [True], "the marker")
    equal(read("kept", version_id=first)[1], b"first", "the first version")
    answer = api("list-object-versions", bucket=NAME, prefix="copy")
    equal([version["VersionId"] for version in answer["Versions"]], ["null"], "the id of what was there before")

    step("delete-objects: by version, and what was never there")
    answer = api("list-object-versions", bucket=NAME)
    rows = [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in answer["Versions"] + answer["DeleteMarkers"]]
    answer = api("delete-objects", bucket=NAME, delete={"Objects": [*rows, {"Key": "never there"}]})
    equal((len(answer["Deleted"]), answer.get("Errors", [])), (len(rows) + 1, []), "what went")
    # To delete what was never there makes a marker in a versioned bucket.
    answer = api("list-object-versions", bucket=NAME)
    equal([marker["Key"] for marker in answer["DeleteMarkers"]], ["never there"], "what is left")
    refused("BucketNotEmpty", "delete-bucket", bucket=NAME)
    api("delete-object", bucket=NAME, key="never there", version_id=answer["DeleteMarkers"][0]["VersionId"])
    answer = api("list-object-versions", bucket=NAME)
    equal((answer.get("Versions"), answer.get("DeleteMarkers")), (None, None), "what is left")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        run(scratch)
