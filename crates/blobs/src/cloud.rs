//! Stores across a network, built from a URL and the environment.

use crate::error::OpenError;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Builds the client for an `s3:`, `gs:` or `az:` URL. Connects to nothing yet.
///
/// # Errors
/// [`OpenError::BadUrl`] if the URL, or what the environment adds to it, does not make a client.
pub(crate) fn build(
    url: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let bad = |reason: String| OpenError::BadUrl { url: url.to_owned(), reason };
    // The HTTP client is built without a cryptographic provider of its own. Somebody having chosen one before is fine.
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();

    let parsed = Url::parse(url).map_err(|e| bad(e.to_string()))?;
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(bad("it names no bucket".into()));
    }
    let prefix = Path::from_url_path(parsed.path()).map_err(|e| bad(e.to_string()))?;
    let store: Result<Arc<dyn ObjectStore>, _> = match parsed.scheme() {
        "s3" => s3(url, environment),
        "gs" => gcs(url, environment),
        "az" => azure(url, environment),
        other => return Err(bad(format!("{other} is not a store across a network"))),
    };
    let store = store.map_err(|e| bad(e.to_string()))?;
    Ok(if prefix.as_ref().is_empty() { store } else { Arc::new(PrefixStore::new(store, prefix)) })
}

/// Our own defaults, before the environment's word. A whole read may take as long as its client takes, so there is
/// no limit on a request as a whole; silence is what ends it.
const DEFAULTS: [(ClientConfigKey, &str); 3] = [
    (ClientConfigKey::Timeout, "1day"),
    (ClientConfigKey::ReadTimeout, "60s"),
    (ClientConfigKey::ConnectTimeout, "5s"),
];

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            ..BackoffConfig::default()
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
    }
}

fn is_http(endpoint: Option<String>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
}

/// Folds the variables that begin with `prefix` and mean something to the builder into it.
fn configured<B, K: std::str::FromStr>(
    builder: B,
    prefix: &str,
    environment: impl Iterator<Item = (String, String)>,
    with: impl Fn(B, K, String) -> B,
) -> B {
    environment
        .filter(|(key, _)| key.starts_with(prefix))
        .filter_map(|(key, value)| Some((key.to_ascii_lowercase().parse().ok()?, value)))
        .fold(builder, |builder, (key, value)| with(builder, key, value))
}

fn s3(
    url: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let with =
        |builder: AmazonS3Builder, key: AmazonS3ConfigKey, value: String| builder.with_config(key, value);
    let builder = DEFAULTS.into_iter().fold(AmazonS3Builder::new(), |builder, (key, value)| {
        with(builder, AmazonS3ConfigKey::Client(key), value.into())
    });
    let mut builder = configured(builder, "AWS_", environment, with);
    if is_http(builder.get_config_value(&AmazonS3ConfigKey::Endpoint)) {
        builder = builder.with_allow_http(true);
    }
    Ok(Arc::new(builder.with_url(url).with_retry(retry()).build()?))
}

fn gcs(
    url: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let with = |builder: GoogleCloudStorageBuilder, key: GoogleConfigKey, value: String| {
        builder.with_config(key, value)
    };
    let builder = DEFAULTS.into_iter().fold(GoogleCloudStorageBuilder::new(), |builder, (key, value)| {
        with(builder, GoogleConfigKey::Client(key), value.into())
    });
    let mut builder = configured(builder, "GOOGLE_", environment, with);
    if is_http(builder.get_config_value(&GoogleConfigKey::BaseUrl)) {
        builder = with(builder, GoogleConfigKey::Client(ClientConfigKey::AllowHttp), "true".into());
    }
    Ok(Arc::new(builder.with_url(url).with_retry(retry()).build()?))
}

fn azure(
    url: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let with =
        |builder: MicrosoftAzureBuilder, key: AzureConfigKey, value: String| builder.with_config(key, value);
    let builder = DEFAULTS.into_iter().fold(MicrosoftAzureBuilder::new(), |builder, (key, value)| {
        with(builder, AzureConfigKey::Client(key), value.into())
    });
    let mut builder = configured(builder, "AZURE_", environment, with);
    if is_http(builder.get_config_value(&AzureConfigKey::Endpoint)) {
        builder = builder.with_allow_http(true);
    }
    Ok(Arc::new(builder.with_url(url).with_retry(retry()).build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlobError, Blobs};
    use lifecycle::InstallationId;
    use std::net::TcpListener;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        let owned: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        owned.into_iter()
    }

    #[tokio::test]
    async fn every_cloud_is_reached_by_its_url() {
        let s3 =
            [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "eu-west-1")];
        let azure = [("AZURE_STORAGE_ACCOUNT_NAME", "account"), ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")];
        assert!(
            build("s3://bucket/some/prefix", environment(&s3)).unwrap().to_string().contains("some/prefix")
        );
        assert!(build("s3://bucket", environment(&s3)).is_ok());
        assert!(build("gs://bucket/prefix", environment(&[("GOOGLE_SKIP_SIGNATURE", "true")])).is_ok());
        assert!(build("az://container/prefix", environment(&azure)).is_ok());
    }

    #[tokio::test]
    async fn a_url_without_a_bucket_or_an_account_is_refused_by_name() {
        for url in ["s3://", "s3:///prefix", "az://container"] {
            let refused = build(url, environment(&[])).map(|_| ()).unwrap_err();
            assert!(matches!(&refused, OpenError::BadUrl { url: named, .. } if named == url), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_store_that_nobody_serves_is_unavailable_soon() {
        // Bound and released again: nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let keys = [
            ("AWS_ENDPOINT", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("HTTP_PROXY", "not for the builder"),
        ];
        let store = build("s3://bucket/prefix", environment(&keys)).unwrap();
        let opening = Blobs::over(store, InstallationId::random());
        let refused = tokio::time::timeout(Duration::from_secs(10), opening).await.expect("it gives up soon");
        let refused = refused.map(|_| ()).unwrap_err();
        assert!(
            matches!(&refused, OpenError::Store(BlobError::Unavailable { retryable: true, .. })),
            "{refused:?}"
        );
    }
}
