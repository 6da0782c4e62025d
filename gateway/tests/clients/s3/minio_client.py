"""minio-py against a live server: objects, trees, composed objects, links and forms."""

import datetime
import io
import os
import pathlib
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True

import minio
from boto_common import ENDPOINT, KEY, MIB, SECRET, equal, must, of_parts, plain, step
from minio.commonconfig import REPLACE, ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.versioningconfig import ENABLED, VersioningConfig
import tree

LIFE = datetime.timedelta(minutes=1)


def run(directory):
    client = minio.Minio(urllib.parse.urlsplit(ENDPOINT).netloc, access_key=KEY, secret_key=SECRET, secure=False, region="us-east-1")
    name = f"minio-py-{os.getpid()}"
    step("make_bucket, bucket_exists, list_buckets")
    must(not client.bucket_exists(name), "the bucket exists before it is made")
    client.make_bucket(name)
    must(client.bucket_exists(name), "the bucket does not exist")
    must(name in [bucket.name for bucket in client.list_buckets()], "the bucket is not listed")
    objects(client, name)
    whole_tree(client, name, directory)
    composed(client, name)
    links(client, name)
    refusals(client, name)
    versions(client, name)

    step("remove_objects, remove_bucket")
    listed = client.list_objects(name, recursive=True, include_version=True)
    errors = list(client.remove_objects(name, [DeleteObject(item.object_name, item.version_id) for item in listed]))
    equal(errors, [], "errors")
    client.remove_bucket(name)
    must(not client.bucket_exists(name), "the bucket is still there")


def objects(client, name):
    step("put_object, get_object, stat_object, with metadata and tags")
    tags = Tags(for_object=True)
    tags["team"] = "a b"
    put = client.put_object(
        name, "dir/ümlaut + 1.txt", io.BytesIO(b"hello"), 5, content_type="text/x-minio", metadata={"Colour": "green"}, tags=tags,
    )
    told = client.stat_object(name, "dir/ümlaut + 1.txt")
    found = (told.size, told.etag, told.content_type, told.metadata["x-amz-meta-colour"])
    equal(found, (5, put.etag, "text/x-minio", "green"), "stat")
    equal(dict(client.get_object_tags(name, "dir/ümlaut + 1.txt")), {"team": "a b"}, "the tags")
    equal(read(client, name, "dir/ümlaut + 1.txt"), b"hello", "the body")
    equal(read(client, name, "dir/ümlaut + 1.txt", offset=1, length=3), b"ell", "a part of the body")

    step("put_object of a stream whose length nobody knows")
    data = os.urandom(11 * MIB)
    put = client.put_object(name, "stream", io.BytesIO(data), -1, part_size=5 * MIB)
    parts = [data[at:at + 5 * MIB] for at in range(0, len(data), 5 * MIB)]
    equal(f'"{put.etag}"', of_parts(parts), "the ETag")
    equal(read(client, name, "stream") == data, True, "the body")

    step("copy_object with other metadata")
    client.copy_object(name, "copy", CopySource(name, "dir/ümlaut + 1.txt"), metadata={"x": "y"}, metadata_directive=REPLACE)
    equal(client.stat_object(name, "copy").metadata["x-amz-meta-x"], "y", "the metadata")
    equal(read(client, name, "copy"), b"hello", "the copy")


def whole_tree(client, name, directory):
    step("a tree up by fput_object and down by fget_object")
    up, down = directory / "up", directory / "down"
    tree.make(up, 13)
    for file in tree.files(up):
        file = os.fsdecode(file)
        client.fput_object(name, f"tree/{file}", str(up / file), part_size=5 * MIB)
    listed = list(client.list_objects(name, prefix="tree/", recursive=True))
    equal([item.object_name for item in listed], sorted((item.object_name for item in listed), key=str.encode), "the order")
    for item in listed:
        file = item.object_name.removeprefix("tree/")
        equal(item.size, (up / file).stat().st_size, f"the size of {file}")
        client.fget_object(name, item.object_name, str(down / file))
    equal(tree.difference(up, down), None, "the trees")
    found = {item.object_name for item in client.list_objects(name, prefix="tree/many/")}
    equal(found, {f"tree/many/{number}/" for number in range(7)}, "what is listed without going down")


def composed(client, name):
    step("compose_object from parts of others")
    data = os.urandom(6 * MIB)
    client.put_object(name, "source", io.BytesIO(data), len(data))
    sources = [ComposeSource(name, "source", offset=10, length=5 * MIB), ComposeSource(name, "dir/ümlaut + 1.txt")]
    client.compose_object(name, "composed", sources)
    equal(read(client, name, "composed") == data[10:10 + 5 * MIB] + b"hello", True, "what was composed")


def links(client, name):
    step("presigned links")
    equal(plain("PUT", client.presigned_put_object(name, "linked", LIFE), b"by a link")[0], 200, "PUT")
    equal(plain("GET", client.presigned_get_object(name, "linked", LIFE))[::2], (200, b"by a link"), "GET")

    step("a form with a policy")
    policy = minio.datatypes.PostPolicy(name, datetime.datetime.now(datetime.UTC) + LIFE)
    policy.add_starts_with_condition("key", "form/")
    policy.add_content_length_range_condition(1, 100)
    fields = client.presigned_post_policy(policy)
    boundary = "a-boundary-2b7c"
    lines = []
    for field, value in {**fields, "key": "form/x"}.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{field}"', "", value]
    lines += [f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="x"', "", "by a form", f"--{boundary}--", ""]
    status, _, body = plain(
        "POST", f"{ENDPOINT}/{name}", "\r\n".join(lines).encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    equal(status, 204, f"the answer {body}")
    equal(read(client, name, "form/x"), b"by a form", "what the form sent")


def refusals(client, name):
    step("what is not there")
    for code, ask in (
        ("NoSuchKey", lambda: client.get_object(name, "none")), ("NoSuchKey", lambda: client.stat_object(name, "none")),
        ("NoSuchBucket", lambda: client.put_object(f"{name}-not", "x", io.BytesIO(b""), 0)),
        ("BucketNotEmpty", lambda: client.remove_bucket(name)),
    ):
        try:
            ask()
        except minio.error.S3Error as error:
            equal(error.code, code, "the refusal")
        else:
            must(False, f"{code} must be the answer, but it was done")


def versions(client, name):
    step("versions")
    client.set_bucket_versioning(name, VersioningConfig(ENABLED))
    equal(client.get_bucket_versioning(name).status, ENABLED, "versioning")
    old = client.put_object(name, "kept", io.BytesIO(b"old"), 3).version_id
    client.put_object(name, "kept", io.BytesIO(b"new"), 3)
    client.remove_object(name, "kept")
    equal(read(client, name, "kept", version_id=old), b"old", "an old version")
    listed = list(client.list_objects(name, prefix="kept", include_version=True))
    equal(sorted(item.is_delete_marker for item in listed), [False, False, True], "the versions")


def read(client, *arguments, **named):
    """The body of an object."""
    answer = client.get_object(*arguments, **named)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        run(pathlib.Path(scratch))
