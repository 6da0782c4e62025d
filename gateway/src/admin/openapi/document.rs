//! The document: the table of routes, with what is said of each operation, and the schemas that this needs.
//!
//! Orders are described as they are read, where what has a default may be absent; answers as they are written, where what
//! is always written is required.

use super::described::{Argument, Content, Described, Shape, Value};
use super::operations::describes;
use super::segments;
use crate::admin::couch::CouchRefused;
use crate::admin::error::Refused;
use crate::admin::route::Operation;
use lifecycle::Right;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value as Json, json};

const BYTES: &str = "application/octet-stream";
const SCHEMAS: &str = "/components/schemas";
const ABOUT: &str = "The operator's door: domains, buckets and what was deleted. Removing makes invisible and can be undone \
    until its grace is over; purging cannot. HEAD is answered like GET. Arguments and fields that are not known are \
    refused; an argument that is empty counts as absent. Answers may get more fields: pass over those you do not know. \
    Every answer has a header `Gateway-Request-Id`.";
const KEY: &str = "A key's id and its secret. Each operation takes one right, named at the operation; `admin` holds all of \
    them. A key may be confined to a domain or a bucket. Where the configuration lets anonymous callers in, none is needed.";

/// The parts that are gathered while the operations are written down.
struct Gathering {
    orders: SchemaGenerator,
    answers: SchemaGenerator,
}

/// What was gathered.
struct Gathered {
    paths: Map<String, Json>,
    refused: Json,
    couch_refused: Json,
    orders: Map<String, Json>,
    answers: Map<String, Json>,
}

fn gather() -> Gathered {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
        })
    };
    let mut gathering = Gathering {
        orders: settings().for_deserialize().into_generator(),
        answers: settings().for_serialize().into_generator(),
    };
    let mut paths = Map::new();
    for &operation in Operation::ALL {
        let route = operation.route();
        let told = gathering.operation(operation);
        if let Json::Object(path) = paths.entry(route.path).or_insert_with(|| json!({})) {
            path.insert(route.method.to_ascii_lowercase(), told);
        }
    }
    Gathered {
        paths,
        refused: gathering.answers.subschema_for::<Refused>().to_value(),
        couch_refused: gathering.answers.subschema_for::<CouchRefused>().to_value(),
        orders: gathering.orders.take_definitions(true),
        answers: gathering.answers.take_definitions(true),
    }
}

/// The whole document.
pub(super) fn document() -> Json {
    let Gathered { paths, refused, couch_refused, orders, answers } = gather();
    let schemas: Map<String, Json> = orders.into_iter().chain(answers).collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Barrow, the operators' door",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Refused": {
                    "description": "It was refused, or it failed.",
                    "content": { "application/json": { "schema": refused } },
                },
                "CouchRefused": {
                    "description": "It was refused, or it failed, in CouchDB's words.",
                    "content": { "application/json": { "schema": couch_refused } },
                },
            },
            "securitySchemes": { "key": { "type": "http", "scheme": "basic", "description": KEY } },
        },
    })
}

impl Gathering {
    fn operation(&mut self, operation: Operation) -> Json {
        let (route, told) = (operation.route(), describes(operation));
        let Described { query, order, bytes, answers, refused, refusals } = told;
        let mut parameters: Vec<Json> = segments::names(route.path).map(|name| self.segment(name)).collect();
        parameters.extend(query.iter().map(argument));

        let mut responses = Map::new();
        for answer in answers {
            let content = match answer.content {
                Content::Json(shapes) => {
                    json!({ "application/json": { "schema": one_of(shapes, &mut self.answers) } })
                }
                Content::JsonOrBytes(shapes) => json!({
                    "application/json": { "schema": one_of(shapes, &mut self.answers) },
                    BYTES: {},
                }),
                Content::Text(media) => json!({ media: { "schema": { "type": "string" } } }),
            };
            let said = json!({ "description": answer.means, "content": content });
            responses.insert(answer.status.to_string(), said);
        }
        let default = match refused {
            None => json!({ "$ref": format!("#/components/responses/{refusals}") }),
            Some(shape) => {
                let schema = shape(&mut self.answers);
                let content = json!({ "application/json": { "schema": schema } });
                json!({ "description": "It was refused, or it failed.", "content": content })
            }
        };
        responses.insert("default".to_owned(), default);

        let right = route.right.map(Right::as_str);
        let mut said = json!({
            "operationId": operation_id(operation.name()),
            "summary": operation.summary(),
            "x-barrow-right": right,
            "security": right.map_or_else(|| json!([]), |right| json!([{ "key": [right] }])),
            "parameters": parameters,
            "responses": responses,
        });
        if let Some(order) = order {
            said["requestBody"] = self.order(order);
        }
        if bytes {
            said["requestBody"] = json!({ "required": true, "content": { BYTES: {} } });
        }
        said
    }

    fn segment(&mut self, name: &str) -> Json {
        let (means, schema) = match segments::segment(name) {
            Some((means, shape)) => (means, shape(&mut self.orders)),
            // A test says that there is none such.
            None => ("", Schema::default()),
        };
        json!({ "name": name, "in": "path", "required": true, "description": means, "schema": schema })
    }

    /// No body is an empty object: one has to be sent where that will not do.
    fn order(&mut self, shape: Shape) -> Json {
        let schema = shape(&mut self.orders);
        let name = schema.get("$ref").and_then(Json::as_str).and_then(|name| name.rsplit('/').next());
        let whole = name.and_then(|name| self.orders.definitions().get(name)).unwrap_or(schema.as_value());
        let required = whole["required"].as_array().is_some_and(|fields| !fields.is_empty());
        json!({ "required": required, "content": { "application/json": { "schema": schema } } })
    }
}

fn one_of(shapes: &[Shape], generator: &mut SchemaGenerator) -> Json {
    let mut shapes: Vec<Schema> = shapes.iter().map(|shape| shape(generator)).collect();
    match shapes.len() {
        1 => shapes.remove(0).to_value(),
        _ => json!({ "anyOf": shapes }),
    }
}

fn argument(argument: &Argument) -> Json {
    let schema = match argument.value {
        Value::Text => json!({ "type": "string" }),
        Value::Id => json!({ "$ref": format!("#{SCHEMAS}/Uuid") }),
        Value::Flag => json!({ "type": "boolean", "default": false }),
        Value::Limit { page, most } => {
            json!({ "type": "integer", "minimum": 1, "maximum": most, "default": page })
        }
        Value::Number { most, unsaid: None } => json!({ "type": "integer", "minimum": 0, "maximum": most }),
        Value::Number { most, unsaid: Some(unsaid) } => {
            json!({ "type": "integer", "minimum": 0, "maximum": most, "default": unsaid })
        }
        Value::State(allowed) => json!({ "type": "string", "enum": allowed }),
        Value::Word(allowed) => json!({ "type": "string", "enum": allowed }),
    };
    json!({ "name": argument.name, "in": "query", "description": argument.means, "schema": schema })
}

/// `RestoreBucket` as `restoreBucket`.
fn operation_id(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Two types of one name would be told apart by a number behind it, or hide one another.
    #[test]
    fn every_schema_has_a_name_of_its_own() {
        let Gathered { orders, answers, .. } = gather();
        assert!(orders.len() + answers.len() > 40, "{}", orders.len() + answers.len());
        for (name, schema) in orders.iter().chain(&answers) {
            assert!(name.chars().all(|c| c.is_ascii_alphabetic()), "{name}");
            let other = orders.get(name).zip(answers.get(name));
            assert!(other.is_none_or(|(read, written)| read == written), "{name}: {schema}");
        }
    }
}
