//! Stored headers: pairs of a lower-case name and a value, kept as JSON beside the version or container they belong to.

/// Writes headers down.
pub fn encode(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).unwrap_or_else(|_| "[]".to_owned())
}

/// Reads what [`encode`] wrote. What cannot be read is no header: it is never guessed at.
pub fn decode(text: &str) -> Vec<(String, String)> {
    if text.is_empty() || text == "[]" {
        return Vec::new();
    }
    serde_json::from_str(text).unwrap_or_default()
}
