"""The five checksums that S3 knows, computed here."""

import hashlib

from awscrt import checksums
from boto_common import encoded

SUMS = {
    "CRC32": lambda data: checksums.crc32(data).to_bytes(4),
    "CRC32C": lambda data: checksums.crc32c(data).to_bytes(4),
    "CRC64NVME": lambda data: checksums.crc64nvme(data).to_bytes(8),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
# Which kinds there are of objects in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
KINDS = {
    "CRC32": ["COMPOSITE", "FULL_OBJECT"], "CRC32C": ["COMPOSITE", "FULL_OBJECT"], "CRC64NVME": ["FULL_OBJECT"],
    "SHA1": ["COMPOSITE"], "SHA256": ["COMPOSITE"],
}


def full(algorithm, data):
    """The checksum of the data, in Base64."""
    return encoded(SUMS[algorithm](data))


def composite(algorithm, parts):
    """The checksum of the parts' checksums, with their number."""
    return f"{full(algorithm, b''.join(SUMS[algorithm](part) for part in parts))}-{len(parts)}"
