//! The units for systemd: that systemd understands them, that they start a command that exists, and that they are as closed
//! as they say.

use crate::house::House;
use std::path::Path;
use std::process::Command;

const UNITS: [(&str, &str, &str); 3] = [
    ("barrow", "serve", include_str!("../../../../config/systemd/barrow.service")),
    ("barrow-gateway", "gateway", include_str!("../../../../config/systemd/barrow-gateway.service")),
    (
        "barrow-health-processor",
        "health-processor",
        include_str!("../../../../config/systemd/barrow-health-processor.service"),
    ),
];

const PROGRAM: &str = "/usr/local/bin/barrow";
const CONFIG: &str = "/etc/barrow/barrow.toml";

/// A unit as sections, names and values, in their order.
fn read(text: &str) -> Vec<(&str, &str, &str)> {
    let (mut section, mut settings) = ("", Vec::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => {
                let (name, value) = line.split_once('=').unwrap();
                settings.push((section, name, value));
            }
        }
    }
    settings
}

fn all<'t>(settings: &[(&'t str, &'t str, &'t str)], wanted: &str) -> Vec<&'t str> {
    settings.iter().filter(|(_, name, _)| *name == wanted).map(|(_, _, value)| *value).collect()
}

#[test]
fn each_unit_is_closed_and_says_what_it_starts() {
    for (unit, command, text) in UNITS {
        let settings = read(text);
        for (_, name, value) in &settings {
            let several = ["Environment", "SystemCallFilter"].contains(name);
            assert!(several || all(&settings, name).len() == 1, "{unit}: {name} stands twice");
            assert!(!value.ends_with('\\'), "{unit}: {name}");
        }
        for (name, value) in [
            ("Type", "exec"),
            ("User", "barrow"),
            ("StateDirectory", "barrow"),
            ("WorkingDirectory", "/var/lib/barrow"),
            ("UMask", "0077"),
            ("NoNewPrivileges", "yes"),
            ("CapabilityBoundingSet", ""),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("ProtectKernelLogs", "yes"),
            ("ProtectKernelModules", "yes"),
            ("ProtectKernelTunables", "yes"),
            ("PrivateTmp", "yes"),
            ("PrivateDevices", "yes"),
            ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
            ("MemoryDenyWriteExecute", "yes"),
            ("LimitNOFILE", "65536"),
            ("Restart", "on-failure"),
            ("RestartPreventExitStatus", "2"),
            ("ExecReload", "/bin/kill -HUP $MAINPID"),
            ("WantedBy", "multi-user.target"),
        ] {
            assert_eq!(all(&settings, name), [value], "{unit}: {name}");
        }
        assert_eq!(all(&settings, "SystemCallFilter")[0], "@system-service", "{unit}");
        assert_eq!(all(&settings, "ExecStart"), [format!("{PROGRAM} --config {CONFIG} {command}")], "{unit}");
        // Longer than the process takes to stop by itself: 30 s for requests, twice 10 s for tasks and files.
        let stop = humantime::parse_duration(all(&settings, "TimeoutStopSec")[0]).unwrap();
        assert!(stop.as_secs() >= 30 + 2 * 10, "{unit}");
        let header = text.split("[Unit]").next().unwrap();
        assert!(header.contains("install -m 644") && header.contains("systemctl enable --now"), "{unit}");
        assert!(header.contains(&format!("config/systemd/{unit}.service")), "{unit}");
    }
}

#[test]
fn processes_of_one_machine_have_names_of_their_own() {
    let nodes = UNITS.map(|(_, _, text)| {
        let settings = read(text);
        let node = all(&settings, "Environment")
            .into_iter()
            .find_map(|set| set.strip_prefix("BARROW_CLUSTER__NODE="));
        node.map(str::to_owned)
    });
    assert_eq!(nodes, [None, Some("%l-gateway".to_owned()), Some("%l-health".to_owned())]);
}

/// The program's own word on the command line, and on which exit code keeps systemd from trying again.
#[test]
fn each_command_is_one_and_a_bad_configuration_ends_it_for_good() {
    let house = House::new();
    house.configure("[nonsense]\nx = 1\n");
    for (unit, _, text) in UNITS {
        let settings = read(text);
        let line = all(&settings, "ExecStart")[0];
        let args: Vec<&str> = line.split(' ').skip(3).collect();
        let outcome = house.command(&args).outcome();
        assert!(outcome.stderr.contains("nonsense"), "{unit}: {}", outcome.stderr);
        assert_eq!(all(&settings, "RestartPreventExitStatus"), [outcome.code.to_string()], "{unit}");
    }
}

#[test]
fn systemd_understands_each_unit() {
    let verified = Command::new("systemd-analyze").arg("--version").output();
    if !verified.is_ok_and(|output| output.status.success()) {
        eprintln!("without systemd-analyze: the other tests look at the keys and values");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for (unit, _, text) in UNITS {
        // It wants the program to be there.
        let text = text.replace(PROGRAM, env!("CARGO_BIN_EXE_barrow"));
        let path = dir.path().join(format!("{unit}.service"));
        std::fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let said = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    // Other units of the machine are none of ours.
    let ours: Vec<&str> = stderr.lines().filter(|line| line.contains("barrow")).collect();
    assert!(said.status.success() && ours.is_empty(), "{stderr}");
}

#[test]
fn what_the_headers_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (unit, _, text) in UNITS {
        let words = text.lines().filter(|line| line.starts_with('#')).flat_map(|line| line.split(' '));
        for word in words.filter(|word| word.starts_with("config/")) {
            assert!(root.join(word).is_file(), "{unit} names {word}");
        }
    }
}
