//! What can be said of one operation, beside what stands in the table of routes.

use lifecycle::State;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Gives the schema of a type, or a reference to it.
pub(in crate::admin) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The [`Shape`] of `T`.
pub(in crate::admin) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What an operation takes and answers. What goes wrong looks the same everywhere.
#[derive(Clone, Copy)]
pub(in crate::admin) struct Described {
    /// Its arguments, behind the `?`: these and no others.
    pub(in crate::admin) query: &'static [Argument],
    /// Its body, if it reads one.
    pub(super) order: Option<Shape>,
    /// Whether its body is bytes instead.
    pub(super) bytes: bool,
    /// What it answers when it has done it.
    pub(super) answers: &'static [Answer],
    /// What it answers when it has not, where that is not what all others do.
    pub(super) refused: Option<Shape>,
    /// In whose words it says no otherwise: a response of the document.
    pub(super) refusals: &'static str,
}

impl Described {
    pub(in crate::admin) const fn answers(answers: &'static [Answer]) -> Self {
        Described { query: &[], order: None, bytes: false, answers, refused: None, refusals: "Refused" }
    }

    /// With these arguments.
    pub(in crate::admin) const fn asked_with(self, query: &'static [Argument]) -> Self {
        Described { query, ..self }
    }

    /// What goes wrong is told in a message stream's words.
    pub(in crate::admin) const fn in_streams(self) -> Self {
        Described { refused: Some(shape::<crate::admin::js::reply::Refused>), ..self }
    }

    /// That says no in CouchDB's words.
    pub(in crate::admin) const fn in_couch_words(self) -> Self {
        Described { refusals: "CouchRefused", ..self }
    }

    /// With a body like this.
    pub(in crate::admin) const fn ordered<T: JsonSchema>(self) -> Self {
        Described { order: Some(shape::<T>), ..self }
    }

    /// With a body of bytes.
    pub(in crate::admin) const fn taking_bytes(self) -> Self {
        Described { bytes: true, ..self }
    }
}

/// One way in which an operation is answered.
#[derive(Clone, Copy)]
pub(in crate::admin) struct Answer {
    pub(super) status: u16,
    pub(super) means: &'static str,
    pub(super) content: Content,
}

/// What an answer's body is.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// JSON of one of these shapes.
    Json(&'static [Shape]),
    /// Text of this media type.
    Text(&'static str),
    /// JSON of one of these shapes, or bytes.
    JsonOrBytes(&'static [Shape]),
}

impl Answer {
    /// Status 200, with JSON of one of these shapes.
    pub(in crate::admin) const fn ok(means: &'static str, shapes: &'static [Shape]) -> Self {
        Answer::new(200, means, shapes)
    }

    pub(in crate::admin) const fn new(status: u16, means: &'static str, shapes: &'static [Shape]) -> Self {
        Answer { status, means, content: Content::Json(shapes) }
    }

    /// Status 200, with JSON of one of these shapes, or with bytes.
    pub(in crate::admin) const fn json_or_bytes(means: &'static str, shapes: &'static [Shape]) -> Self {
        Answer { status: 200, means, content: Content::JsonOrBytes(shapes) }
    }

    /// Status 200, with text.
    pub(in crate::admin) const fn text(means: &'static str, media: &'static str) -> Self {
        Answer { status: 200, means, content: Content::Text(media) }
    }
}

/// One argument of a query.
#[derive(Clone, Copy)]
pub(in crate::admin) struct Argument {
    pub(in crate::admin) name: &'static str,
    pub(super) means: &'static str,
    pub(super) value: Value,
}

/// What an argument may be.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Text,
    Id,
    /// Bare, it is switched on.
    Flag,
    /// Of this page, if nothing is said, and of no more than that.
    Limit {
        page: u32,
        most: u32,
    },
    State(&'static [State]),
    /// From this to that; `None`: nothing, if nothing is said.
    Number {
        most: i64,
        unsaid: Option<i64>,
    },
    Word(&'static [&'static str]),
}

impl Argument {
    const fn new(name: &'static str, means: &'static str, value: Value) -> Self {
        Argument { name, means, value }
    }

    pub(in crate::admin) const fn text(name: &'static str, means: &'static str) -> Self {
        Argument::new(name, means, Value::Text)
    }

    /// A UUID.
    pub(in crate::admin) const fn id(name: &'static str, means: &'static str) -> Self {
        Argument::new(name, means, Value::Id)
    }

    pub(in crate::admin) const fn flag(name: &'static str, means: &'static str) -> Self {
        Argument::new(name, means, Value::Flag)
    }

    /// The argument `state`, one of `allowed`.
    pub(in crate::admin) const fn state(means: &'static str, allowed: &'static [State]) -> Self {
        Argument::new("state", means, Value::State(allowed))
    }

    /// A number from 0 on, and what it is if nothing is said.
    pub(in crate::admin) const fn number(
        name: &'static str,
        means: &'static str,
        most: i64,
        unsaid: Option<i64>,
    ) -> Self {
        Argument::new(name, means, Value::Number { most, unsaid })
    }

    /// One word of some.
    pub(in crate::admin) const fn word(
        name: &'static str,
        means: &'static str,
        allowed: &'static [&'static str],
    ) -> Self {
        Argument::new(name, means, Value::Word(allowed))
    }

    /// The argument `limit`.
    pub(in crate::admin) const fn limit(page: u32, most: u32) -> Self {
        Argument::new("limit", "How many at most.", Value::Limit { page, most })
    }

    /// The argument `after`.
    pub(in crate::admin) const AFTER: Argument =
        Argument::text("after", "The `next` of the page before this one.");

    /// The argument `prefix`.
    pub(in crate::admin) const PREFIX: Argument =
        Argument::text("prefix", "Only those whose names begin so.");
}
