"""What is refused, with the codes and the status that the S3 API reference documents."""

import base64
import hashlib
import xml.etree.ElementTree as xml

import boto3
import sigv4
from boto_common import ENDPOINT, bucket, client, equal, must, plain, refused, step


def code(answer):
    """Status and error code of a raw answer."""
    return answer[0], xml.fromstring(answer[2]).findtext("Code")


def run():
    s3 = client()
    with bucket(s3, "boto-errors") as name:
        at = {"Bucket": name, "Key": "here"}
        s3.put_object(**at, Body=b"0123456789")

        step("what is not there")
        with refused("NoSuchKey", 404):
            s3.get_object(Bucket=name, Key="not here")
        with refused("404", 404):
            s3.head_object(Bucket=name, Key="not here")
        with refused("NoSuchBucket", 404):
            s3.get_object(Bucket=f"{name}-not", Key="x")
        with refused("NoSuchBucket", 404):
            s3.put_object(Bucket=f"{name}-not", Key="x", Body=b"x")
        with refused("NoSuchBucket", 404):
            s3.list_objects_v2(Bucket=f"{name}-not")
        with refused("NoSuchBucket", 404):
            s3.delete_bucket(Bucket=f"{name}-not")
        with refused("404", 404):
            s3.head_bucket(Bucket=f"{name}-not")
        with refused("NoSuchUpload", 404):
            s3.upload_part(**at, UploadId="none", PartNumber=1, Body=b"x")
        with refused("NoSuchKey", 404):
            s3.copy_object(Bucket=name, Key="x", CopySource={"Bucket": name, "Key": "not here"})
        equal(s3.delete_object(Bucket=name, Key="not here")["ResponseMetadata"]["HTTPStatusCode"], 204, "deleting nothing")

        step("buckets: twice by their owner, not empty, and badly named")
        s3.create_bucket(Bucket=name)
        equal(s3.get_object(**at)["Body"].read(), b"0123456789", "what a bucket holds that is made twice")
        with refused("BucketNotEmpty", 409):
            s3.delete_bucket(Bucket=name)
        for bad in ("ab", "Upper", "under_score", "dot..dot", "-dash", "192.168.0.1", "x" * 64):
            status, found = code(sigv4.send("PUT", f"/{bad}"))
            equal((status, found), (400, "InvalidBucketName"), f"a bucket called {bad}")

        step("ranges, and requests that make no sense")
        with refused("InvalidRange", 416):
            s3.get_object(**at, Range="bytes=10-")
        equal(s3.get_object(**at, Range="bytes=9-3")["Body"].read(), b"0123456789", "a range that is none")
        with refused("InvalidRequest", 400):
            s3.copy_object(**at, CopySource=at)
        with refused("InvalidArgument", 400):
            s3.list_objects_v2(Bucket=name, EncodingType="url", MaxKeys=-5)
        with refused("MetadataTooLarge", 400):
            s3.put_object(**at, Body=b"x", Metadata={"much": "x" * 2048})
        equal(s3.get_object(**at)["Body"].read(), b"0123456789", "what all this left")

        step("an upload that is refused before its body was asked for (Expect: 100-continue) spoils nothing that follows")
        for length in (1, 5, 100_000) * 5:
            with refused("NoSuchUpload", 404):
                s3.upload_part(**at, UploadId="f" * 32, PartNumber=1, Body=b"x" * length)
            equal(s3.get_object(**at)["Body"].read(), b"0123456789", "what is asked next")

        step("bodies that are no XML, or another")
        for query, body in (("delete", b"<Delete><Object>"), ("delete", b"nothing"), ("delete", b"<Delete></Delete>"),
                            ("versioning", b"<Other/>"), ("tagging", b"<Tagging><TagSet><Tag></TagSet></Tagging>")):
            verb = "POST" if query == "delete" else "PUT"
            headers = {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}
            answer = sigv4.send(verb, f"/{name}", query=query, headers=headers, body=body)
            equal(code(answer), (400, "MalformedXML"), f"{verb} ?{query} with {body}")

        step("signatures: nobody's, a wrong secret, an unknown key, a clock that is late")
        path = f"/{name}/here"
        equal(code(plain("GET", ENDPOINT + path)), (403, "AccessDenied"), "nobody")
        equal(code(sigv4.send("GET", path, secret="wrong")), (403, "SignatureDoesNotMatch"), "a wrong secret")
        equal(code(sigv4.send("GET", path, late=1000)), (403, "RequestTimeTooSkewed"), "a clock that is late")
        equal(code(sigv4.send("GET", path, late=-1000)), (403, "RequestTimeTooSkewed"), "a clock that is ahead")
        equal(code(sigv4.send("PUT", path, body=b"x", payload=sigv4.EMPTY)), (400, "XAmzContentSHA256Mismatch"), "another body")
        stranger = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id="AKNOBODY00",
                                aws_secret_access_key="x" * 40)
        with refused("InvalidAccessKeyId", 403):
            stranger.list_buckets()

        step("what an error tells")
        status, headers, body = sigv4.send("GET", f"/{name}/not%20here")
        told = {element.tag: element.text for element in xml.fromstring(body)}
        equal((status, told["Code"], told.get("Key")), (404, "NoSuchKey", "not here"), "the error")
        must(told.get("Message") and told.get("RequestId") == headers["x-amz-request-id"], f"the error {told}, {headers}")
        equal(headers["Content-Type"], "application/xml", "its type")
        status, headers, body = sigv4.send("HEAD", f"/{name}/not%20here")
        equal((status, body), (404, b""), "HEAD")
        equal(code(sigv4.send("POST", f"/{name}/here"))[0] in (400, 405), True, "a method that is none")
        equal(code(sigv4.send("PATCH", f"/{name}/here")), (405, "MethodNotAllowed"), "PATCH")
