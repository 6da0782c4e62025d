//! Object Lock at the S3 door: what is locked stays, whoever asks and by whatever way; and who may unlock it.

mod changing;
mod deleting;
mod settings;
mod writing;

use crate::calls::content_md5;
use crate::client::{Answer, Ask};
use crate::house::House;
use lifecycle::Time;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A date of the house's clock, as documents have it.
fn date(at: Time) -> String {
    let text = at.to_rfc3339();
    format!("{}Z", text.split('.').next().expect("a date"))
}

fn ahead(house: &House, by: Duration) -> String {
    date(house.clock_now().plus(by))
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

fn hold(status: &str) -> String {
    format!("<LegalHold><Status>{status}</Status></LegalHold>")
}

fn configuration(inside: &str) -> String {
    format!(
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{inside}</ObjectLockConfiguration>"
    )
}

fn default_of(mode: &str, length: &str) -> String {
    configuration(&format!("<Rule><DefaultRetention><Mode>{mode}</Mode>{length}</DefaultRetention></Rule>"))
}

/// A document with the digest that it needs.
fn sealed(house: &House, target: &str, document: &str) -> Ask {
    house.put(target).header("Content-MD5", content_md5(document)).body(document)
}

/// The bucket `locked`, in which versions can be.
async fn make(house: &House) {
    house.put("/locked").header("x-amz-bucket-object-lock-enabled", "true").await.is(200);
}

/// Writes a version under a lock, and gives its id.
async fn put(house: &House, key: &str, mode: &str, by: Duration) -> String {
    let ask = house.put(&format!("/locked/{key}")).header("Content-MD5", content_md5(key)).body(key);
    let ask = ask.header("x-amz-object-lock-mode", mode);
    let answer = ask.header("x-amz-object-lock-retain-until-date", ahead(house, by)).await.is(200);
    answer.need("x-amz-version-id").to_owned()
}

fn bypassing(ask: Ask) -> Ask {
    ask.header("x-amz-bypass-governance-retention", "true")
}

fn locked_out(answer: Answer) {
    let refused = answer.refused(403, "AccessDenied");
    let message = refused.find("Message");
    assert_eq!(message.as_deref(), Some("Access Denied because object protected by object lock."));
}
