"""Listings in pages of every size, by both versions of the call."""

import random

from boto_common import bucket, client, equal, must, refused, step


def run():
    s3 = client()
    chance = random.Random(51)
    words = ["a", "b", "ab", "ä", "\U0001f600", "\uffff", "z", "A", "0", "-"]
    keys = {"/".join(chance.choice(words) for _ in range(chance.randrange(1, 4))) for _ in range(70)}
    # By bytes, not by code units: beyond the basic plane comes behind it.
    keys = sorted(keys, key=str.encode)
    with bucket(s3, "boto-listings") as name:
        for key in keys:
            s3.put_object(Bucket=name, Key=key, Body=key.encode())

        step("pages of every size, all keys in the order of their bytes")
        for call in ("list_objects_v2", "list_objects"):
            for size in (1, 7, 1000):
                pages = s3.get_paginator(call).paginate(Bucket=name, PaginationConfig={"PageSize": size})
                found = [item["Key"] for page in pages for item in page.get("Contents", [])]
                equal(found, keys, f"{call} in pages of {size}")

        step("prefixes and delimiters, in pages")
        for call in ("list_objects_v2", "list_objects", "list_object_versions"):
            for prefix, delimiter in (("", "/"), ("a/", "/"), ("a", "b"), ("", "b/"), ("none", "/")):
                whole, grouped = expected(keys, prefix, delimiter)
                for size in (1, 3, 1000):
                    pages = list(s3.get_paginator(call).paginate(
                        Bucket=name, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size},
                    ))
                    where = f"{call} of {prefix!r} by {delimiter!r} in pages of {size}"
                    for page in pages:
                        count = len(page.get(kind(call), [])) + len(page.get("CommonPrefixes", []))
                        must(count <= size, f"{where}: {count} on one page")
                    equal([item["Key"] for page in pages for item in page.get(kind(call), [])], whole, where)
                    found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
                    equal(found, grouped, f"common prefixes, {where}")

        step("what an entry tells, and the edges of max-keys")
        answer = s3.list_objects_v2(Bucket=name, MaxKeys=2, FetchOwner=True, StartAfter=keys[9])
        equal([item["Key"] for item in answer["Contents"]], keys[10:12], "what comes after")
        entry = answer["Contents"][0]
        equal((entry["Size"], entry["StorageClass"]), (len(keys[10].encode()), "STANDARD"), "an entry")
        must(entry["Owner"]["ID"] and entry["ETag"].startswith('"'), f"an entry: {entry}")
        equal((answer["KeyCount"], answer["MaxKeys"], answer["IsTruncated"]), (2, 2, True), "the page")
        answer = s3.list_objects_v2(Bucket=name, MaxKeys=0)
        equal((answer["KeyCount"], answer["IsTruncated"], answer.get("Contents")), (0, False, None), "no keys")
        equal(s3.list_objects_v2(Bucket=name, MaxKeys=5000)["MaxKeys"], 1000, "the most there is")
        with refused("InvalidArgument", 400):
            s3.list_objects_v2(Bucket=name, MaxKeys=-1)
        with refused("InvalidArgument", 400):
            s3.list_objects_v2(Bucket=name, ContinuationToken="no token")


def kind(call):
    return "Versions" if call == "list_object_versions" else "Contents"


def expected(keys, prefix, delimiter):
    """Keys that are listed whole, and common prefixes, both in order."""
    whole, grouped = [], []
    for key in keys:
        if key.startswith(prefix):
            head, found, _ = key[len(prefix):].partition(delimiter)
            if not found:
                whole.append(key)
            elif prefix + head + found not in grouped:
                grouped.append(prefix + head + found)
    return whole, grouped
