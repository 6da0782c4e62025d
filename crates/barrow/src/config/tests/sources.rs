//! Where a value comes from, and which one wins.

use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn nothing_given_is_the_design() {
    let config = defaults();
    assert_eq!(config.listen.s3.to_string(), "127.0.0.1:9000");
    assert_eq!(config.listen.s3_domain, None);
    assert_eq!(config.metadata.url, Database::Sqlite("./data/barrow.db".into()));
    assert_eq!(config.blobs.url, BlobStore::File("./data/blobs".into()));
    assert_eq!((config.blobs.inline_max, config.blobs.reserve), (16_384, Reserve::Percent(5)));
    assert_eq!(config.health.recursive_delete_delay, 7 * DAY);
    assert_eq!(config.health.object_delete_delay, DAY);
    assert_eq!(config.health.deletion_memory, 14 * DAY);
    assert_eq!((config.health.brake_share, config.health.brake_objects), (5, 1_000_000));
    assert_eq!((config.health.brake_min_objects, config.health.brake_min_bytes), (10_000, 10 << 30));
    assert_eq!(
        (config.limits.connections, config.limits.per_peer, config.limits.in_flight),
        (16_384, 512, 4_096)
    );
    assert!(config.lifepoint.strict && config.lifepoint.strict_guard);
    assert!(config.policy.versioning && config.policy.lifecycle);
    assert!(!config.scsp.allow_put_create && !config.scsp.auto_content_md5_computation);
    assert!(!config.scsp.require_alias_arg);
    assert_eq!(config.scsp.locked_delete, LockedDelete::Forbid);
    assert_eq!((&config.audit.to, config.audit.format), (&AuditTo::Off, AuditFormat::Line));
    assert_eq!(config.auth.anonymous, Anonymous::None);
    assert!(config.auth.root.is_none() && config.tls.is_none());
    assert!(!config.cluster.node.is_empty());
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = "[health]\nconcurrency = 1\nbatch = 1\ninterval = \"1s\"\n";
    let env = [("BARROW_HEALTH__CONCURRENCY", "2"), ("BARROW_HEALTH__BATCH", "2")];
    let config = load(file, &env, &[("health.concurrency", "3")]).unwrap();
    assert_eq!(config.health.concurrency, 3);
    assert_eq!(config.health.batch, 2);
    assert_eq!(config.health.interval, Duration::from_secs(1));
    assert_eq!(config.health.object_delete_delay, DAY);
    let show = config.show();
    assert!(show.contains("concurrency = 3  # command line\n"), "{show}");
    assert!(show.contains("batch = 2  # environment BARROW_HEALTH__BATCH\n"), "{show}");
    assert!(show.contains("interval = \"1s\"  # file "), "{show}");
    assert!(show.contains("object_delete_delay = \"1day\"  # default\n"), "{show}");
}

#[test]
fn scsp_spellings_are_aliases() {
    let config = from_file(
        "[health]\nrecursiveDeleteDelay = \"3days\"\n[cache]\nrealmStaleTimeout = \"600s\"\n[scsp]\n\
         autoRecursiveDelete = true\nrecursiveMode = \"gateway\"\nrequireExplicitContextCreate = false\n\
         allowPutCreate = true\nautoContentMD5Computation = true\nrequireAliasArg = true\n\
         lockedDelete = \"marker\"\n[lifepoint]\nstrictGuard = false\n",
    );
    assert_eq!(config.health.recursive_delete_delay, 3 * DAY);
    assert_eq!(config.cache.realm_stale_timeout, Duration::from_secs(600));
    assert_eq!(config.scsp.recursive_mode, RecursiveMode::Gateway);
    assert!(config.scsp.auto_recursive_delete && !config.scsp.require_explicit_context_create);
    assert!(config.scsp.allow_put_create && config.scsp.auto_content_md5_computation);
    assert!(config.scsp.require_alias_arg && !config.lifepoint.strict_guard);
    assert_eq!(config.scsp.locked_delete, LockedDelete::Marker);
    assert!(config.show().contains("recursive_delete_delay = \"3days\"  # file"));

    let config = load("", &[("BARROW_HEALTH__RECURSIVEDELETEDELAY", "4days")], &[]).unwrap();
    assert_eq!(config.health.recursive_delete_delay, 4 * DAY);
    // An alias in one place and the name in a stronger one is no contradiction.
    let file = "[health]\nrecursiveDeleteDelay = \"3days\"\n";
    let config = load(file, &[("BARROW_HEALTH__RECURSIVE_DELETE_DELAY", "5days")], &[]).unwrap();
    assert_eq!(config.health.recursive_delete_delay, 5 * DAY);
}

#[test]
fn policies_are_switched_by_their_words() {
    let config = from_file("[policy]\nversioning = \"disallowed\"\nlifecycle = \"disabled\"\n");
    assert!(!config.policy.versioning && !config.policy.lifecycle);
}

#[test]
fn the_operators_own_variables_are_nobodys_setting() {
    load("", &[("BARROW_KEY", "k"), ("BARROW_SECRET", "s"), ("PATH", "/bin"), ("X__Y", "z")], &[]).unwrap();
}

#[test]
fn the_stores_follow_the_data_directory() {
    let config = from_file("[cluster]\ndata_dir = \"/var/lib/barrow\"\n");
    assert_eq!(config.metadata.url, Database::Sqlite("/var/lib/barrow/barrow.db".into()));
    assert_eq!(config.blobs.url, BlobStore::File("/var/lib/barrow/blobs".into()));
}

#[test]
fn urls_are_told_apart() {
    let metadata = |url: &str| from_file(&format!("[metadata]\nurl = \"{url}\"\n")).metadata.url;
    assert_eq!(metadata("sqlite:/a/b.db"), Database::Sqlite("/a/b.db".into()));
    assert_eq!(metadata("sqlite:///a/b.db"), Database::Sqlite("/a/b.db".into()));
    assert!(matches!(metadata("postgres://me:pw@db:5432/barrow"), Database::Postgres(_)));
    assert!(matches!(metadata("postgresql:///barrow?host=/run/postgresql"), Database::Postgres(_)));
    let blobs = |url: &str| from_file(&format!("[blobs]\nurl = \"{url}\"\n")).blobs.url;
    assert_eq!(blobs("file:///a/b"), BlobStore::File("/a/b".into()));
    assert_eq!(blobs("memory:"), BlobStore::Memory);
    let BlobStore::S3(url) = blobs("s3://bucket/some/prefix") else { panic!("not S3") };
    assert_eq!((url.host_str(), url.path()), (Some("bucket"), "/some/prefix"));
    assert!(matches!(blobs("gs://bucket"), BlobStore::Gcs(_)));
    assert!(matches!(blobs("az://container"), BlobStore::Azure(_)));
}

#[test]
fn buckets_are_known_by_host_only_where_a_name_is_set() {
    assert!(defaults().show().contains("# s3_domain is not set\n"));
    let config = from_file("[listen]\ns3_domain = \"S3.Example.org\"\n");
    assert_eq!(config.listen.s3_domain.as_deref(), Some("s3.example.org"));
    assert!(config.show().contains("s3_domain = \"S3.Example.org\"  # file "), "{}", config.show());
}

#[test]
fn the_audit_trail_goes_where_it_is_told() {
    let audit = |to: &str| from_file(&format!("[audit]\nto = \"{to}\"\nformat = \"json\"\n")).audit;
    assert_eq!(audit("stdout").to, AuditTo::Stdout);
    assert_eq!(audit("/var/log/barrow/audit.log").to, AuditTo::File("/var/log/barrow/audit.log".into()));
    assert_eq!(audit("./off").to, AuditTo::File("./off".into()));
    assert_eq!(audit("off").format, AuditFormat::Json);
}

#[test]
fn a_reserve_is_a_share_or_a_size() {
    assert_eq!(Reserve::Percent(5).of(1_000), 50);
    let reserve = |text: &str| from_file(&format!("[blobs]\nreserve = \"{text}\"\n")).blobs.reserve;
    assert_eq!(reserve("0%"), Reserve::Percent(0));
    assert_eq!(reserve("10GiB"), Reserve::Bytes(10 << 30));
    assert_eq!(reserve("10GiB").of(1), 10 << 30);
}

#[test]
fn what_is_shown_can_be_loaded_again_and_holds_no_secret() {
    let env = [
        ("BARROW_AUTH__ROOT_KEY", "the-root-key"),
        ("BARROW_AUTH__ROOT_SECRET", "hush-hush-hush"),
        ("BARROW_METADATA__URL", "postgres://me:hush-hush@db/barrow"),
    ];
    let config = load("", &env, &[("tls.cert", "a \"b\".pem"), ("tls.key", "k.pem")]).unwrap();
    let root = config.auth.root.as_ref().unwrap();
    assert_eq!((root.key.as_str(), root.secret.expose()), ("the-root-key", "hush-hush-hush"));
    assert_eq!(config.metadata.url, Database::Postgres("postgres://me:hush-hush@db/barrow".to_owned()));

    let show = config.show();
    for text in [show.clone(), format!("{config:?}")] {
        assert!(!text.contains("hush"), "{text}");
    }
    assert!(
        show.contains("# root_secret is set and not shown (environment BARROW_AUTH__ROOT_SECRET)\n"),
        "{show}"
    );
    let again = from_file(&show);
    assert_eq!(again.tls.as_ref().unwrap().cert, PathBuf::from("a \"b\".pem"));
    assert_eq!(again.health.deletion_memory, config.health.deletion_memory);
}

#[test]
fn warnings_name_what_is_probably_not_meant() {
    let config = from_file(
        "[health]\nrecursive_delete_delay = \"1h\"\nobject_delete_delay = \"0s\"\ndeletion_memory = \"2s\"\n\
         drain_timeout = \"0s\"\n[cache]\nrealm_stale_timeout = \"10min\"\n[auth]\nanonymous = \"full\"\n\
         [blobs]\nurl = \"memory:\"\nreserve = \"0%\"\n[lifepoint]\nstrict = false\nstrict_guard = false\n",
    );
    let warnings = config.warnings();
    let about = [
        "health.object_delete_delay = \"0s\"",
        "health.recursive_delete_delay = \"1h\" is shorter than a day",
        "health.deletion_memory = \"2s\" is shorter than a day",
        "health.drain_timeout",
        "auth.anonymous = \"full\"",
        "blobs.url = \"memory:\"",
        "blobs.reserve",
        "lifepoint.strict = false",
        "lifepoint.strict_guard = false",
        "cache.realm_stale_timeout has no effect",
    ];
    assert_eq!(warnings.len(), about.len(), "{warnings:#?}");
    for (warning, about) in warnings.iter().zip(about) {
        assert!(warning.starts_with(about), "{warning} is not about {about}");
    }
    let open = load("", &[], &[("listen.s3", "0.0.0.0:9000")]).unwrap().warnings();
    assert!(open[0].contains("in clear"), "{open:?}");
}

#[test]
fn targets_have_names_of_the_operators_own() {
    let file = "[events]\ngive_up = \"1h\"\n[events.targets.hook]\nurl = \"https://a.example/x?y=z\"\n\
                secret_file = \"/s\"\n[events.targets.b-2]\nurl = \"http://[::1]:8080\"\n";
    let env = [("BARROW_EVENTS__TARGETS__HOOK__CA", "/ca"), ("BARROW_EVENTS__TARGETS__C__URL", "http://c/")];
    let config = load(file, &env, &[("events.targets.b-2.url", "http://other:1/")]).unwrap();
    let told: Vec<String> =
        config.events.targets.iter().map(|target| format!("{} {}", target.name, target.url)).collect();
    assert_eq!(told, ["b-2 http://other:1/", "c http://c/", "hook https://a.example/x?y=z"]);
    let hook = &config.events.targets[2];
    assert_eq!(
        (hook.secret_file.as_deref(), hook.ca.as_deref()),
        (Some("/s".as_ref()), Some("/ca".as_ref()))
    );
    assert_eq!(config.events.give_up, Duration::from_secs(3_600));
    // What is shown can be loaded again.
    let again = load(&config.show(), &[], &[]).unwrap();
    assert_eq!(again.events.targets.len(), 3);
    assert!(defaults().events.targets.is_empty());
}

#[test]
fn a_target_that_is_none_is_a_problem() {
    for (text, part) in [
        ("[events.targets.hook]\nsecret_file = \"/s\"\n", "a target has an address"),
        ("[events.targets.hook]\n", "events.targets.hook.url"),
        ("[events.targets.hook]\nurl = \"ftp://a/\"\n", "http://"),
        ("[events.targets.hook]\nurl = \"http://me:secret@a/\"\n", "without a user"),
        ("[events.targets.Hook]\nurl = \"http://a/\"\n", "no name of a target"),
        ("[events.targets.hook]\nurl = \"http://a/\"\nurk = 1\n", "events.targets.hook.urk"),
        ("[events.targets]\nhook = \"http://a/\"\n", "events.targets.hook"),
        ("[events]\ntargets = 1\n", "events.targets"),
    ] {
        let problems = told(text, &[], &[]);
        assert!(problems.iter().any(|problem| problem.contains(part)), "{text}: {problems:?}");
        assert!(!problems.iter().any(|problem| problem.contains("secret@")), "{problems:?}");
    }
}
