"""Checksums of whole objects, by header and by trailer: kept, told when asked for, and refused when wrong."""

import hashlib
import random

from boto_common import bucket, client, encoded, equal, must, refused, step
from boto_sums import SUMS, full


def run():
    s3 = client(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    data = random.Random(31).randbytes(50_000)
    with bucket(s3, "boto-checksums") as name:
        for algorithm in SUMS:
            step(f"{algorithm} by the client, by header, and wrong")
            field, sent = f"Checksum{algorithm}", full(algorithm, data)
            at = {"Bucket": name, "Key": f"sum/{algorithm}"}
            # Over TLS the client puts it into a trailer.
            answer = s3.put_object(**at, Body=data, ChecksumAlgorithm=algorithm)
            equal((answer.get(field), answer.get("ChecksumType")), (sent, "FULL_OBJECT"), "the answer to PUT")
            with refused("BadDigest", 400):
                s3.put_object(**at, Body=data + b"!", **{field: sent})
            with refused("BadDigest", 400):
                s3.put_object(**{**at, "Key": "none"}, Body=data + b"!", **{field: sent})
            s3.put_object(**at, Body=data, **{field: sent})
            for verb in (s3.head_object, s3.get_object):
                told = verb(**at, ChecksumMode="ENABLED")
                equal((told.get(field), told.get("ChecksumType")), (sent, "FULL_OBJECT"), "with the mode ENABLED")
                equal(verb(**at).get(field), None, "without the mode")
            equal(s3.get_object(**at, ChecksumMode="ENABLED")["Body"].read(), data, "what comes back, verified by the client")
            told = s3.get_object_attributes(**at, ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
            equal(told["Checksum"].get(field), sent, "the attribute")

        step("none at all: the server may add its own, as AWS does, but no wrong one")
        s3.put_object(Bucket=name, Key="plain", Body=data)
        told = s3.head_object(Bucket=name, Key="plain", ChecksumMode="ENABLED").get("ChecksumCRC64NVME")
        must(told in (None, full("CRC64NVME", data)), f"the checksum that the server adds: {told}")

        step("Content-MD5, right, wrong and none at all")
        digest = encoded(hashlib.md5(data).digest())
        s3.put_object(Bucket=name, Key="md5", Body=data, ContentMD5=digest)
        with refused("BadDigest", 400):
            s3.put_object(Bucket=name, Key="none", Body=data + b"!", ContentMD5=digest)
        with refused("InvalidDigest", 400):
            s3.put_object(Bucket=name, Key="none", Body=data, ContentMD5="no digest")
        with refused("InvalidRequest", 400):
            s3.put_object(Bucket=name, Key="none", Body=data, ChecksumSHA256="no digest")
        with refused("404", 404):
            s3.head_object(Bucket=name, Key="none")

        step("a copy keeps its checksum, or gets another kind")
        source = {"Bucket": name, "Key": "sum/SHA256"}
        answer = s3.copy_object(Bucket=name, Key="copy", CopySource=source)["CopyObjectResult"]
        equal(answer.get("ChecksumSHA256"), full("SHA256", data), "the same kind")
        answer = s3.copy_object(Bucket=name, Key="copy", CopySource=source, ChecksumAlgorithm="CRC32")["CopyObjectResult"]
        equal(answer.get("ChecksumCRC32"), full("CRC32", data), "another kind")
        listed = s3.list_objects_v2(Bucket=name, Prefix="sum/SHA1")["Contents"][0]
        equal(listed.get("ChecksumAlgorithm"), ["SHA1"], "the kind in a listing")
