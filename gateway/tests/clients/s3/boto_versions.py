"""Versions, delete markers, null versions, tags; and deleting many with their ids."""

from boto_common import bucket, client, equal, must, refused, step


def versions(s3, name, prefix=""):
    """Key, id, whether it is the latest, and whether it is a marker, as listed, in pages of two."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=name, Prefix=prefix, PaginationConfig={"PageSize": 2}
    ):
        rows = [(row, False) for row in page.get("Versions", [])] + [(row, True) for row in page.get("DeleteMarkers", [])]
        found += [(row["Key"], row["VersionId"], row["IsLatest"], marker) for row, marker in rows]
    return found


def run():
    s3 = client()
    with bucket(s3, "boto-versions") as name:
        def versioning(status):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
            equal(s3.get_bucket_versioning(Bucket=name)["Status"], status, "versioning")

        put = lambda key, body, **more: s3.put_object(Bucket=name, Key=key, Body=body, **more).get("VersionId")
        get = lambda key, **more: s3.get_object(Bucket=name, Key=key, **more)["Body"].read()

        step("enabled: each PUT is a version, a DELETE a marker")
        equal(put("a", b"before"), None, "the id before versioning")
        versioning("Enabled")
        one, two = put("a", b"one"), put("a", b"two")
        must(one and two and one != two, f"ids: {one}, {two}")
        marker = s3.delete_object(Bucket=name, Key="a")
        must(marker["DeleteMarker"] and marker["VersionId"] not in (one, two, "null"), f"the marker {marker}")
        marker = marker["VersionId"]
        equal(set(versions(s3, name)), {
            ("a", marker, True, True), ("a", two, False, False), ("a", one, False, False), ("a", "null", False, False),
        }, "the versions")
        equal([get("a", VersionId=id) for id in ("null", one, two)], [b"before", b"one", b"two"], "by their ids")
        with refused("NoSuchKey", 404):
            get("a")
        with refused("MethodNotAllowed", 405):
            get("a", VersionId=marker)
        with refused("NoSuchVersion", 404):
            get("a", VersionId="f" * 32)

        step("without the marker the version below is the latest again")
        answer = s3.delete_object(Bucket=name, Key="a", VersionId=marker)
        equal((answer.get("DeleteMarker"), answer["VersionId"]), (True, marker), "the answer")
        equal(get("a"), b"two", "the latest")
        s3.delete_object(Bucket=name, Key="a", VersionId=two)
        equal(get("a"), b"one", "the latest of what is left")

        step("suspended: the null version is replaced, and a DELETE makes a null marker")
        versioning("Suspended")
        equal(put("a", b"after"), None, "the id of what is put now")
        equal(get("a", VersionId="null"), b"after", "the null version")
        answer = s3.delete_object(Bucket=name, Key="a")
        equal((answer["DeleteMarker"], answer["VersionId"]), (True, "null"), "the null marker")
        equal(set(versions(s3, name)), {("a", "null", True, True), ("a", one, False, False)}, "the versions")

        step("a copy of an old version")
        versioning("Enabled")
        source = {"Bucket": name, "Key": "a", "VersionId": one}
        answer = s3.copy_object(Bucket=name, Key="b", CopySource=source)
        equal((get("b"), answer["CopySourceVersionId"]), (b"one", one), "the copy")

        step("tags of each version, and of the bucket")
        old, new = put("t", b"1", Tagging="which=old"), put("t", b"2", Tagging="which=new&two=2")
        tags = lambda **more: {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=name, Key="t", **more)["TagSet"]}
        equal((tags(), tags(VersionId=old)), ({"which": "new", "two": "2"}, {"which": "old"}), "tags")
        told = {"TagSet": [{"Key": "größe", "Value": "a+b = c/d"}]}
        equal(s3.put_object_tagging(Bucket=name, Key="t", VersionId=old, Tagging=told)["VersionId"], old, "whose tags")
        equal((tags(), tags(VersionId=old)), ({"which": "new", "two": "2"}, {"größe": "a+b = c/d"}), "tags")
        s3.delete_object_tagging(Bucket=name, Key="t", VersionId=new)
        equal(tags(), {}, "tags")
        with refused("InvalidTag", 400):
            s3.put_object_tagging(Bucket=name, Key="t", Tagging={"TagSet": [{"Key": "k" * 129, "Value": ""}]})
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        equal(s3.get_bucket_tagging(Bucket=name)["TagSet"], [{"Key": "k", "Value": "v"}], "the bucket's tags")
        s3.delete_bucket_tagging(Bucket=name)
        with refused("NoSuchTagSet", 404):
            s3.get_bucket_tagging(Bucket=name)

        step("many at once, with ids, without, quiet, and what was never there")
        kept = put("d", b"kept")
        gone = put("d", b"gone")
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": [
            {"Key": "d", "VersionId": gone}, {"Key": "b"}, {"Key": "never there"},
        ]})
        equal(answer.get("Errors", []), [], "errors")
        told = {item["Key"]: item for item in answer["Deleted"]}
        equal(told["d"], {"Key": "d", "VersionId": gone}, "a version by its id")
        must(told["b"]["DeleteMarker"] and told["b"]["DeleteMarkerVersionId"], f"a marker: {told['b']}")
        equal([row[1] for row in versions(s3, name, "d")], [kept], "what is kept")
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "d"}], "Quiet": True})
        equal((answer.get("Deleted", []), answer.get("Errors", [])), ([], []), "a quiet answer")

        step("a thousand at once")
        for number in range(20):
            put(f"thousand/{number:04}", b"x")
        objects = [{"Key": f"thousand/{number:04}"} for number in range(1000)]
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects})
        equal((len(answer["Deleted"]), answer.get("Errors", [])), (1000, []), "what went")
        with refused("MalformedXML", 400):
            s3.delete_objects(Bucket=name, Delete={"Objects": [*objects, {"Key": "one more"}]})
