//! The files that come with Barrow.

use super::*;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config");

#[test]
fn every_file_in_config_loads_without_a_warning() {
    let mut loaded = 0;
    for file in std::fs::read_dir(CONFIG).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            // What others read: systemd, Prometheus and Grafana.
            continue;
        }
        let config = Config::load(Some(&path), std::iter::empty(), &[]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(config.warnings(), Vec::<String>::new(), "{}", path.display());
        loaded += 1;
    }
    assert!(loaded >= 2);
}

#[test]
fn barrow_toml_gives_every_setting_its_default_and_a_reason() {
    let path = std::path::Path::new(CONFIG).join("barrow.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let file = Config::load(Some(&path), std::iter::empty(), &[]).unwrap();

    let mut section = "";
    let mut mentioned = Vec::new();
    let mut explained = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            explained = false;
        } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ") {
            assert!(explained, "{section}.{name} has no reason above it");
            mentioned.push(format!("{section}.{name}"));
        } else if line.starts_with('#') {
            explained = true;
        }
    }
    let keys: Vec<String> = file.entries.iter().map(|entry| entry.key.clone()).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    mentioned.sort();
    assert_eq!(mentioned, sorted, "the file mentions every setting once and nothing else");

    for (given, default) in file.entries.iter().zip(&defaults().entries) {
        assert_eq!((&given.key, &given.value), (&default.key, &default.value));
    }
}
