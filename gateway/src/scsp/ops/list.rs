//! Listings: `GET` of a domain or bucket with `format=json` (SCSP section 6). They read what readers read: nothing removed,
//! nothing expired, and every write that was acknowledged before.

use crate::http::Body;
use crate::objects::headers::decode;
use crate::scsp::answer::{new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use http::{Method, Response, StatusCode};
use lifecycle::{Right, State};
use metadata::{Container, Listed};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

const UNBUILT: [&str; 9] =
    ["sort", "versions", "du", "delimiter", "context", "contextid", "decorates", "domains", "marker-version"];
/// The largest page.
const SIZE_MAX: u32 = 10_000;
/// The page size when none is asked for.
const SIZE: u32 = 1_000;
/// What a listing shows when no fields are asked for.
const FIELDS: [&str; 5] = ["name", "content-length", "hash", "tmborn", "content-type"];

pub(in crate::scsp) async fn list(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let asked = exchange.asked;
    match asked.query.get("format").map(str::to_ascii_lowercase).as_deref() {
        Some("json") => {}
        Some("xml") => {
            return Err(Trouble::new(501, "NotImplemented", "The argument format=xml is not implemented."));
        }
        _ => return Err(Trouble::new(400, "BadArgument", "The argument format is json or xml.")),
    }
    asked.refuse_unbuilt(&UNBUILT)?;
    let prefix = asked.query.get("prefix").unwrap_or_default();
    let marker = asked.query.get("marker").unwrap_or_default();
    let size = match asked.query.get("size") {
        None => SIZE,
        Some(text) => text.parse().ok().filter(|size| (1..=SIZE_MAX).contains(size)).ok_or_else(|| {
            Trouble::new(
                400,
                "BadArgument",
                format!("The argument size cannot be {text:?}: allowed is 1 to {SIZE_MAX}."),
            )
        })?,
    };
    let fields = fields(asked.query.get("fields"))?;
    let text = match &asked.target {
        Target::Bucket(bucket) => {
            refuse_kind(asked.query.get("stype"), &["named", "all"])?;
            let located = exchange.locate(Some(bucket)).await?;
            let found = located.and_then(|located| located.bucket);
            let Some(Container { id, parent, contents: Some(contents), .. }) = found else {
                exchange.principal.require_somewhere(Right::Read)?;
                return Err(Trouble::not_found());
            };
            exchange.principal.require(Right::Read, parent, Some(id))?;
            let objects = exchange.gateway.metadata.list_objects(contents, prefix, marker, size).await?;
            let rows: Vec<_> = objects.iter().map(|object| ObjectRow { object, fields: &fields }).collect();
            serde_json::to_string(&rows)
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            refuse_kind(asked.query.get("stype"), &["bucket"])?;
            let Some(located) = exchange.locate(None).await? else {
                exchange.principal.require_somewhere(Right::Read)?;
                return Err(Trouble::not_found());
            };
            exchange.principal.require(Right::Read, Some(located.domain.id), None)?;
            let rows = buckets(&exchange, &located.domain, (prefix, marker), size, &fields).await?;
            serde_json::to_string(&rows)
        }
    };
    let text = text.map_err(|error| Trouble::new(500, "CompletionErrorUnknown", error.to_string()))?;
    let length = text.len();
    let head = exchange.parts.method == Method::HEAD;
    let mut response = new(StatusCode::OK, if head { Body::Empty } else { Body::from(text) });
    set(response.headers_mut(), "content-type", "application/json; charset=utf-8");
    set(response.headers_mut(), "content-length", length);
    Ok(response)
}

async fn buckets(
    exchange: &Exchange<'_>,
    domain: &Container,
    (prefix, marker): (&str, &str),
    size: u32,
    fields: &[String],
) -> Result<Vec<Value>, Trouble> {
    // The marker is a name, and a live name is one bucket: any id behind it will do.
    let after = (!marker.is_empty()).then(|| format!("{}{marker}", "f".repeat(32)));
    let page = exchange
        .gateway
        .metadata
        .list_containers(Some(domain.id), Some(State::Live), prefix, after.as_deref(), size)
        .await?;
    Ok(page.items.iter().map(|bucket| bucket_row(bucket, fields)).collect())
}

fn refuse_kind(asked: Option<&str>, built: &[&str]) -> Result<(), Trouble> {
    match asked {
        Some(kind) if !built.iter().any(|known| known.eq_ignore_ascii_case(kind)) => Err(Trouble::new(
            501,
            "NotImplemented",
            format!("The argument stype={kind} is not implemented here."),
        )),
        Some(_) | None => Ok(()),
    }
}

fn fields(asked: Option<&str>) -> Result<Vec<String>, Trouble> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(FIELDS.iter().map(|field| (*field).to_owned()).collect());
    };
    let fields: Vec<String> = asked.split(',').map(|field| field.trim().to_ascii_lowercase()).collect();
    let known =
        |field: &String| FIELDS.contains(&field.as_str()) || field == "owner" || field.starts_with("x-");
    match fields.iter().find(|field| !known(field)) {
        Some(field) => {
            Err(Trouble::new(501, "NotImplemented", format!("The field {field} is not implemented.")))
        }
        None => Ok(fields),
    }
}

/// One object with the fields that were asked for, written straight into the answer: a page holds thousands.
struct ObjectRow<'a> {
    object: &'a Listed,
    fields: &'a [String],
}

impl Serialize for ObjectRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Listed { id, name, size, headers, owner, created_at } = self.object;
        let from_headers = |field: &String| field == "content-type" || field.starts_with("x-");
        let headers = if self.fields.iter().any(from_headers) { decode(headers) } else { Vec::new() };
        let header = |wanted: &str| headers.iter().find(|(known, _)| known == wanted).map(|(_, value)| value);
        let mut row = serializer.serialize_map(None)?;
        for field in self.fields {
            let (shown, value) = match field.as_str() {
                "name" => ("name", Some(name)),
                "owner" => ("owner", owner.as_ref()),
                "content-type" => ("content_type", header("content-type")),
                "content-length" => {
                    row.serialize_entry("bytes", size)?;
                    continue;
                }
                "hash" => {
                    row.serialize_entry("hash", id)?;
                    continue;
                }
                "tmborn" => {
                    row.serialize_entry("last_modified", &created_at.to_rfc3339())?;
                    continue;
                }
                field => (field, header(field)),
            };
            if let Some(value) = value {
                row.serialize_entry(shown, value)?;
            }
        }
        row.end()
    }
}

fn bucket_row(bucket: &Container, fields: &[String]) -> Value {
    let mut value = row(fields, |field| match field {
        "name" => Some(("name".to_owned(), json!(bucket.name))),
        "content-length" => Some(("bytes".to_owned(), json!(0))),
        "hash" => Some(("hash".to_owned(), json!(bucket.etag))),
        "tmborn" => Some(("last_modified".to_owned(), json!(bucket.changed_at.to_rfc3339()))),
        "owner" => bucket.owner.as_ref().map(|owner| ("owner".to_owned(), json!(owner))),
        _ => None,
    });
    if let Value::Object(map) = &mut value {
        map.insert("uuid".to_owned(), json!(bucket.id));
    }
    value
}

fn row(fields: &[String], field: impl Fn(&str) -> Option<(String, Value)>) -> Value {
    Value::Object(fields.iter().filter_map(|name| field(name)).collect::<Map<_, _>>())
}
