//! The S3 door through real sockets, on both engines.
//!
//! Requests are signed by a signer of these tests' own, and may be spoiled between signing and sending. Each test ends with
//! a check of rules R1 to R12 over everything that it left behind. The door takes the time of a signature from the
//! machine's clock, so the clock of these tests starts there.
//!
//! | file | promise |
//! | --- | --- |
//! | `payloads` | every form of a body is verified to its end, or nothing of it is stored |
//! | `authentication` | who may not, does not |
//! | `accounts` | whose buckets and objects are, and how much of them there may be |
//! | `advisories` | what went wrong in other stores does not go wrong here |
//! | `buckets`, `objects`, `ranges`, `conditions`, `checksums`, `tagging`, `copying`, `multipart`, `versions` | each call does what the AWS reference says of it |
//! | `listing` | listings of all kinds agree with a list that is made by hand |
//! | `deletes` | what S3 deletes is gone for S3, and restorable for its grace |
//! | `lifecycle` | rules are taken as AWS takes them, and let go what they say when they say it |
//! | `forms`, `hosts` | what browsers post; which bucket and domain a host names |
//! | `rollups` | what is older goes with a write that says so |
//! | `cors`, `browser` | what pages of other sites may ask for |
//! | `configurations`, `notifications` | what buckets can be set to, and who is told what happens in them |
//! | `unbuilt` | what is not built says so by name and does nothing |
//! | `interop` | S3 and SCSP are two doors of one house |

mod accounts;
mod acls;
mod advisories;
mod authentication;
mod browser;
mod buckets;
mod calls;
mod checksums;
mod client;
mod conditions;
mod configurations;
mod copying;
mod cors;
mod deletes;
mod forms;
mod hosts;
mod house;
mod interop;
#[path = "lifecycle.rs"]
mod lifecycles;
mod listing;
mod locks;
mod meant;
mod multipart;
mod notifications;
mod objects;
mod operator;
mod payloads;
mod policies;
mod public;
mod ranges;
mod removed;
mod rollups;
mod sign;
mod tagging;
mod unbuilt;
mod users;
mod versions;

/// Makes a test of each case on each engine.
macro_rules! on_both_engines {
    (in memory: $($case:ident,)+) => { crate::on_both_engines!(@ Memory, Memory, $($case,)+); };
    ($($case:ident,)+) => { crate::on_both_engines!(@ Local, Memory, $($case,)+); };
    (@ $sqlite:ident, $postgres:ident, $($case:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                crate::house::run(metadata::Engine::Sqlite, testkit::Store::$sqlite, super::$case).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                crate::house::run(metadata::Engine::Postgres, testkit::Store::$postgres, super::$case).await;
            })+
        }
    };
}
pub(crate) use on_both_engines;
