//! Every kind of bad value, in the words that an operator reads.

use super::*;

#[test]
fn each_kind_of_bad_value_names_key_value_place_and_what_is_allowed() {
    let cases = [
        ("cluster.name", "a b", "allowed is 1 to 63 ASCII letters"),
        ("cluster.node", "", "allowed is 1 to 63 ASCII letters"),
        ("cluster.default_domain", "127.0.0.1", "not an IP address"),
        ("cluster.data_dir", "", "allowed is a path"),
        ("listen.s3", "localhost:9000", "allowed is an IP address and port, such as \"127.0.0.1:9000\""),
        ("listen.admin", "127.0.0.1", "allowed is an IP address and port"),
        ("listen.scsp", "127.0.0.1:99999", "allowed is an IP address and port"),
        ("listen.s3_domain", "s3.example.org:9000", "a host name without port, such as \"s3.example.org\""),
        ("listen.s3_domain", "127.0.0.1", "not an IP address"),
        ("listen.s3_domain", "s3_example.org", "letters, digits and '-'"),
        ("listen.s3_domain", "s3.example.org.", "allowed is a host name"),
        ("listen.s3_domain", "", "allowed is a host name"),
        ("metadata.url", "mysql://db/barrow", "\"sqlite:PATH\" (a file) or \"postgres://"),
        ("metadata.url", "sqlite::memory:", "\"sqlite:PATH\" (a file)"),
        ("metadata.url", "sqlite:x.db?mode=ro", "\"sqlite:PATH\" (a file)"),
        ("metadata.url", "postgres:///barrow", "postgres://USER"),
        ("blobs.url", "ftp://x", "\"file:PATH\", \"memory:\", \"s3://BUCKET[/PREFIX]\""),
        ("blobs.url", "file://host/x", "\"file:PATH\""),
        ("blobs.url", "s3://", "s3://BUCKET"),
        ("blobs.url", "s3://bucket?region=x", "s3://BUCKET"),
        (
            "blobs.inline_max",
            "16",
            "a size with its unit (B, KiB, MiB, GiB, TiB, KB, MB, GB, TB) from \"0B\" to",
        ),
        ("blobs.inline_max", "2MiB", "to \"1MiB\""),
        ("blobs.reserve", "51%", "from \"0%\" to \"50%\", or a size"),
        ("blobs.reserve", "+5%", "from \"0%\" to \"50%\", or a size"),
        ("blobs.reserve", "much", "from \"0%\" to \"50%\", or a size"),
        ("health.recursive_delete_delay", "0s", "a duration with its unit from \"1s\" to \"100years\""),
        ("health.recursive_delete_delay", "604800", "such as \"7days\""),
        ("health.object_delete_delay", "-1s", "from \"0s\" to"),
        ("health.deletion_memory", "999ms", "from \"1s\" to"),
        ("health.upload_expiry", "0s", "from \"1s\" to"),
        ("health.staged_expiry", "101years", "to \"100years\""),
        ("health.interval", "2days", "from \"1s\" to \"1day\""),
        ("health.drain_timeout", "soon", "from \"0s\" to \"1day\""),
        ("health.brake_min_bytes", "10G", "a size with its unit"),
        ("health.scrub_rate", "8", "\"0\", or a size with its unit"),
        ("health.scrub_rate", "1000B", "from \"1KiB\" to \"1TiB\""),
        ("health.scrub_period", "59min", "from \"1h\" to \"100years\""),
        ("scsp.recursive_mode", "loose", "allowed is \"strict\" or \"gateway\""),
        ("scsp.locked_delete", "allow", "allowed is \"forbid\" or \"marker\""),
        (
            "s3.object_ownership",
            "Writer",
            "allowed is \"ObjectWriter\" or \"BucketOwnerPreferred\" or \"BucketOwnerEnforced\"",
        ),
        ("policy.versioning", "enabled", "allowed is \"allowed\" or \"disallowed\""),
        ("policy.lifecycle", "allowed", "allowed is \"enabled\" or \"disabled\""),
        ("cache.realm_stale_timeout", "x", "a duration"),
        ("auth.anonymous", "everything", "allowed is \"none\" or \"read\" or \"full\""),
        ("tls.cert", "", "the path of a PEM file"),
        ("limits.header_deadline", "1ms", "from \"100ms\" to \"1h\""),
        ("limits.body_idle", "2h", "to \"1h\""),
        ("limits.shutdown", "2h", "to \"1h\""),
        ("log.level", "loud", "allowed is \"error\" or \"warn\" or \"info\" or \"debug\" or \"trace\""),
        ("log.format", "xml", "allowed is \"text\" or \"json\""),
        ("audit.to", "of", "allowed is \"off\", \"stdout\", or the path of a file with a slash in it"),
        ("audit.to", "/var/log/", "the path of a file with a slash in it, such as \"./audit.log\""),
        ("audit.to", "", "allowed is \"off\""),
        ("audit.format", "text", "allowed is \"line\" or \"json\""),
    ];
    for (key, value, allowed) in cases {
        let (section, name) = key.split_once('.').unwrap();
        let in_file = told(&format!("[{section}]\n{name} = \"{value}\"\n"), &[], &[]);
        assert!(in_file[0].starts_with(&format!("{key} = \"{value}\" (file barrow.toml): ")), "{in_file:?}");
        assert!(in_file[0].contains(allowed), "{in_file:?} does not say {allowed}");

        let variable = format!("BARROW_{}__{}", section.to_uppercase(), name.to_uppercase());
        let in_environment = told("", &[(&variable, value)], &[]);
        assert!(
            in_environment[0].starts_with(&format!("{key} = \"{value}\" (environment {variable}): ")),
            "{in_environment:?}"
        );
        let on_command_line = told("", &[], &[(key, value)]);
        assert!(on_command_line[0].starts_with(&format!("{key} = \"{value}\" (command line): ")));
        assert_eq!((in_file.len(), in_environment.len(), on_command_line.len()), (1, 1, 1));
    }
}

#[test]
fn numbers_and_truths_have_bounds_and_types() {
    for (key, value, allowed) in [
        ("health.concurrency", "0", "a whole number from 1 to 1024"),
        ("health.concurrency", "-1", "a whole number from 1 to 1024"),
        ("health.concurrency", "064", "a whole number from 1 to 1024"),
        ("health.batch", "5000", "from 1 to 4096"),
        ("health.brake_share", "101", "from 1 to 100"),
        ("health.brake_objects", "0", "from 1 to"),
        ("health.brake_min_objects", "many", "from 0 to"),
        ("limits.connections", "0", "from 1 to 1000000"),
        ("limits.per_peer", "2000000", "from 1 to 1000000"),
        ("limits.in_flight", "", "from 1 to 1000000"),
        ("scsp.auto_recursive_delete", "yes", "allowed is true or false"),
        ("scsp.require_explicit_context_create", "1", "allowed is true or false"),
        ("scsp.allow_put_create", "on", "allowed is true or false"),
        ("scsp.auto_content_md5_computation", "yes", "allowed is true or false"),
        ("scsp.require_alias_arg", "no", "allowed is true or false"),
        ("health.destroy_orphans", "never", "allowed is true or false"),
        ("lifepoint.strict", "lenient", "allowed is true or false"),
        ("lifepoint.strict_guard", "0", "allowed is true or false"),
    ] {
        let told = told("", &[], &[(key, value)]);
        assert!(told[0].starts_with(&format!("{key} = \"{value}\" (command line): ")), "{told:?}");
        assert!(told[0].contains(allowed), "{told:?} does not say {allowed}");
    }
    // In a file the type counts as well.
    for (line, shown) in [
        ("[health]\nconcurrency = \"64\"", "health.concurrency = \"64\" (file"),
        ("[health]\ninterval = 60", "health.interval = 60 (file"),
        ("[health]\nbrake_share = 5.5", "health.brake_share = 5.5 (file"),
        ("[health]\nbatch = [\"secret\"]", "health.batch = [...] (file"),
        ("[health.interval]\nx = 1", "health.interval = {...} (file"),
        ("[scsp]\nauto_recursive_delete = 1", "scsp.auto_recursive_delete = 1 (file"),
        ("[log]\nlevel = true", "log.level = true (file"),
    ] {
        let told = told(line, &[], &[]);
        assert!(told[0].starts_with(shown), "{told:?} does not start with {shown}");
    }
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let unknown = |file: &str| told(file, &[], &[]).join("\n");
    assert_eq!(
        unknown("[health]\nobject_delet_delay = \"1day\"\n"),
        "health.object_delet_delay: no such setting (file barrow.toml); the nearest is health.object_delete_delay"
    );
    assert!(unknown("[health]\ninline_max = \"1KiB\"\n").ends_with("the nearest is blobs.inline_max"));
    assert!(unknown("[helth]\ninterval = \"1s\"\n").ends_with("the nearest is health.interval"));
    assert!(unknown("interval = \"1s\"\n").ends_with("the nearest is health.interval"));
    assert!(unknown("[nonsense]\n").starts_with("nonsense: no such setting"));
    assert!(from_file("[health]\n").warnings().is_empty(), "an empty known section is none of our business");
    assert_eq!(
        told("", &[("BARROW_HEALTH__INTERVALL", "1s")], &[]),
        [
            "health.intervall: no such setting (environment BARROW_HEALTH__INTERVALL); the nearest is health.interval"
        ]
    );
    assert_eq!(
        told("", &[], &[("heath.batch", "1")]),
        ["heath.batch: no such setting (command line); the nearest is health.batch"]
    );
}

#[test]
fn a_setting_given_twice_in_one_place_is_refused() {
    assert_eq!(
        told("[health]\nrecursive_delete_delay = \"1day\"\nrecursiveDeleteDelay = \"2days\"\n", &[], &[])
            .len(),
        1
    );
    let twice =
        [("BARROW_SCSP__AUTO_RECURSIVE_DELETE", "true"), ("BARROW_SCSP__AUTORECURSIVEDELETE", "true")];
    assert_eq!(
        told("", &twice, &[]),
        ["scsp.auto_recursive_delete: given twice, as BARROW_SCSP__AUTORECURSIVEDELETE and as \
          BARROW_SCSP__AUTO_RECURSIVE_DELETE (environment BARROW_SCSP__AUTO_RECURSIVE_DELETE); keep one"]
    );
}

#[test]
fn the_root_key_stands_in_the_environment_alone() {
    assert_eq!(
        told("[auth]\nroot_secret = \"hush-hush-hush\"\n", &[], &[("auth.root_key", "me")]),
        [
            "auth.root_key (command line): it is taken only from the environment, as BARROW_AUTH__ROOT_KEY",
            "auth.root_secret (file barrow.toml): it is taken only from the environment, as BARROW_AUTH__ROOT_SECRET",
        ]
    );
    let bad = told("", &[("BARROW_AUTH__ROOT_KEY", "a:b"), ("BARROW_AUTH__ROOT_SECRET", "short")], &[]);
    assert_eq!(bad.len(), 2);
    assert!(
        bad[0].starts_with("auth.root_key = (hidden) (environment BARROW_AUTH__ROOT_KEY): allowed is"),
        "{bad:?}"
    );
    assert!(!bad.concat().contains("short"));
    let half = told("", &[("BARROW_AUTH__ROOT_KEY", "me")], &[]);
    assert!(half[0].starts_with("auth.root_key, auth.root_secret: one is set without the other"), "{half:?}");
}

#[test]
fn anonymous_full_needs_loopback_on_every_door() {
    let full = ("auth.anonymous", "full");
    load("", &[], &[full, ("listen.s3", "[::1]:9000")]).unwrap();
    let told = told("", &[], &[full, ("listen.scsp", "0.0.0.0:8080")]);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("auth.anonymous, listen.scsp: \"full\" is allowed only where every door"),
        "{told:?}"
    );
    assert!(told[0].contains("listen.scsp = \"0.0.0.0:8080\""), "{told:?}");
}

#[test]
fn doors_do_not_share_an_address() {
    for other in ["127.0.0.1:9000", "0.0.0.0:9000"] {
        let told = told("", &[], &[("listen.admin", other)]);
        assert_eq!(told, ["listen.s3, listen.admin: both listen on port 9000; each door needs its own"]);
    }
    load("", &[], &[("listen.s3", "127.0.0.1:0"), ("listen.admin", "127.0.0.1:0")]).unwrap();
    load("", &[], &[("listen.s3", "127.0.0.2:8080")]).unwrap();
}

#[test]
fn a_label_of_a_host_name_is_as_long_as_dns_allows() {
    let named = |length: usize| format!("{}.example.org", "a".repeat(length));
    load("", &[], &[("listen.s3_domain", &named(63))]).unwrap();
    let told = told("", &[], &[("listen.s3_domain", &named(64))]);
    assert!(told[0].ends_with("with '.' between labels of at most 63; not an IP address"), "{told:?}");
}

#[test]
fn a_certificate_needs_its_key() {
    let told = told("[tls]\ncert = \"c.pem\"\n", &[], &[]);
    assert!(told[0].starts_with("tls.cert, tls.key: one is set without the other"), "{told:?}");
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_named_and_never_quoted() {
    let missing =
        Config::load(Some(&PathBuf::from("no/such/file.toml")), std::iter::empty(), &[]).unwrap_err();
    assert!(missing.to_string().starts_with("the configuration has a problem: no/such/file.toml: "));
    let told = told("[metadata]\nurl = \"postgres://me:hush@db/x\nb = 1\n", &[], &[]);
    assert!(told[0].starts_with("barrow.toml: line 2: "), "{told:?}");
    assert!(!told[0].contains("hush"), "{told:?}");
    let bad_url = load("", &[("BARROW_METADATA__URL", "postgrs://me:hush@db/x")], &[]).unwrap_err();
    assert!(bad_url.to_string().contains("postgrs://me:***@db/x"), "{bad_url}");
}

#[test]
fn all_problems_come_at_once() {
    let env = [("BARROW_LOG__LEVEL", "loud"), ("BARROW_FOO__BAR", "1")];
    // The file's bad value is told although the environment overrides it.
    let file = "[health]\nbatch = 0\nconcurrency = 0\n[log]\nlevel = \"quiet\"\n";
    let problems = load(file, &env, &[("health.batch", "7"), ("auth.anonymous", "full")]).unwrap_err();
    let text = problems.to_string();
    assert!(text.starts_with("the configuration has 5 problems:\n  health.concurrency = 0 ("), "{text}");
    assert_eq!(problems.iter().count(), 5);
    assert_eq!(text.lines().count(), 6);
}
