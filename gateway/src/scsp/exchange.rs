//! One request between the door and an operation.

use super::request::Asked;
use super::trail::Trail;
use crate::http::BodyReader;
use crate::{Gateway, Principal};
use http::request::Parts;

/// A request on its way through an operation.
pub(super) struct Exchange<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) parts: &'a Parts,
    pub(super) asked: &'a Asked,
    pub(super) body: BodyReader,
    pub(super) principal: Principal,
    pub(super) trail: &'a Trail,
}
