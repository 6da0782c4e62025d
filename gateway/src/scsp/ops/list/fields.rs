//! The columns of a row, and the names under which they are shown.

use super::asked::bad;
use super::table::Table;
use crate::objects::headers::decode;
use crate::scsp::error::Trouble;
use lifecycle::Time;
use metadata::{Container, Entry, Listed, ListedVersion};
use std::fmt::Display;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    Bytes,
    Hash,
    LastModified,
    ContentType,
    Owner,
    Version,
    IsLatest,
    DeleteMarker,
    /// Metadata, by the name of its header in lower case.
    Header(String),
}

/// What a listing shows when no fields are asked for.
const PLAIN: [Field; 5] = [Field::Name, Field::Bytes, Field::Hash, Field::LastModified, Field::ContentType];
/// What a listing of versions shows then.
const OF_VERSIONS: [Field; 8] = [
    Field::Name,
    Field::Bytes,
    Field::Hash,
    Field::LastModified,
    Field::ContentType,
    Field::Version,
    Field::IsLatest,
    Field::DeleteMarker,
];

impl Field {
    /// Reads the argument `fields`.
    ///
    /// # Errors
    /// 400 naming the first that is none.
    pub(super) fn read(asked: Option<&str>, versions: bool) -> Result<Vec<Self>, Trouble> {
        match asked.filter(|asked| !asked.is_empty()) {
            None if versions => Ok(OF_VERSIONS.to_vec()),
            None => Ok(PLAIN.to_vec()),
            Some(asked) => asked.split(',').map(|name| Field::named(name.trim())).collect(),
        }
    }

    fn named(name: &str) -> Result<Self, Trouble> {
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "name" => Field::Name,
            "content-length" => Field::Bytes,
            "hash" => Field::Hash,
            "tmborn" => Field::LastModified,
            "content-type" => Field::ContentType,
            "owner" => Field::Owner,
            "version" => Field::Version,
            "is_latest" => Field::IsLatest,
            "delete_marker" => Field::DeleteMarker,
            _ if lower.starts_with("x-") => Field::Header(lower),
            _ => {
                return Err(bad(format!(
                    "The argument fields cannot have {name:?}: allowed are name, content-length, hash, tmBorn, \
                     content-type, owner, version, is_latest, delete_marker and metadata by its header's name, which \
                     begins with x-."
                )));
            }
        })
    }

    fn is_a_header(&self) -> bool {
        matches!(self, Field::ContentType | Field::Header(_))
    }
}

/// A row that is not yet written.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    size: u64,
    hash: &'a dyn Display,
    modified: Time,
    headers: &'a str,
    owner: Option<&'a str>,
    is_latest: bool,
    marker: bool,
    /// Of a domain or bucket, its UUID: shown whatever fields are asked for.
    uuid: Option<&'a dyn Display>,
}

impl<'a> From<&'a Listed> for Row<'a> {
    fn from(object: &'a Listed) -> Self {
        Row {
            name: &object.name,
            size: object.size,
            hash: &object.id,
            modified: object.created_at,
            headers: &object.headers,
            owner: object.owner.as_deref(),
            is_latest: true,
            marker: false,
            uuid: None,
        }
    }
}

impl<'a> From<&'a ListedVersion> for Row<'a> {
    fn from(version: &'a ListedVersion) -> Self {
        Row {
            name: &version.name,
            size: version.size,
            hash: &version.id,
            modified: version.created_at,
            headers: &version.headers,
            owner: version.owner.as_deref(),
            is_latest: version.is_latest,
            marker: version.marker,
            uuid: None,
        }
    }
}

impl<'a> From<&'a Container> for Row<'a> {
    fn from(context: &'a Container) -> Self {
        Row {
            name: &context.name,
            size: 0,
            hash: &context.etag,
            modified: context.changed_at,
            headers: &context.headers,
            owner: context.owner.as_deref(),
            is_latest: true,
            marker: false,
            uuid: Some(&context.id),
        }
    }
}

impl Row<'_> {
    /// Writes the row with these fields; what it has nothing to show for is left out.
    pub(super) fn write(&self, fields: &[Field], table: &mut Table) {
        // Headers are taken apart only where one of them is wanted: a page holds thousands.
        let headers = if fields.iter().any(Field::is_a_header) { decode(self.headers) } else { Vec::new() };
        let header =
            |wanted: &str| headers.iter().find(|(known, _)| known == wanted).map(|(_, value)| value.as_str());
        table.row();
        for field in fields {
            match field {
                Field::Name => table.text("name", self.name),
                Field::Bytes => table.number("bytes", self.size),
                Field::Hash => table.text("hash", &self.hash.to_string()),
                Field::LastModified => table.text("last_modified", &self.modified.to_rfc3339()),
                Field::ContentType => {
                    if let Some(value) = header("content-type") {
                        table.text("content_type", value);
                    }
                }
                Field::Owner => {
                    if let Some(owner) = self.owner {
                        table.text("owner", owner);
                    }
                }
                Field::Version => table.text("version", &self.hash.to_string()),
                Field::IsLatest => table.flag("is_latest", self.is_latest),
                Field::DeleteMarker => table.flag("delete_marker", self.marker),
                Field::Header(name) => {
                    if let Some(value) = header(name) {
                        table.metadata(name, value);
                    }
                }
            }
        }
        if let Some(uuid) = self.uuid {
            table.text("uuid", &uuid.to_string());
        }
        table.end_row();
    }
}

/// Writes the rows of a page, groups among them.
pub(super) fn write_page<'a, T>(entries: &'a [Entry<T>], fields: &[Field], table: &mut Table)
where
    Row<'a>: From<&'a T>,
{
    for entry in entries {
        match entry {
            Entry::Item(item) => Row::from(item).write(fields, table),
            Entry::Prefix(name) => {
                // Its name is what the next page is asked for with, so it is always there.
                table.row();
                table.text("name", name);
                table.flag("subdir", true);
                table.end_row();
            }
        }
    }
}
