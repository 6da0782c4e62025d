//! Secrets for `s3s` to verify signatures with.

use super::error::{failed, not_allowed};
use crate::auth::{Auth, Denied};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use std::sync::Arc;

/// The access keys, as `s3s` asks for them.
pub(super) struct Keys(pub(super) Arc<Auth>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secret = self.0.secret(access_key).await.map_err(|denied| match denied {
            Denied::Unavailable(failure) => failed(failure.into()),
            denied => not_allowed(denied),
        })?;
        // Keys made here are text. One that is not cannot sign.
        let text = std::str::from_utf8(secret.expose());
        text.map(SecretKey::from).map_err(|_| s3_error!(InvalidAccessKeyId, "This key cannot sign requests."))
    }
}
