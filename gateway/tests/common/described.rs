//! Holds a request and its answer against the document that the door gives of itself.
//!
//! The document tells clients to pass over fields that they do not know. Here a field that is not described is a mistake.

use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use testkit::load::http::Kept;

/// A document to hold exchanges against.
pub(crate) struct Described {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What was asked, and what came back.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: &'a str,
    pub(crate) answer: &'a Kept,
}

/// The operation's id and the status, where one was found.
pub(crate) type Seen = Option<(String, u16)>;

impl Described {
    pub(crate) fn new(mut document: Value) -> Self {
        close(&mut document);
        Described { document, validators: Mutex::default() }
    }

    /// Everything with which an operation says that it was done, by the operation's id and the status.
    pub(crate) fn promised(&self) -> BTreeSet<(String, u16)> {
        let mut promised = BTreeSet::new();
        for (_, _, operation) in self.operations() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let responses = operation["responses"].as_object().unwrap();
            let statuses = responses.keys().filter_map(|status| status.parse().ok());
            promised.extend(statuses.map(|status| (id.clone(), status)));
        }
        promised
    }

    /// Method, path and description of each.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (String, &str, &Value)> {
        self.document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (method.to_ascii_uppercase(), path.as_str(), operation))
        })
    }

    /// Passes if everything about it is as described.
    pub(crate) fn holds(&self, exchange: Exchange<'_>) -> Result<Seen, String> {
        let Exchange { method, target, body, answer } = exchange;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some((operation, segments)) = self.find(method, path) else {
            // What is not built has no description, and says so.
            let couch = path == "/_couch" || path.starts_with("/_couch/");
            let refused = if couch { "CouchRefused" } else { "Refused" };
            let refused = json!({ "$ref": format!("#/components/responses/{refused}") });
            return match answer.status {
                501 if path.starts_with("/_js/") => Ok(None),
                status if status < 500 || (status == 501 && couch) => {
                    self.refused(&refused, answer).map(|()| None)
                }
                status => Err(format!("it is not described, and answered {status}")),
            };
        };
        if answer.status < 300 {
            self.arguments(operation, &segments, query)?;
            self.order(operation, body)?;
        }
        match operation["responses"].get(answer.status.to_string()) {
            Some(response) => self.response(response, answer)?,
            None if answer.status < 400 => return Err(format!("status {} is not described", answer.status)),
            None => self.refused(&operation["responses"]["default"], answer)?,
        }
        let id = operation["operationId"].as_str().ok_or("it has no id")?;
        Ok(Some((id.to_owned(), answer.status)))
    }

    /// The operation, and what stands in the braces of its path. A path without braces goes before one with some.
    fn find<'a>(&'a self, method: &str, path: &str) -> Option<(&'a Value, Vec<(&'a str, String)>)> {
        let fitting = self.operations().filter(|(known, ..)| known == method);
        let fitting = fitting.filter_map(|(_, shape, operation)| Some((operation, filled(shape, path)?)));
        fitting.min_by_key(|(_, segments)| segments.len())
    }

    fn arguments(&self, operation: &Value, segments: &[(&str, String)], query: &str) -> Result<(), String> {
        let parameters = operation["parameters"].as_array().ok_or("it has no parameters")?;
        let given = |place: &str, name: &str, text: &str| {
            let described = parameters.iter().find(|known| known["in"] == place && known["name"] == name);
            let schema =
                &described.ok_or_else(|| format!("{place} argument {name} is not described"))?["schema"];
            let value = match schema["type"].as_str() {
                Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
                Some("boolean") => match text {
                    "true" | "yes" => json!(true),
                    "false" | "no" => json!(false),
                    _ => json!(text),
                },
                _ => json!(text),
            };
            self.fits(schema, &value).map_err(|error| format!("{place} argument {name}: {error}"))
        };
        for (name, text) in segments {
            given("path", name, text)?;
        }
        for argument in query.split('&').filter(|argument| !argument.is_empty()) {
            let (name, text) = argument.split_once('=').unwrap_or((argument, ""));
            let text = percent_decode_str(text).decode_utf8().map_err(|error| error.to_string())?;
            // Empty is absent, and bare is switched on.
            let text = if text.is_empty() { None } else { Some(text) };
            match text {
                Some(text) => given("query", name, &text)?,
                None if parameters.iter().any(|known| known["name"] == name) => {}
                None => return Err(format!("query argument {name} is not described")),
            }
        }
        Ok(())
    }

    /// An order that was carried out.
    fn order(&self, operation: &Value, body: &str) -> Result<(), String> {
        if operation["requestBody"]["content"].get("application/octet-stream").is_some() {
            return Ok(());
        }
        let empty = body.trim().is_empty();
        let body: Value =
            if empty { json!({}) } else { serde_json::from_str(body).map_err(|e| e.to_string())? };
        match operation.get("requestBody") {
            None if body == json!({}) => Ok(()),
            None => Err("a body was sent, and none is described".to_owned()),
            Some(order) if empty && order["required"] == true => {
                Err("no body was sent, and one is required".to_owned())
            }
            Some(order) => {
                let schema = &order["content"]["application/json"]["schema"];
                self.fits(schema, &body).map_err(|error| format!("the order: {error}"))
            }
        }
    }

    fn refused(&self, response: &Value, answer: &Kept) -> Result<(), String> {
        let response = match response["$ref"].as_str() {
            Some(reference) => self.at(reference)?,
            None => response,
        };
        self.response(response, answer)
    }

    fn response(&self, response: &Value, answer: &Kept) -> Result<(), String> {
        let content = response["content"].as_object().ok_or("no content is described")?;
        let media = answer.header("content-type").ok_or("the answer has no content type")?;
        if media == "application/octet-stream" && content.contains_key(media) {
            return Ok(());
        }
        let schema =
            &content.get(media).ok_or_else(|| format!("an answer of {media} is not described"))?["schema"];
        let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
        let value = match media {
            "application/json" => serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?,
            _ => json!(text),
        };
        self.fits(schema, &value).map_err(|error| format!("the answer: {error}: {text}"))
    }

    /// What a reference leads to.
    pub(crate) fn at(&self, reference: &str) -> Result<&Value, String> {
        let pointer = reference.strip_prefix('#');
        pointer.and_then(|at| self.document.pointer(at)).ok_or_else(|| format!("{reference} leads nowhere"))
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let key = schema.to_string();
        let known = self.validators.lock().unwrap().get(&key).cloned();
        let validator = match known {
            Some(validator) => validator,
            None => {
                let whole = json!({
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "components": self.document["components"],
                    "allOf": [schema],
                });
                let options =
                    jsonschema::options().should_validate_formats(true).should_ignore_unknown_formats(true);
                let validator =
                    options.build(&whole).map_err(|error| format!("{key} is no schema: {error}"))?;
                let validator = Arc::new(validator);
                self.validators.lock().unwrap().insert(key, validator.clone());
                validator
            }
        };
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{error} at {:?}", error.instance_path().to_string()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }
}

/// Makes every object that lists its fields refuse all others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.get("properties").is_some_and(Value::is_object) && is_schema(fields) {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_schema(fields: &Map<String, Value>) -> bool {
    fields.get("type").is_some_and(|kind| kind == "object")
}

/// What stands in the braces, if `path` has this shape.
fn filled<'a>(shape: &'a str, path: &str) -> Option<Vec<(&'a str, String)>> {
    let (shapes, given): (Vec<&str>, Vec<&str>) = (shape.split('/').collect(), path.split('/').collect());
    if shapes.len() != given.len() {
        return None;
    }
    let mut found = Vec::new();
    for (shape, given) in shapes.into_iter().zip(given) {
        match shape.strip_suffix('}').and_then(|shape| shape.split_once('{')) {
            Some((before, name)) => {
                let given = given.strip_prefix(before).filter(|given| !given.is_empty())?;
                found.push((name, percent_decode_str(given).decode_utf8_lossy().into_owned()));
            }
            None if shape == given => {}
            None => return None,
        }
    }
    Some(found)
}
