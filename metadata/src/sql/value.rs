//! Values on their way into a statement: three types, each NULL or not.

/// A value on its way into a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<String>),
    /// BYTEA or BLOB.
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// No value, of the same type.
    pub(super) fn null(&self) -> Value {
        match self {
            Value::Int(_) => Value::Int(None),
            Value::Text(_) => Value::Text(None),
            Value::Bytes(_) => Value::Bytes(None),
        }
    }
}

macro_rules! into_value {
    ($($from:ty => $variant:ident, |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self { Value::$variant(Some($make)) }
        }
        impl From<Option<$from>> for Value {
            fn from(v: Option<$from>) -> Self { Value::$variant(v.map(|$v| $make)) }
        }
    )*};
}
into_value! {
    i64 => Int, |v| v;
    u64 => Int, |v| i64::try_from(v).unwrap_or(i64::MAX);
    u32 => Int, |v| i64::from(v);
    bool => Int, |v| i64::from(v);
    lifecycle::Time => Int, |v| v.micros();
    String => Text, |v| v;
    &str => Text, |v| v.to_owned();
    lifecycle::State => Text, |v| v.as_str().to_owned();
    lifecycle::Cause => Text, |v| v.as_str().to_owned();
    Vec<u8> => Bytes, |v| v;
    [u8; 16] => Bytes, |v| v.to_vec();
    lifecycle::ContainerId => Bytes, |v| v.as_bytes().to_vec();
    lifecycle::VersionId => Bytes, |v| v.as_bytes().to_vec();
    lifecycle::BlobName => Bytes, |v| v.as_bytes().to_vec();
    lifecycle::UploadId => Bytes, |v| v.as_bytes().to_vec();
    lifecycle::MemberId => Bytes, |v| v.as_bytes().to_vec();
    lifecycle::InstallationId => Bytes, |v| v.as_bytes().to_vec();
}

/// `args![a, b, c]`: the values of one statement or one row, in order.
macro_rules! args {
    ($($v:expr),* $(,)?) => { vec![$($crate::sql::Value::from($v)),*] };
}
pub(crate) use args;
