"""Links: reading and writing with nothing but a URL, within its terms."""

import datetime
import urllib.parse

import sigv4
from boto_common import ENDPOINT, bucket, client, equal, md5, must, plain, step

KEY = "dir/link to ü+%.txt"


def run():
    s3 = client()
    with bucket(s3, "boto-presigned") as name:
        at = {"Bucket": name, "Key": KEY}

        step("PUT by a link")
        url = s3.generate_presigned_url("put_object", at, ExpiresIn=60)
        status, headers, _ = plain("PUT", url, b"by a link")
        equal((status, headers["ETag"]), (200, md5(b"by a link")), "the answer")

        step("PUT by a link that fixes the type and the metadata")
        fixed = {**at, "ContentType": "text/x-fixed", "Metadata": {"who": "me"}}
        url = s3.generate_presigned_url("put_object", fixed, ExpiresIn=60)
        told = {"Content-Type": "text/x-fixed", "x-amz-meta-who": "me"}
        equal(plain("PUT", url, b"fixed", {**told, "Content-Type": "text/other"})[0], 403, "another type")
        equal(plain("PUT", url, b"fixed", told)[0], 200, "the type agreed on")
        head = s3.head_object(**at)
        equal((head["ContentType"], head["Metadata"]), ("text/x-fixed", {"who": "me"}), "what is stored")

        step("GET and HEAD by links, with headers of the link's choice")
        url = s3.generate_presigned_url("get_object", {**at, "ResponseContentDisposition": 'attachment; filename="x y"'})
        status, headers, body = plain("GET", url)
        equal((status, body, headers["Content-Disposition"]), (200, b"fixed", 'attachment; filename="x y"'), "the answer")
        equal(plain("GET", url, headers={"Range": "bytes=1-2"})[::2], (206, b"ix"), "a range")
        equal(plain("PUT", url, b"other")[0], 403, "a link for reading, used for writing")
        equal(plain("HEAD", s3.generate_presigned_url("head_object", at))[0], 200, "HEAD")

        step("a link is worth nothing once changed")
        before, _, after = url.partition("link%20to")
        status, _, body = plain("GET", f"{before}other%20to{after}")
        equal(status, 403, "another key")
        must(b"<Code>SignatureDoesNotMatch</Code>" in body, f"the answer {body}")
        status, _, body = plain("GET", url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200"))
        equal(status, 403, "a longer life")

        step("a link ends")
        hour_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        path = f"/{name}/{urllib.parse.quote(KEY)}"
        status, _, body = plain("GET", ENDPOINT + sigv4.presigned("GET", path, hour_ago, 600))
        equal(status, 403, "a link that is over")
        must(b"<Code>AccessDenied</Code>" in body and b"expired" in body, f"the answer {body}")
        status, _, body = plain("GET", ENDPOINT + sigv4.presigned("GET", path, hour_ago, 6000))
        equal((status, body), (200, b"fixed"), "a link that is old, but not over")

        step("DELETE by a link")
        equal(plain("DELETE", s3.generate_presigned_url("delete_object", at))[0], 204, "the answer")
        equal(plain("GET", url)[0], 404, "what is there afterwards")

        step("an upload in parts by links")
        upload = s3.create_multipart_upload(**at)["UploadId"]
        url = s3.generate_presigned_url("upload_part", {**at, "UploadId": upload, "PartNumber": 1})
        status, headers, _ = plain("PUT", url, b"the only part")
        equal((status, headers["ETag"]), (200, md5(b"the only part")), "the part")
        parts = {"Parts": [{"PartNumber": 1, "ETag": headers["ETag"]}]}
        s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts)
        equal(s3.get_object(**at)["Body"].read(), b"the only part", "the whole")
