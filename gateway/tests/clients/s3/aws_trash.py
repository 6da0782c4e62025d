"""What S3 calls final, an operator brings back.

  aws_trash.py rm    after `aws s3 rm --recursive`: `barrow trash restore`, for the prefix and by version
  aws_trash.py rb    after `aws s3 rb`: `barrow bucket restore`
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from aws import api, aws, refused
from boto_common import bucket, client, empty, equal, must, step

S3 = client()
OPERATOR = [os.environ["OPERATOR"], "--config", os.environ["OPERATOR_CONFIG"]]
SCRIPT = pathlib.Path(__file__).resolve()


def operator(*line):
    """What a command of the operator prints, which must be done."""
    ran = subprocess.run([*OPERATOR, *line], capture_output=True, text=True)
    must(ran.returncode == 0, f"barrow {' '.join(line)}: {ran.returncode}: {ran.stdout}{ran.stderr}")
    return ran.stdout.strip()


def removed(name, prefix):
    """The ids of the versions that lie in the trash."""
    answer = json.loads(operator("--json", "trash", "list", name, "--prefix", prefix))
    return {item["version"] for item in answer["items"]}


def told_of(name, prefix):
    """Everything that S3 tells of what lies below a prefix: versions and markers with their ids, order and dates, and of each
    current object metadata, tags, ETags and checksums."""
    told = []

    def tell(kind, answer):
        told.append((kind, {field: answer[field] for field in answer if field not in ("ResponseMetadata", "Body")}))

    for page in S3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
        for kind in ("Versions", "DeleteMarkers"):
            for row in page.get(kind, []):
                tell(kind, row)
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix):
        for row in page.get("Contents", []):
            at = {"Bucket": name, "Key": row["Key"]}
            tell("listed", row)
            tell("head", S3.head_object(**at, ChecksumMode="ENABLED"))
            tell("tags", S3.get_object_tagging(**at))
            tell("bytes", {"all": S3.get_object(**at)["Body"].read()})
    must(told, f"nothing lies below {prefix}")
    return told


def unchanged(before, after):
    """What S3 tells must be the same as before."""
    for one, other in zip(before, after):
        equal(other, one, "what S3 tells")
    equal(len(after), len(before), "how much S3 tells")


def rm_unversioned(name):
    step("objects with metadata and tags, in one part and in two, and one that was overwritten")
    pathlib.Path("big").write_bytes(os.urandom(9_000_000))
    api("put-object", bucket=name, key="kept/beside.txt", body=str(SCRIPT))
    api(
        "put-object", bucket=name, key="gone/größe 1+1.txt", body=str(SCRIPT), metadata="owner=me,word=two words",
        tagging="stage=test&team=a", content_type="text/x-python", checksum_algorithm="SHA256",
    )
    api("put-object", bucket=name, key="gone/empty")
    aws("s3", "cp", "big", f"s3://{name}/gone/deep/big", "--metadata", "size=large", "--only-show-errors")
    aws("s3", "cp", "big", f"s3://{name}/gone/twice", "--only-show-errors")
    aws("s3", "cp", str(SCRIPT), f"s3://{name}/gone/twice", "--only-show-errors")
    overwritten = removed(name, "gone/")
    equal(len(overwritten), 1, "what was overwritten, in the trash")
    before = told_of(name, "gone/")

    step("aws s3 rm --recursive takes them all")
    aws("s3", "rm", "--recursive", f"s3://{name}/gone/", "--only-show-errors")
    listed = api("list-objects-v2", bucket=name)["Contents"]
    equal([item["Key"] for item in listed], ["kept/beside.txt"], "what is left")
    equal(len(removed(name, "gone/")), 5, "the versions in the trash")
    gone = removed(name, "gone/") - overwritten

    step("barrow trash restore brings the prefix back with nothing changed")
    # Of each name comes back what was removed last, not what had been overwritten before.
    equal(operator("trash", "restore", name, "--prefix", "gone/"), "restored 4, failed 0", "what the operator is told")
    unchanged(before, told_of(name, "gone/"))
    equal(removed(name, "gone/"), overwritten, "what stays in the trash")
    for version in gone:
        # The same versions, no copies of them.
        must('"live"' in operator("--json", "why", version), f"version {version} is not live")


def rm_versioned(name):
    step("versions and a delete marker")
    api("put-bucket-versioning", bucket=name, versioning_configuration="Status=Enabled")
    at = {"bucket": name, "body": str(SCRIPT)}
    ids = [api("put-object", **at, key="versions/one", metadata=f"n={n}", tagging=f"n={n}")["VersionId"] for n in range(3)]
    ids.append(api("put-object", **at, key="versions/two")["VersionId"])
    ids.append(api("delete-object", bucket=name, key="versions/two")["VersionId"])
    before = told_of(name, "versions/")

    step("delete-objects takes every version for good")
    keys = ["versions/one"] * 3 + ["versions/two"] * 2
    rows = [{"Key": key, "VersionId": id} for key, id in zip(keys, ids)]
    equal(len(api("delete-objects", bucket=name, delete={"Objects": rows})["Deleted"]), 5, "what went")
    answer = api("list-object-versions", bucket=name, prefix="versions/")
    equal((answer.get("Versions"), answer.get("DeleteMarkers")), (None, None), "what is left")
    equal(removed(name, "versions/"), set(ids), "the versions in the trash")

    step("barrow trash restore brings each version back to its place")
    line = [word for id in ids for word in ("--version", id)]
    equal(operator("trash", "restore", name, *line), "restored 5, failed 0", "what the operator is told")
    unchanged(before, told_of(name, "versions/"))


def rm():
    with bucket(S3, "aws-trash-rm") as name, tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        rm_unversioned(name)
        rm_versioned(name)
        os.chdir("/")


def rb():
    name = f"aws-trash-rb-{os.getpid()}"
    step("an empty bucket with settings")
    aws("s3", "mb", f"s3://{name}")
    api("put-bucket-versioning", bucket=name, versioning_configuration="Status=Enabled")
    api("put-bucket-tagging", bucket=name, tagging={"TagSet": [{"Key": "team", "Value": "a b"}]})
    shown = lambda: [bucket for bucket in api("list-buckets")["Buckets"] if bucket["Name"] == name]
    before = shown()

    step("aws s3 rb takes it")
    aws("s3", "rb", f"s3://{name}")
    refused("404", "head-bucket", bucket=name)
    equal(shown(), [], "the list of buckets")
    containers = json.loads(operator("--json", "trash", "list"))["containers"]
    found = [(item["kind"], item["objects"]) for item in containers if item["name"] == name]
    equal(found, [("bucket", 0)], "what the trash shows")

    step("barrow bucket restore brings it back with its settings")
    operator("bucket", "restore", name)
    equal(shown(), before, "the list of buckets")
    equal(api("get-bucket-versioning", bucket=name)["Status"], "Enabled", "versioning")
    equal(api("get-bucket-tagging", bucket=name)["TagSet"], [{"Key": "team", "Value": "a b"}], "its tags")
    api("put-object", bucket=name, key="new", body=str(SCRIPT))
    equal(S3.get_object(Bucket=name, Key="new")["Body"].read(), SCRIPT.read_bytes(), "what is put into it")

    step("a bucket that somebody made meanwhile is left alone")
    empty(S3, name)
    aws("s3", "rb", f"s3://{name}")
    aws("s3", "mb", f"s3://{name}")
    ran = subprocess.run([*OPERATOR, "bucket", "restore", name], capture_output=True, text=True)
    must(ran.returncode == 1 and "BUCKETALREADYEXISTS" in ran.stdout + ran.stderr, f"{ran.returncode}: {ran.stdout}{ran.stderr}")
    operator("bucket", "restore", name, "--as", f"{name}-old")
    for bucket_name in (name, f"{name}-old"):
        aws("s3", "rb", f"s3://{bucket_name}")


if __name__ == "__main__":
    {"rm": rm, "rb": rb}[sys.argv[1]]()
