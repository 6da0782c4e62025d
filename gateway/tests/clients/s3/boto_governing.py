"""What owners govern their buckets with: lifecycles, locks, policies, access lists, CORS, and everybody without a signature."""

import datetime
import json
import time

import boto3
from boto_common import ENDPOINT, ONCE, bucket, client, equal, must, plain, refused, step
from botocore import UNSIGNED
from botocore.config import Config


def nobody():
    """A client that signs nothing."""
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1",
                        config=Config(**{**ONCE, "signature_version": UNSIGNED}))


def lifecycle(s3, name):
    step("a lifecycle is kept as it was given, and tells of itself at the object")
    rules = [
        {"ID": "logs", "Status": "Enabled", "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "keep", "Value": "no"}]}},
         "Expiration": {"Days": 30}},
        {"ID": "old", "Status": "Disabled", "Filter": {"ObjectSizeGreaterThan": 1000},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 3}},
        {"ID": "parts", "Status": "Enabled", "Filter": {"Prefix": ""},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
    ]
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=name)
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    equal(s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"], rules, "the rules")
    put = s3.put_object(Bucket=name, Key="logs/a", Body=b"x", Tagging="keep=no")
    must('rule-id="logs"' in put.get("Expiration", ""), f"when it goes: {put}")
    must("Expiration" not in s3.put_object(Bucket=name, Key="logs/b", Body=b"x", Tagging="keep=yes"), "it stays")
    upload = s3.create_multipart_upload(Bucket=name, Key="parts")
    equal(upload.get("AbortRuleId"), "parts", "the rule that gives an upload up")
    bad = [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 0}}]
    with refused("InvalidArgument", 400):
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": bad})
    s3.delete_bucket_lifecycle(Bucket=name)
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=name)


def opened(s3, name):
    step("a policy and an access list open what they say, and the block shuts it again")
    anyone = nobody()
    s3.put_object(Bucket=name, Key="open/a", Body=b"open")
    s3.put_object(Bucket=name, Key="shut/a", Body=b"shut")
    with refused("AccessDenied", 403):
        anyone.get_object(Bucket=name, Key="open/a")
    statement = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"],
                 "Resource": f"arn:aws:s3:::{name}/open/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=name, Policy=policy)
    equal(s3.get_bucket_policy(Bucket=name)["Policy"], policy, "the policy as it was written")
    equal(s3.get_bucket_policy_status(Bucket=name)["PolicyStatus"]["IsPublic"], True, "it is public")
    equal(anyone.get_object(Bucket=name, Key="open/a")["Body"].read(), b"open", "opened by the policy")
    anyone.put_object(Bucket=name, Key="open/b", Body=b"by nobody")
    equal(anyone.get_object(Bucket=name, Key="open/b")["Body"].read(), b"by nobody", "what nobody wrote")
    with refused("AccessDenied", 403):
        anyone.get_object(Bucket=name, Key="shut/a")
    with refused("AccessDenied", 403):
        anyone.create_multipart_upload(Bucket=name, Key="open/c")
    block = {"BlockPublicAcls": False, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    with refused("AccessDenied", 403):
        anyone.get_object(Bucket=name, Key="open/a")
    s3.delete_public_access_block(Bucket=name)
    s3.delete_bucket_policy(Bucket=name)
    s3.put_object_acl(Bucket=name, Key="shut/a", ACL="public-read")
    equal(anyone.get_object(Bucket=name, Key="shut/a")["Body"].read(), b"shut", "opened by its list")
    s3.put_object_acl(Bucket=name, Key="shut/a", ACL="private")
    with refused("AccessDenied", 403):
        anyone.get_object(Bucket=name, Key="shut/a")


def crossing(s3, name):
    step("pages of other sites are told what they may ask")
    rule = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.com"], "AllowedHeaders": ["x-amz-*"],
            "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    equal(s3.get_bucket_cors(Bucket=name)["CORSRules"], [rule], "the rules")
    asks = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "PUT"}
    status, headers, _ = plain("OPTIONS", f"{ENDPOINT}/{name}/key", headers=asks)
    equal((status, headers["Access-Control-Allow-Origin"]), (200, "https://a.example.com"), "a preflight")
    status, _, _ = plain("OPTIONS", f"{ENDPOINT}/{name}/key", headers={**asks, "Origin": "https://example.org"})
    equal(status, 403, "a preflight from elsewhere")
    s3.delete_bucket_cors(Bucket=name)


def locked(s3):
    step("what is locked stays until its time, and goes then")
    name = f"boto-locked-{time.monotonic_ns() % 10**9}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    now = lambda: datetime.datetime.now(datetime.timezone.utc)
    ids, ends = {}, {}
    for mode, seconds in [("GOVERNANCE", 3600), ("COMPLIANCE", 12)]:
        until = ends[mode] = now().replace(microsecond=0) + datetime.timedelta(seconds=seconds)
        put = s3.put_object(Bucket=name, Key=mode, Body=b"x", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
        ids[mode] = put["VersionId"]
        kept = s3.get_object_retention(Bucket=name, Key=mode)["Retention"]
        equal((kept["Mode"], kept["RetainUntilDate"].replace(microsecond=0)), (mode, until), "the retention")
        with refused("AccessDenied", 403):
            s3.delete_object(Bucket=name, Key=mode, VersionId=ids[mode])
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=name, Key="COMPLIANCE", VersionId=ids["COMPLIANCE"], BypassGovernanceRetention=True)
    s3.put_object_legal_hold(Bucket=name, Key="GOVERNANCE", LegalHold={"Status": "ON"})
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=name, Key="GOVERNANCE", VersionId=ids["GOVERNANCE"], BypassGovernanceRetention=True)
    s3.put_object_legal_hold(Bucket=name, Key="GOVERNANCE", LegalHold={"Status": "OFF"})
    equal(s3.get_object_legal_hold(Bucket=name, Key="GOVERNANCE")["LegalHold"]["Status"], "OFF", "the hold")
    s3.delete_object(Bucket=name, Key="GOVERNANCE", VersionId=ids["GOVERNANCE"], BypassGovernanceRetention=True)
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=name)
    marker = s3.delete_object(Bucket=name, Key="COMPLIANCE")
    must(marker["DeleteMarker"], "a marker hides what is locked")
    must(now() < ends["COMPLIANCE"], "all of this was done before the retention ended")
    # It binds to the end of its second.
    time.sleep((ends["COMPLIANCE"] - now()).total_seconds() + 1.5)
    for version in [ids["COMPLIANCE"], marker["VersionId"]]:
        s3.delete_object(Bucket=name, Key="COMPLIANCE", VersionId=version)
    s3.delete_bucket(Bucket=name)


def run():
    s3 = client()
    with bucket(s3, "boto-governing") as name:
        lifecycle(s3, name)
        opened(s3, name)
        crossing(s3, name)
        with refused("NotImplemented", 501):
            s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    locked(s3)
