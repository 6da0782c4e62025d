//! For tests only: databases of their own, and looks at them from beside. Behind the feature `testing`.

use crate::error::Failure;
use crate::sql::{Address, Conn, Engine, Text, args};
use lifecycle::MemberId;
use std::cell::RefCell;

/// Makes an empty schema on a Postgres server and gives the URL that leads into it.
///
/// # Errors
/// [`Failure::Unavailable`] if the server does not answer.
pub async fn fresh_schema(url: &str) -> Result<String, Failure> {
    let name = format!("t{}", MemberId::random());
    let mut conn = Address::parse(url, true)?.connect().await?;
    conn.execute(Text::Built(format!("CREATE SCHEMA {name}").into()), Vec::new()).await?;
    conn.close().await;
    Ok(format!("{url}{}options[search_path]={name}", if url.contains('?') { '&' } else { '?' }))
}

/// Runs one statement beside everything that is open: what a test puts wrong, to see it found. Gives the rows touched.
///
/// # Errors
/// [`Failure::Unavailable`] with what the database says.
pub async fn run(url: &str, statement: &str) -> Result<u64, Failure> {
    let mut conn = Address::parse(url, true)?.connect().await?;
    let touched = conn.execute(Text::Built(statement.into()), Vec::new()).await;
    conn.close().await;
    Ok(touched?)
}

/// Runs one query beside everything that is open, and gives the texts in its first column.
///
/// # Errors
/// [`Failure::Unavailable`] with what the database says.
pub async fn ask(url: &str, query: &str) -> Result<Vec<String>, Failure> {
    let mut conn = Address::parse(url, true)?.connect().await?;
    if conn.engine() == Engine::Postgres {
        conn.raw("SET enable_seqscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on").await?;
    }
    let answer = texts(&mut conn, Text::Built(query.into())).await;
    conn.close().await;
    answer
}

/// A transaction beside everything that is open, which keeps the rows it has locked. It ends when this is dropped.
pub struct Held(Conn);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    /// Lets go of the rows.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] with what the database says.
    pub async fn release(mut self) -> Result<(), Failure> {
        self.0.rollback().await?;
        self.0.close().await;
        Ok(())
    }
}

/// Runs `statement` in a transaction that stays open: whoever needs the rows that it locks waits for [`Held::release`].
///
/// # Errors
/// [`Failure::Unavailable`] with what the database says.
pub async fn hold(url: &str, statement: &str) -> Result<Held, Failure> {
    let mut conn = Address::parse(url, true)?.connect().await?;
    if conn.engine() == Engine::Postgres {
        // A test holds as long as it likes; the members' transactions are ended by the server.
        conn.raw("SET idle_in_transaction_session_timeout = 0").await?;
    }
    conn.begin().await?;
    conn.execute(Text::Built(statement.into()), Vec::new()).await?;
    Ok(Held(conn))
}

/// The steps by which the engine would carry `statement` out, in its own words.
///
/// # Errors
/// [`Failure::Unavailable`] with what the database says.
pub async fn explain(url: &str, statement: &str) -> Result<Vec<String>, Failure> {
    let mut conn = Address::parse(url, true)?.connect().await?;
    let (prefix, passed) = match conn.engine() {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Engine::Postgres => ("EXPLAIN", 0),
    };
    let mut steps = Vec::new();
    for mut row in conn.fetch(Text::Built(format!("{prefix} {statement}").into()), Vec::new()).await? {
        row.skip(passed);
        steps.push(row.need_text()?);
    }
    conn.close().await;
    Ok(steps)
}

thread_local! {
    static NOTED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Gives the texts of all statements that `doing` makes this thread run, each once, in the order of their first run.
/// For tests on a runtime of one thread.
pub async fn statements_of(doing: impl Future<Output = ()>) -> Vec<String> {
    NOTED.with_borrow_mut(|noted| *noted = Some(Vec::new()));
    doing.await;
    NOTED.take().unwrap_or_default()
}

pub(crate) fn note(text: &Text) {
    NOTED.with_borrow_mut(|noted| {
        let Some(noted) = noted else { return };
        let text = match text {
            Text::Constant(text) => *text,
            Text::Built(text) => text,
        };
        if !noted.iter().any(|known| known == text) {
            noted.push(text.to_owned());
        }
    });
}

/// The schema as one line per column and per index, in words that both engines share: types as SQLite calls them, every
/// text in byte order or marked, conditions of indexes without what Postgres adds to them.
///
/// # Errors
/// [`Failure::Unavailable`] with what the database says.
pub async fn describe_schema(url: &str) -> Result<Vec<String>, Failure> {
    let mut conn = Address::parse(url, true)?.connect().await?;
    if conn.engine() == Engine::Postgres {
        // The catalogue's views are not written for their indexes as our statements are.
        conn.raw("SET enable_seqscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on").await?;
    }
    let (columns, indexes) = match conn.engine() {
        Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_INDEXES),
        Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_INDEXES),
    };
    let mut lines = texts(&mut conn, columns).await?;
    lines.extend(texts(&mut conn, indexes).await?.iter().map(|index| shared_words(index)));
    conn.close().await;
    lines.sort();
    Ok(lines)
}

async fn texts(conn: &mut Conn, statement: impl Into<Text>) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for mut row in conn.fetch(statement, args![]).await? {
        texts.push(row.need_text()?);
    }
    Ok(texts)
}

const SQLITE_COLUMNS: &str = "SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type
        || CASE WHEN c.\"notnull\" = 1 THEN ' NOT NULL' ELSE '' END || COALESCE(' DEFAULT ' || c.dflt_value, '')
        || CASE WHEN c.pk > 0 THEN ' KEY ' || c.pk ELSE '' END
     FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
const SQLITE_INDEXES: &str = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
const POSTGRES_COLUMNS: &str = "SELECT 'column ' || t.relname || '.' || a.attname || ' '
        || CASE format_type(a.atttypid, NULL) WHEN 'bytea' THEN 'BLOB'
            WHEN 'text' THEN CASE WHEN l.collname = 'C' THEN 'TEXT' ELSE 'TEXT IN NO BYTE ORDER' END
            ELSE upper(format_type(a.atttypid, NULL)) END
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
        || COALESCE(' KEY ' || array_position(k.conkey, a.attnum), '')
     FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
        LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p'
     WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace";
const POSTGRES_INDEXES: &str =
    "SELECT replace(replace(pg_get_indexdef(i.indexrelid), current_schema() || '.', ''), ' USING btree', '')
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
     WHERE t.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary";

/// Postgres stores a condition with casts, parentheses and `= ANY (ARRAY[…])` for IN.
fn shared_words(index: &str) -> String {
    let (head, condition) = index.split_once(" WHERE ").unwrap_or((index, ""));
    let condition = condition.replace("::text", "").replace("= ANY (ARRAY[", "IN (").replace("])", ")");
    let bare: String = condition.chars().filter(|c| !matches!(c, '(' | ')')).collect();
    let words: Vec<&str> = head.split_whitespace().chain(["WHERE"]).chain(bare.split_whitespace()).collect();
    words.join(" ")
}
