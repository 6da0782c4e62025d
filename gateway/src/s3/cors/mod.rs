//! Which pages of other sites browsers let at a bucket: CORS.
//!
//! A browser asks before it sends what a page could not send without it (the *preflight*), and shows a page the answer to
//! anything only if the answer says so. Neither protects the bucket: whoever is no browser sends what it likes, and is met
//! by signatures and rights. So a preflight is answered without any, and says nothing but what the rules say.
//!
//! | file | promise |
//! | --- | --- |
//! | `rules` | rules as AWS takes them, and as they are stored |
//! | `matching` | which rule a request falls under, and what that says |
//! | `crossing` | a request with `Origin`: its preflight, or the headers of its answer |

mod crossing;
#[cfg(test)]
mod fuzz;
mod matching;
mod rules;

pub(super) use crossing::{Crossing, preflight};
pub(super) use rules::Rules;
