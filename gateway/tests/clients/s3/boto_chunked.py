"""aws-chunked bodies, signed and unsigned, with and without trailers, which SDKs send in another way over TLS than not."""

import random

import sigv4
from boto_common import bucket, client, equal, md5, must, step
from boto_sums import SUMS, full

SIGNED, SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNK = 64 * 1024


def chunked(data, mode, trailer=None, spoil=lambda number, text: text):
    """The body, made from the signing of the head: chunks of 64 KiB, the last one empty, then the trailer.

    `spoil` may change the signature of a chunk; the trailer's has the number -1.
    """
    signed = mode != UNSIGNED_TRAILER

    def make(signing):
        pieces = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)] + [b""]
        body = bytearray()
        for number, piece in enumerate(pieces):
            extension = ";chunk-signature=" + spoil(number, signing.chunk(piece)) if signed else ""
            body += f"{len(piece):x}{extension}\r\n".encode() + piece + (b"\r\n" if piece else b"")
        if trailer is not None:
            name, value = trailer
            body += f"{name}:{value}\r\n".encode()
            if signed:
                body += f"x-amz-trailer-signature:{spoil(-1, signing.trailer(f'{name}:{value}{chr(10)}'))}\r\n".encode()
        return bytes(body + b"\r\n")

    return make


def put(path, data, mode, trailer=None, length=None, **more):
    """Sends it: status, headers and body."""
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(data) if length is None else length)}
    if trailer is not None:
        headers["x-amz-trailer"] = trailer[0]
    make = chunked(data, mode, trailer, **more)
    return sigv4.send("PUT", path, headers=headers, body=make, payload=mode)


def run():
    s3 = client(response_checksum_validation="when_required")
    data = random.Random(61).randbytes(3 * CHUNK + 77)
    with bucket(s3, "boto-chunked") as name:
        at = {"Bucket": name, "Key": "chunked"}

        def stored(expected, **more):
            answer = s3.get_object(**at, **more)
            equal(answer["Body"].read() == expected, True, "what is stored")
            must("aws-chunked" not in answer.get("ContentEncoding", ""), "aws-chunked is kept as an encoding")
            return answer

        def taken(answer, expected):
            equal((answer[0], answer[1]["ETag"]), (200, md5(expected)), f"the answer {answer[2]}")

        path = f"/{name}/chunked"
        step("signed chunks")
        for body in (data, b"", b"x", data[:CHUNK]):
            taken(put(path, body, SIGNED), body)
            stored(body)

        for algorithm in SUMS:
            step(f"{algorithm} in a trailer, of signed and of unsigned chunks, and wrong")
            field = f"x-amz-checksum-{algorithm.lower()}"
            for mode in (SIGNED_TRAILER, UNSIGNED_TRAILER):
                answer = put(path, data, mode, (field, full(algorithm, data)))
                taken(answer, data)
                equal(answer[1][field], full(algorithm, data), "the checksum in the answer")
                told = stored(data, ChecksumMode="ENABLED")
                equal(told.get(f"Checksum{algorithm}"), full(algorithm, data), "the checksum")
                status, _, body = put(f"/{name}/none", data, mode, (field, full(algorithm, b"other")))
                equal((status, b"<Code>BadDigest</Code>" in body), (400, True), f"a wrong trailer: {body}")

        step("a forged chunk, a forged trailer, and lengths that are not true")
        forge = lambda where: lambda number, text: "0" * 64 if number == where else text
        trailer = ("x-amz-checksum-crc32", full("CRC32", data))
        for what, answer in {
            "a forged chunk": put(f"/{name}/none", data, SIGNED, spoil=forge(2)),
            "a forged first chunk": put(f"/{name}/none", data[:10], SIGNED, spoil=forge(0)),
            "a forged last chunk": put(f"/{name}/none", data, SIGNED, spoil=forge(4)),
            "a forged trailer": put(f"/{name}/none", data, SIGNED_TRAILER, trailer, spoil=forge(-1)),
        }.items():
            equal((answer[0], b"<Code>SignatureDoesNotMatch</Code>" in answer[2]), (403, True), f"{what}: {answer[2]}")
        for what, answer in {
            "too long": put(f"/{name}/none", data, SIGNED, length=len(data) - 1),
            "too short": put(f"/{name}/none", data, SIGNED, length=len(data) + 1),
        }.items():
            equal(answer[0], 400, f"{what}: {answer[2]}")
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=name)["Contents"]]
        equal(keys, ["chunked"], "what is in the bucket")

        step("an unsigned body, in one piece")
        status, headers, body = sigv4.send("PUT", path, body=data, payload="UNSIGNED-PAYLOAD")
        equal((status, headers["ETag"]), (200, md5(data)), f"the answer {body}")
        stored(data)

        step("another encoding beside aws-chunked stays")
        make = chunked(data, SIGNED)
        headers = {"content-encoding": "aws-chunked,gzip", "x-amz-decoded-content-length": str(len(data))}
        equal(sigv4.send("PUT", path, headers=headers, body=make, payload=SIGNED)[0], 200, "the answer")
        equal(s3.head_object(**at).get("ContentEncoding"), "gzip", "the encoding")
