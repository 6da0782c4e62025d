//! Fuzz target: an access list that is taken for one is read as what stands in it, whatever stands around.

use super::documents::Kind;
use crate::fuzzing::{A_MOMENT, text};
use bolero::check;
use s3s::dto::AccessControlPolicy;
use s3s::xml::{Deserialize, Deserializer};

const FRAGMENTS: &[&str] = &[
    "<AccessControlPolicy>",
    "</AccessControlPolicy>",
    "<Owner>",
    "</Owner>",
    "<ID>a</ID>",
    "<ID/>",
    "<DisplayName>b</DisplayName>",
    "<AccessControlList>",
    "</AccessControlList>",
    "<Grant>",
    "</Grant>",
    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">",
    "<Grantee xsi:type=\"Group\">",
    "<Grantee type=\"Group\">",
    "</Grantee>",
    "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>",
    "<EmailAddress>a@b</EmailAddress>",
    "<Permission>READ</Permission>",
    "<Permission>FULL_CONTROL</Permission>",
    "&amp;",
    "&#65;",
    "&x;",
    "<!-- -->",
    "<![CDATA[a]]>",
    "<!DOCTYPE a>",
    "<?xml version=\"1.0\"?>",
    " ",
    "x",
];

const WHOLE: &str = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
                     <ID>a</ID></Grantee><Permission>READ</Permission></Grant>";

#[test]
fn fuzz_any_access_list() {
    check!().with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
        let text = text(bytes, FRAGMENTS);
        let around = format!(
            "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList>{WHOLE}{text}</AccessControlList>\
             </AccessControlPolicy>"
        );
        for document in [text, around] {
            if Kind::Acl.check(document.as_bytes()).is_err() {
                continue;
            }
            let mut reader = Deserializer::new(document.as_bytes());
            let Ok(read) = AccessControlPolicy::deserialize(&mut reader) else { continue };
            let grants = read.grants.unwrap_or_default();
            // Each grant that stands there is one, and there are no others.
            assert!(grants.len() <= document.matches("<Grant>").count(), "{document}");
            for grant in grants {
                assert!(grant.permission.is_none_or(|may| document.contains(may.as_str())), "{document}");
            }
        }
    });
}
