//! Temporary.
use gateway::http::Limits;
use gateway::*;
use std::sync::Arc;
use std::time::Duration;
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_ansi(false)
        .init();
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(&dir).unwrap();
    let clock: lifecycle::SharedClock = Arc::new(lifecycle::SystemClock);
    let url = std::env::args().nth(2).unwrap_or(format!("sqlite:{}", dir.join("barrow.db").display()));
    let m = metadata::Metadata::open(
        &metadata::Settings {
            url,
            seal_key: dir.join("seal"),
            default_domain: lifecycle::DomainName::parse("barrow.local").unwrap(),
            durable: true,
            trust_db_clock: true,
        },
        clock.clone(),
    )
    .await
    .unwrap();
    let b = blobs::Blobs::open(
        &blobs::Settings::at(format!("file:{}", dir.join("blobs").display())),
        m.installation(),
    )
    .await
    .unwrap();
    let g = Gateway {
        auth: Arc::new(Auth::new(
            m.clone(),
            clock.clone(),
            Anonymous::None,
            Some(("BKTEST".into(), metadata::Secret::new("secretsecretsecret".as_bytes()))),
        )),
        metadata: m,
        blobs: b,
        clock,
        settings: Arc::new(Settings {
            cluster: "barrow".into(),
            default_domain: lifecycle::DomainName::parse("barrow.local").unwrap(),
            inline_max: 16384,
            recursive_delete_delay: Duration::from_secs(604800),
            object_delete_delay: Duration::from_secs(86400),
            deletion_memory: Duration::from_secs(1209600),
            claim_lease: Duration::from_secs(60),
            scsp: ScspSettings {
                auto_recursive_delete: false,
                gateway_mode: false,
                explicit_context_create: true,
            },
        }),
        metrics: Default::default(),
        member: lifecycle::MemberId::random(),
        background: None,
    };
    let limits = Arc::new(Limits::default());
    let l = tokio::net::TcpListener::bind("127.0.0.1:18080").await.unwrap();
    let (_tx, rx) = tokio::sync::watch::channel(false);
    http::serve(l, limits.clone(), scsp::Door::new(g, limits), rx).await;
}
