//! What is accepted, what is refused, and in which words.

mod bad_values;
mod files;
mod sources;

use super::*;
use std::path::PathBuf;

/// A configuration file that lives as long as the test.
struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("barrow.toml"), text).unwrap();
        File(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("barrow.toml")
    }
}

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn load(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, Problems> {
    let file = File::new(file);
    Config::load(Some(&file.path()), pairs(env).into_iter(), &pairs(flags))
}

fn from_file(file: &str) -> Config {
    load(file, &[], &[]).unwrap()
}

fn defaults() -> Config {
    Config::load(None, std::iter::empty(), &[]).unwrap()
}

/// The problems as told, with the file's directory cut off.
fn told(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    let file = File::new(file);
    let problems = Config::load(Some(&file.path()), pairs(env).into_iter(), &pairs(flags)).unwrap_err();
    let dir = format!("{}/", file.0.path().display());
    problems.iter().map(|problem| problem.to_string().replace(&dir, "")).collect()
}
