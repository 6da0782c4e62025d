"""The transfer manager: 8 threads, parts of 8 MiB, up, down and within the store; many small objects at once."""

import concurrent.futures
import io
import random

from boto3.s3.transfer import TransferConfig
from boto_common import MIB, bucket, client, equal, md5, of_parts, step

PART = 8 * MIB


def run():
    s3 = client(max_pool_connections=16)
    chance = random.Random(21)
    eight = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=8)
    with bucket(s3, "boto-transfers") as name:
        step("upload_fileobj and download_fileobj of 33 MiB + 1 in five parts")
        large = chance.randbytes(33 * MIB + 1)
        extra = {"Metadata": {"made": "in parts"}, "ContentType": "application/x-large"}
        seen = []
        s3.upload_fileobj(io.BytesIO(large), name, "large", ExtraArgs=extra, Callback=seen.append, Config=eight)
        equal(sum(seen), len(large), "bytes that the callback was told of")
        parts = [large[at:at + PART] for at in range(0, len(large), PART)]
        head = s3.head_object(Bucket=name, Key="large")
        found = (head["ETag"], head["ContentLength"], head["Metadata"], head["ContentType"])
        equal(found, (of_parts(parts), len(large), *extra.values()), "the object")
        back = io.BytesIO()
        s3.download_fileobj(name, "large", back, Config=eight)
        equal(back.getvalue() == large, True, "the bytes that come back")

        step("a part by its number")
        for number, part in [(1, parts[0]), (5, parts[4])]:
            answer = s3.get_object(Bucket=name, Key="large", PartNumber=number)
            found = (answer["PartsCount"], answer["ContentLength"], answer["Body"].read() == part)
            equal(found, (5, len(part), True), f"part {number}")

        step("copy within the store, in parts")
        s3.copy({"Bucket": name, "Key": "large"}, name, "copied", Config=eight)
        back = io.BytesIO()
        s3.download_fileobj(name, "copied", back, Config=eight)
        equal(back.getvalue() == large, True, "the bytes of the copy")
        equal(s3.head_object(Bucket=name, Key="copied")["ETag"], of_parts(parts), "the ETag of the copy")

        step("a stream whose length nobody knows")
        class Trickle:
            """Has bytes, but neither a length nor a place in it."""

            def __init__(self, data):
                self.inner = io.BytesIO(data)

            def read(self, amount=-1):
                return self.inner.read(min(amount, 100_000) if amount > 0 else amount)

        s3.upload_fileobj(Trickle(large[:9 * MIB]), name, "trickle", Config=eight)
        answer = s3.get_object(Bucket=name, Key="trickle")
        equal(answer["Body"].read() == large[:9 * MIB], True, "the bytes of the stream")

        step("200 small objects by 8 threads, all of them there")
        bodies = {f"small/{number:03}": chance.randbytes(chance.randrange(3_000)) for number in range(200)}
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            etags = threads.map(lambda item: s3.put_object(Bucket=name, Key=item[0], Body=item[1])["ETag"], bodies.items())
            equal(list(etags), [md5(body) for body in bodies.values()], "the ETags")
            gets = threads.map(lambda key: s3.get_object(Bucket=name, Key=key)["Body"].read(), bodies)
            equal(dict(zip(bodies, gets)) == bodies, True, "the bodies")
        listed = s3.list_objects_v2(Bucket=name, Prefix="small/")
        equal([item["Key"] for item in listed["Contents"]], list(bodies), "the list of them")
