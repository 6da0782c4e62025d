//! S3's entity tag: the MD5 of the content in hexadecimal digits; of an object made of N parts, the MD5 over theirs and
//! `-N`.

use s3s::dto::ETag;

/// The tag without quotes. What has no MD5 has the tag of nothing.
pub(super) fn text(md5: Option<[u8; 16]>, parts: Option<u32>) -> String {
    let digits = u128::from_be_bytes(md5.unwrap_or_default());
    match parts {
        Some(parts) => format!("{digits:032x}-{parts}"),
        None => format!("{digits:032x}"),
    }
}

/// The tag as answers carry it.
pub(super) fn etag(md5: Option<[u8; 16]>, parts: Option<u32>) -> ETag {
    ETag::Strong(text(md5, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_parts_says_of_how_many() {
        assert_eq!(text(Some([0xab; 16]), None), "ab".repeat(16));
        assert_eq!(text(Some([0; 16]), Some(3)), format!("{}-3", "0".repeat(32)));
    }
}
