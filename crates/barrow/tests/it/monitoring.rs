//! What is shipped for watching: every metric and label that the dashboard and the alerts name is one that a running server
//! tells, every alert is whole, and every command it advises exists.

use crate::house::{House, eventually, http};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ALERTS: &str = include_str!("../../../../config/monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../../../config/monitoring/grafana.json");

/// What Prometheus itself puts on every sample.
const ADDED: [&str; 2] = ["instance", "job"];
/// The words of its language that are used here. One that is neither here nor ours is misspelt.
const WORDS: [&str; 11] =
    ["and", "increase", "max", "min", "or", "rate", "sum", "time", "unless", "by", "on"];

/// What an expression names: metrics with the labels that are asked of each, and labels that are grouped by.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    metrics: BTreeMap<String, BTreeSet<String>>,
    grouped: BTreeSet<String>,
}

impl Named {
    fn in_expression(text: &str) -> Named {
        let (mut named, mut rest) = (Named::default(), text);
        while let Some(first) = rest.chars().next() {
            let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if first == '[' || first == '"' {
                // How far back, or a text outside of a selector.
                rest = rest[1..].split_once(if first == '[' { ']' } else { '"' }).unwrap().1;
            } else if word.is_empty() || first.is_ascii_digit() {
                rest = &rest[word.len().max(first.len_utf8())..];
            } else {
                rest = rest[word.len()..].trim_start();
                if word == "by" || word == "on" {
                    let (labels, behind) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
                    let labels = labels.split(',').map(str::trim).filter(|label| !label.is_empty());
                    named.grouped.extend(labels.map(str::to_owned));
                    rest = behind;
                } else if WORDS.contains(&word.as_str()) {
                    continue;
                } else {
                    assert!(word.starts_with("barrow_"), "{word:?} in {text}");
                    let labels = named.metrics.entry(word).or_default();
                    if let Some(selector) = rest.strip_prefix('{') {
                        let (selector, behind) = selector.split_once('}').unwrap();
                        let matchers =
                            selector.split("\",").map(|matcher| matcher.split_once(['=', '!']).unwrap().0);
                        labels.extend(matchers.map(|label| label.trim().to_owned()));
                        rest = behind;
                    }
                }
            }
        }
        named
    }

    /// The labels that a legend or a text inserts.
    fn inserted(text: &str) -> impl Iterator<Item = String> {
        let inserted = text.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0.trim());
        inserted.filter_map(|inside| match inside.strip_prefix("$labels.") {
            Some(label) => Some(label.to_owned()),
            None if inside.starts_with('$') => None,
            None => Some(inside.to_owned()),
        })
    }
}

/// The samples of a scrape: of each metric, the labels that any of them carries.
fn scraped(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut samples: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels =
            labels.trim_end_matches('}').split(',').filter_map(|label| Some(label.split_once('=')?.0));
        samples.entry(name.to_owned()).or_default().extend(labels.map(str::to_owned));
    }
    samples
}

/// One alert, as far as it is a flat list of names and values.
#[derive(Debug, Default)]
struct Alert(BTreeMap<&'static str, String>);

impl Alert {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Reads the file, which keeps to a part of YAML: one value a line, texts in double quotes, and nothing that is not expected.
fn alerts() -> Vec<Alert> {
    const KEYS: [&str; 6] = ["alert", "expr", "for", "severity", "summary", "description"];
    let lines = ALERTS.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let mut lines = lines.map(|line| (line.len() - line.trim_start().len(), line.trim()));
    assert_eq!(lines.next(), Some((0, "groups:")));
    assert_eq!(lines.next(), Some((2, "- name: barrow")));
    assert_eq!(lines.next(), Some((4, "rules:")));
    let mut alerts: Vec<Alert> = Vec::new();
    for (indent, line) in lines {
        let (indent, line) = match line.strip_prefix("- ") {
            Some(line) => {
                assert_eq!(indent, 6, "{line}");
                alerts.push(Alert::default());
                (8, line)
            }
            None => (indent, line),
        };
        let (key, value) = line.split_once(':').unwrap();
        if matches!(key, "labels" | "annotations") && value.is_empty() {
            assert_eq!(indent, 8, "{line}");
            continue;
        }
        let key = *KEYS.iter().find(|known| **known == key).unwrap_or_else(|| panic!("{line}"));
        let nested = matches!(key, "severity" | "summary" | "description");
        assert_eq!(indent, if nested { 10 } else { 8 }, "{line}");
        let value = value.strip_prefix(' ').unwrap();
        let value = match value.strip_prefix('"') {
            Some(text) => {
                let text = text.strip_suffix('"').unwrap();
                assert!(!text.contains(['"', '\\']), "{line}");
                text
            }
            // Unquoted, these would mean something else.
            None => {
                assert!(
                    !value.contains(": ")
                        && !value.contains(" #")
                        && !value.starts_with(['{', '[', '*', '&']),
                    "{line}"
                );
                value
            }
        };
        let before = alerts.last_mut().unwrap().0.insert(key, value.to_owned());
        assert_eq!(before, None, "{key} twice");
    }
    alerts
}

/// Every panel of the dashboard that shows something.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row").cloned().collect()
}

#[test]
fn expressions_are_read_as_prometheus_reads_them() {
    let named = Named::in_expression(
        "sum by (proto, status) (rate(barrow_a_total{job=~\"$job\",status!~\"5..\"}[$__rate_interval])) > 0.1 or on () time() - barrow_b",
    );
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let metrics = [("barrow_a_total".to_owned(), set(&["job", "status"])), ("barrow_b".to_owned(), set(&[]))];
    assert_eq!(named, Named { metrics: metrics.into(), grouped: set(&["proto", "status"]) });
    assert!(std::panic::catch_unwind(|| Named::in_expression("sum(borrow_a)")).is_err());
    let inserted: Vec<String> =
        Named::inserted("{{ $labels.task }} {{proto}} {{ $value | humanize }}").collect();
    assert_eq!(inserted, ["task", "proto"]);
}

#[test]
fn there_are_ten_alerts_and_each_says_what_to_run_next() {
    let (house, alerts) = (House::new(), alerts());
    assert_eq!(alerts.len(), 10);
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert.get("alert")).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    let mut wrong = BTreeSet::new();
    for alert in &alerts {
        assert_eq!(alert.0.len(), 6, "{alert:?}");
        assert!(alert.get("alert").starts_with("Barrow"), "{alert:?}");
        assert!(["warning", "critical"].contains(&alert.get("severity")), "{alert:?}");
        assert!(humantime::parse_duration(alert.get("for")).is_ok(), "{alert:?}");
        assert!(alert.get("summary").len() > 20, "{alert:?}");
        let commands: Vec<&str> = alert
            .get("description")
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|text| text.starts_with("barrow "))
            .collect();
        assert!(!commands.is_empty(), "{alert:?}");
        for command in commands {
            let filled = command.replace("{{ $labels.task }}", "reclaim");
            let args: Vec<&str> = filled.split(' ').skip(1).chain(["--help"]).collect();
            if house.command(&args).outcome().code != 0 {
                wrong.insert(command);
            }
        }
    }
    assert!(wrong.is_empty(), "commands that do not exist: {wrong:?}");
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert!(
        variables.iter().any(|variable| variable["type"] == "datasource" && variable["name"] == "datasource")
    );
    let all = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = all.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "no two panels have one id");
    let rows = all.iter().filter(|panel| panel["type"] == "row");
    let rows: Vec<&str> = rows.map(|row| row["title"].as_str().unwrap()).collect();
    assert_eq!(rows, ["Deletion lifecycle", "Space", "Cluster", "Doors", "Tasks"]);
    let panels = panels();
    assert!((16..=20).contains(&panels.len()), "{}", panels.len());
    let mut taken = BTreeSet::new();
    for panel in all {
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another panel", panel["title"]);
            }
        }
    }
    for panel in &panels {
        assert!(
            !panel["title"].as_str().unwrap().is_empty() && panel["description"].as_str().unwrap().len() > 10
        );
        for part in [panel, &panel["targets"][0]] {
            assert_eq!(part["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
    }
}

#[test]
fn every_metric_that_is_watched_is_told() {
    let house = House::new();
    let server = house.serve();
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    // A metric by reason has no sample before the first reason.
    let context = "Content-Type: application/castorcontext\r\n";
    assert_eq!(http(server.scsp, "POST", "/photos", root, context, "").0, 201);
    assert_eq!(http(server.scsp, "POST", "/photos/a", root, "", "hello").0, 201);
    assert_eq!(http(server.scsp, "DELETE", "/photos", root, "", "").0, 400);
    assert_eq!(http(server.s3, "GET", "/photos/a", None, "", "").0, 403);
    house.command(&["tasks", "run", "reconcile"]).outcome().done();
    let samples = eventually(|| {
        let samples = scraped(&http(server.admin, "GET", "/metrics", None, "", "").1);
        samples.contains_key("barrow_reconcile_findings").then_some(samples)
    });

    let mut watched: Vec<(String, Named, BTreeSet<String>)> = Vec::new();
    for alert in alerts() {
        let inserted =
            ["summary", "description"].into_iter().flat_map(|part| Named::inserted(alert.get(part)));
        let inserted = inserted.collect();
        watched.push((alert.get("alert").to_owned(), Named::in_expression(alert.get("expr")), inserted));
    }
    for panel in panels() {
        for target in panel["targets"].as_array().unwrap() {
            let named = Named::in_expression(target["expr"].as_str().unwrap());
            let inserted = Named::inserted(target["legendFormat"].as_str().unwrap()).collect();
            watched.push((panel["title"].as_str().unwrap().to_owned(), named, inserted));
        }
    }
    assert!(watched.len() > 30, "{}", watched.len());

    let mut missing = BTreeSet::new();
    for (place, named, inserted) in &watched {
        assert!(!named.metrics.is_empty(), "{place}");
        for (metric, labels) in &named.metrics {
            let Some(told) = samples.get(metric) else {
                missing.insert(metric.clone());
                continue;
            };
            let all = labels.iter().chain(&named.grouped);
            for label in all.filter(|label| !ADDED.contains(&label.as_str()) && !told.contains(*label)) {
                missing.insert(format!("{metric}{{{label}}}"));
            }
        }
        // What was not grouped by is gone when a text is written.
        for label in inserted {
            assert!(named.grouped.contains(label), "{place} inserts {label}");
        }
    }
    let variable = "label_values(barrow_build_info, job)";
    assert!(DASHBOARD.contains(variable) && samples.contains_key("barrow_build_info"));
    assert!(missing.is_empty(), "watched, and told by nobody: {missing:#?}");
    assert_eq!(server.stop(), Some(0));
}
