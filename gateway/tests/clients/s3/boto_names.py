"""Any key is one key and no other, however it looks: written, listed, copied, tagged and deleted under its own name."""

import sigv4
from boto_common import bucket, client, equal, refused, step

KEYS = [
    "a", "a/", "/a", "//", "/", "a//b", "a///b/", ".", "..", "./a", "../a", "a/../b", "a/./b", "a/..", "...", "a/.hidden",
    "%", "%2F", "%2f", "a%2Fb", "%00", "%25", "+", "a+b", "a b", " a", "a ", "a%20b", "\u00e4", "a\u0308", "\U0001f600", "\uffff",
    "&amp;", "<a>", "\"quoted\"", "it's", "a?b=c", "a#b", "a;b", "a,b=c", "a:b", "a@b", "a\\b", "a|b^c`d{e}", "$&@=;:+ ,?", "~",
    "A", "null", "versions", "?uploads", "tab\there", "line\nbreak", "return\rhere", "bell\x07", "delete\x7f", "x" * 1024, "\u00e4" * 512,
]


def run():
    s3 = client()
    with bucket(s3, "boto-names") as name:
        step(f"{len(KEYS)} odd keys, each with its own body")
        for key in KEYS:
            s3.put_object(Bucket=name, Key=key, Body=key.encode(), Metadata={"length": str(len(key))})
        for key in KEYS:
            answer = s3.get_object(Bucket=name, Key=key)
            equal((answer["Body"].read(), answer["Metadata"]["length"]), (key.encode(), str(len(key))), f"{key!r}")

        step("listed as they are, in the order of their bytes")
        listed = s3.list_objects_v2(Bucket=name)["Contents"]
        equal([item["Key"] for item in listed], sorted(KEYS, key=str.encode), "the list")

        step("copied under their own names")
        for key in KEYS:
            target = f"copy:{key}"[:1024] if key.isascii() else key[:500] + "-copy"
            s3.copy_object(Bucket=name, Key=target, CopySource={"Bucket": name, "Key": key})
            equal(s3.get_object(Bucket=name, Key=target)["Body"].read(), key.encode(), f"the copy of {key!r}")
            s3.delete_object(Bucket=name, Key=target)

        step("too long, and not UTF-8")
        with refused("KeyTooLongError", 400):
            s3.put_object(Bucket=name, Key="x" * 1025, Body=b"")
        with refused("KeyTooLongError", 400):
            s3.put_object(Bucket=name, Key="\u00e4" * 513, Body=b"")
        status, _, body = sigv4.send("PUT", f"/{name}/%ff%fe", body=b"x")
        equal(status, 400, f"the answer to a key that is not UTF-8: {body}")

        step("spelt otherwise on the wire, the same key")
        for spelling in ("a%2fb%20c", "a%2Fb%20c", "%61/b%20c"):
            status, _, body = sigv4.send("PUT", f"/{name}/{spelling}", body=spelling.encode())
            # Whoever signs otherwise than the specification says may be refused, but never take another key.
            equal(status in (200, 403), True, f"{spelling}: {status} {body}")
        s3.delete_object(Bucket=name, Key="a/b c")

        step("deleted one by one, and many at once")
        for key in KEYS[::2]:
            s3.delete_object(Bucket=name, Key=key)
        left = KEYS[1::2]
        listed = s3.list_objects_v2(Bucket=name)["Contents"]
        equal([item["Key"] for item in listed], sorted(left, key=str.encode), "what is left")
        # Control characters are no XML.
        many = [key for key in left if key.isprintable()]
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in many]})
        equal(sorted(item["Key"] for item in answer["Deleted"]), sorted(many), "what went")
        listed = s3.list_objects_v2(Bucket=name).get("Contents", [])
        equal(sorted(item["Key"] for item in listed), sorted(set(left) - set(many)), "what cannot be named in XML")
