//! Where the index of a bucket is, unless somebody says where.

use crate::client::encoded;
use std::path::{Path, PathBuf};

/// `DATA_DIR/index/DOMAIN/BUCKET.db`; on a machine without the data directory, below `barrow-index` in the working one.
pub(crate) fn default_file(data_dir: &Path, domain: &str, bucket: &str) -> PathBuf {
    let root = if data_dir.is_dir() { data_dir.join("index") } else { PathBuf::from("barrow-index") };
    root.join(component(domain)).join(format!("{}.db", component(bucket)))
}

/// A name as one component of a path that leads nowhere else.
fn component(name: &str) -> String {
    let encoded = encoded(name);
    if encoded.starts_with('.') { encoded.replacen('.', "%2E", 1) } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let file = |domain: &str, bucket: &str| {
            let path = default_file(dir.path(), domain, bucket);
            path.strip_prefix(dir.path().join("index")).unwrap().display().to_string()
        };
        assert_eq!(file("barrow.local", "photos"), "barrow.local/photos.db");
        assert_eq!(file("..", "../../x"), "%2E./%2E.%2F..%2Fx.db");
        let nowhere = default_file(&dir.path().join("none"), "d", "b");
        assert_eq!(nowhere, Path::new("barrow-index/d/b.db"));
    }
}
