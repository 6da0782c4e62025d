"""Uploads as a browser's form sends them, and the policies that bind them."""

import urllib.parse
import xml.etree.ElementTree as xml

from boto_common import bucket, client, equal, md5, must, plain, step

BOUNDARY = "----a-form-boundary-1f3a"


def form(post, content, filename="a file.txt", **fields):
    """Sends the form as browsers do, the file last: status, headers and body."""
    lines = []
    for field, value in {**post["fields"], **fields}.items():
        lines += [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{field}"', "", value]
    lines += [
        f"--{BOUNDARY}", f'Content-Disposition: form-data; name="file"; filename="{filename}"', "Content-Type: text/plain", "", "",
    ]
    body = "\r\n".join(lines).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return plain("POST", post["url"], body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def code(answer):
    """Status and error code."""
    return answer[0], xml.fromstring(answer[2]).findtext("Code")


def run():
    s3 = client()
    with bucket(s3, "boto-forms") as name:
        step("a form that says where, what and how much")
        post = s3.generate_presigned_post(
            name, "in/${filename}",
            Fields={"acl": "private", "success_action_status": "201", "Content-Type": "text/x-form", "x-amz-meta-who": "me ü"},
            Conditions=[
                {"acl": "private"}, {"success_action_status": "201"}, ["starts-with", "$Content-Type", "text/"],
                ["starts-with", "$x-amz-meta-who", ""], ["content-length-range", 3, 10_000],
            ],
            ExpiresIn=60,
        )
        content = b"sent by a form\r\n--with something like a boundary"
        status, headers, body = form(post, content)
        equal(status, 201, f"the answer {body}")
        told = {element.tag.rpartition("}")[2]: element.text for element in xml.fromstring(body)}
        equal((told["Bucket"], told["Key"], told["ETag"]), (name, "in/a file.txt", md5(content)), "the answer")
        must("a%20file.txt" in headers["Location"] or "a+file.txt" in headers["Location"], f"Location: {headers['Location']}")
        answer = s3.get_object(Bucket=name, Key="in/a file.txt")
        equal((answer["Body"].read(), answer["ContentType"]), (content, "text/x-form"), "what is stored")

        step("what the policy does not allow is refused, and stores nothing")
        equal(code(form(post, b"x" * 10_001)), (400, "EntityTooLarge"), "too large")
        equal(code(form(post, b"xx")), (400, "EntityTooSmall"), "too small")
        equal(code(form(post, content, key="out/x")), (403, "AccessDenied"), "another key")
        equal(code(form(post, content, **{"Content-Type": "image/png"})), (403, "AccessDenied"), "another type")
        equal(code(form(post, content, **{"x-amz-meta-more": "1"})), (403, "AccessDenied"), "a field nobody spoke of")
        forged = {**post["fields"], "x-amz-signature": "0" * 64}
        equal(code(form({**post, "fields": forged}, content))[0], 403, "a forged signature")
        listed = s3.list_objects_v2(Bucket=name)
        equal([item["Key"] for item in listed["Contents"]], ["in/a file.txt"], "what is in the bucket")

        step("a form that goes on to another page")
        where = "http://127.0.0.1:9/done?x=1"
        post = s3.generate_presigned_post(
            name, "in/two", Fields={"success_action_redirect": where}, Conditions=[{"success_action_redirect": where}],
        )
        status, headers, body = form(post, b"two")
        equal(status, 303, f"the answer {body}")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
        equal((query["bucket"], query["key"], query["etag"]), ([name], ["in/two"], [md5(b"two")]), "where it goes on")

        step("a form that says nothing of the answer")
        post = s3.generate_presigned_post(name, "in/three")
        equal(form(post, b"")[0], 204, "the answer")
        equal(s3.head_object(Bucket=name, Key="in/three")["ContentLength"], 0, "an empty file")

        step("a form whose time is over")
        post = s3.generate_presigned_post(name, "in/late", ExpiresIn=-1)
        equal(code(form(post, b"late")), (403, "AccessDenied"), "the answer")
