"""Uploads in parts: every kind of checksum, copied parts, order, sizes, and what may be asked twice."""

import random

from boto_common import MIB, bucket, client, equal, md5, of_parts, refused, step
from boto_sums import KINDS, composite, full

MINIMUM = 5 * MIB


def run():
    s3 = client(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    chance = random.Random(41)
    parts = [chance.randbytes(MINIMUM), chance.randbytes(123_456)]
    with bucket(s3, "boto-parts") as name:
        for algorithm, kinds in KINDS.items():
            for kind in kinds:
                summed(s3, {"Bucket": name, "Key": f"{algorithm}-{kind}"}, algorithm, kind, parts)
        with refused("InvalidRequest", 400):
            s3.create_multipart_upload(Bucket=name, Key="x", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
        by_hand(s3, {"Bucket": name, "Key": "by hand"}, parts)
        copied(s3, name, parts)
        pending(s3, name)


def summed(s3, at, algorithm, kind, parts):
    step(f"{algorithm}, {kind.lower().replace('_', ' ')}")
    field = f"Checksum{algorithm}"
    whole = composite(algorithm, parts) if kind == "COMPOSITE" else full(algorithm, b"".join(parts))
    answer = s3.create_multipart_upload(**at, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    equal((answer.get("ChecksumAlgorithm"), answer.get("ChecksumType")), (algorithm, kind), "what was begun")
    told = []
    for number, part in enumerate(parts, 1):
        given = {field: full(algorithm, part)}
        asked = {**at, "UploadId": answer["UploadId"], "PartNumber": number}
        with refused("BadDigest", 400):
            s3.upload_part(**asked, Body=b"!", **given)
        etag = s3.upload_part(**asked, Body=part, **given)
        equal(etag.get(field), given[field], "the checksum of a part")
        told.append({"PartNumber": number, "ETag": etag["ETag"], **given})
    listed = s3.list_parts(**at, UploadId=answer["UploadId"])
    equal([part.get(field) for part in listed["Parts"]], [part[field] for part in told], "the parts' checksums in the list")
    done = {**at, "UploadId": answer["UploadId"], "MultipartUpload": {"Parts": told}}
    if kind == "FULL_OBJECT":
        with refused("BadDigest", 400):
            s3.complete_multipart_upload(**done, ChecksumType=kind, **{field: full(algorithm, b"other")})
    answer = s3.complete_multipart_upload(**done, ChecksumType=kind, **{field: whole})
    equal((answer.get(field), answer.get("ChecksumType"), answer["ETag"]), (whole, kind, of_parts(parts)), "the whole")
    head = s3.head_object(**at, ChecksumMode="ENABLED")
    equal((head.get(field), head.get("ChecksumType")), (whole, kind), "what HEAD tells")
    told = s3.get_object_attributes(**at, ObjectAttributes=["Checksum", "ObjectParts", "ETag"], MaxParts=1)
    found = (told["Checksum"].get(field), told["Checksum"].get("ChecksumType"), told["ObjectParts"]["TotalPartsCount"])
    # The attribute of a composite checksum stands without the number of parts.
    equal((found[0].partition("-")[0], *found[1:]), (whole.partition("-")[0], kind, 2), "the attributes")
    if kind == "COMPOSITE":
        # Only of these does AWS list the parts.
        found = [(part["PartNumber"], part["Size"], part.get(field)) for part in told["ObjectParts"]["Parts"]]
        equal(found, [(1, len(parts[0]), full(algorithm, parts[0]))], "the first page of parts")
        equal((told["ObjectParts"]["IsTruncated"], told["ObjectParts"]["NextPartNumberMarker"]), (True, 1), "whether there are more")


def by_hand(s3, at, parts):
    step("parts that are overwritten, come in any order, or are not named in the end")
    upload = s3.create_multipart_upload(**at, Metadata={"a": "b"}, Tagging="x=1")["UploadId"]
    put = lambda number, body: s3.upload_part(**at, UploadId=upload, PartNumber=number, Body=body)["ETag"]
    complete = lambda *told: s3.complete_multipart_upload(
        **at, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in told]}
    )
    small = put(7, b"not named in the end")
    last = put(10_000, parts[1])
    first = [put(2, b"overwritten"), put(2, parts[0])][1]
    with refused("InvalidPartOrder", 400):
        complete((10_000, last), (2, first))
    with refused("InvalidPart", 400):
        complete((2, md5(b"overwritten")), (10_000, last))
    with refused("InvalidPart", 400):
        complete((2, first), (3, last))
    with refused("EntityTooSmall", 400):
        complete((2, first), (7, small), (10_000, last))
    with refused("MalformedXML", 400):
        complete()
    with refused("InvalidArgument", 400):
        put(10_001, b"x")
    with refused("404", 404):
        s3.head_object(**at)
    answer = complete((2, first), (10_000, last))
    equal(answer["ETag"], of_parts(parts), "the ETag")
    equal(complete((2, first), (10_000, last))["ETag"], answer["ETag"], "the same, asked twice")
    got = s3.get_object(**at)
    equal((got["Metadata"], got["TagCount"], got["Body"].read() == b"".join(parts)), ({"a": "b"}, 1, True), "the object")
    across = s3.get_object(**at, Range=f"bytes={MINIMUM - 10}-{MINIMUM + 9}")["Body"].read()
    equal(across, parts[0][-10:] + parts[1][:10], "a range across parts")
    equal(s3.get_object(**at, PartNumber=2)["Body"].read() == parts[1], True, "a part by its position")
    with refused("InvalidPartNumber", 416):
        s3.get_object(**at, PartNumber=3)


def copied(s3, name, parts):
    step("parts copied from other objects")
    source, at = {"Bucket": name, "Key": "by hand"}, {"Bucket": name, "Key": "copied parts"}
    upload = s3.create_multipart_upload(**at)["UploadId"]
    asked = {**at, "UploadId": upload, "CopySource": source}
    told = []
    for number, (first, last) in enumerate([(0, MINIMUM - 1), (MINIMUM - 5, MINIMUM + 99_999)], 1):
        answer = s3.upload_part_copy(**asked, PartNumber=number, CopySourceRange=f"bytes={first}-{last}")
        told.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(**asked, PartNumber=3, CopySourceRange=f"bytes=0-{10 * MIB}")
    with refused("PreconditionFailed", 412):
        s3.upload_part_copy(**asked, PartNumber=3, CopySourceIfMatch='"other"')
    s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": told})
    whole = b"".join(parts)
    expected = whole[:MINIMUM] + whole[MINIMUM - 5:MINIMUM + 100_000]
    equal(s3.get_object(**at)["Body"].read() == expected, True, "what was put together")


def pending(s3, name):
    step("pending uploads, in pages, by prefix and delimiter; aborted they are gone")
    ids = {key: s3.create_multipart_upload(Bucket=name, Key=key)["UploadId"] for key in ("p/1", "p/2", "p/3/x", "q")}
    twice = s3.create_multipart_upload(Bucket=name, Key="p/1")["UploadId"]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=name, Prefix="p/", PaginationConfig={"PageSize": 2})
    found = [(upload["Key"], upload["UploadId"]) for page in pages for upload in page.get("Uploads", [])]
    equal(sorted(found), sorted([("p/1", ids["p/1"]), ("p/1", twice), ("p/2", ids["p/2"]), ("p/3/x", ids["p/3/x"])]), "pages")
    equal([key for key, _ in found], sorted(key for key, _ in found), "their order")
    answer = s3.list_multipart_uploads(Bucket=name, Prefix="p/", Delimiter="/")
    equal([prefix["Prefix"] for prefix in answer["CommonPrefixes"]], ["p/3/"], "common prefixes")
    at = {"Bucket": name, "Key": "q", "UploadId": ids["q"]}
    for number in range(1, 6):
        s3.upload_part(**at, PartNumber=number, Body=b"x" * number)
    pages = s3.get_paginator("list_parts").paginate(**at, PaginationConfig={"PageSize": 2})
    equal([part["Size"] for page in pages for part in page.get("Parts", [])], [1, 2, 3, 4, 5], "the parts in pages")
    s3.abort_multipart_upload(**at)
    for again in (lambda: s3.abort_multipart_upload(**at), lambda: s3.upload_part(**at, PartNumber=1, Body=b"x"),
                  lambda: s3.list_parts(**at)):
        with refused("NoSuchUpload", 404):
            again()
