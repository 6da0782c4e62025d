//! Domains and buckets: those of the cluster, those of a domain, and those that were removed.

use super::asked::{Kinds, Wanted, What, bad};
use super::fields::{Row, write_page};
use super::table::Table;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use lifecycle::{ContainerId, Kind, Refusal, Right};
use metadata::{Container, Entry, Failure, ListOrder, Listed};

/// The parent of a domain: none.
const NO_PARENT: ContainerId = ContainerId::from_bytes([0xff; 16]);

/// The cluster's domains, for administrators.
pub(super) async fn domains(
    exchange: &Exchange<'_>,
    wanted: &Wanted<'_>,
    table: &mut Table,
) -> Result<(), Trouble> {
    exchange.principal.require(Right::Admin, None, None)?;
    // The names of domains are kept in lower case.
    let (prefix, marker) = (wanted.prefix.to_ascii_lowercase(), wanted.marker.to_ascii_lowercase());
    let order = ListOrder { prefix: &prefix, marker: &marker, ..wanted.order() };
    let page = exchange.gateway.metadata.list_live(None, &order).await?;
    write_page(&page.entries, &wanted.fields, table);
    Ok(())
}

/// What is in a domain: its buckets, or what has no name in it, or both.
pub(super) async fn inside(
    exchange: &Exchange<'_>,
    wanted: &Wanted<'_>,
    domain: &Container,
    hidden: Option<ContainerId>,
    table: &mut Table,
) -> Result<(), Trouble> {
    if wanted.what != What::Rows {
        return Err(bad("The argument versions lists those of one bucket: name it in the path.".to_owned()));
    }
    let metadata = &exchange.gateway.metadata;
    let order = wanted.order();
    let kind = match wanted.kinds {
        None | Some(Kinds::Buckets | Kinds::Named) => {
            let page = metadata.list_live(Some(domain.id), &order).await?;
            write_page(&page.entries, &wanted.fields, table);
            return Ok(());
        }
        Some(Kinds::Unnamed) => Some(Kind::Unnamed),
        Some(Kinds::Aliases) => Some(Kind::Alias),
        Some(Kinds::All) => None,
    };
    if order.delimiter.is_some() {
        return Err(bad(
            "The argument delimiter groups names, and unnamed and alias objects have none.".to_owned()
        ));
    }
    let objects = match hidden {
        Some(hidden) => metadata.list_page(hidden, &ListOrder { kind, ..order }).await?.entries,
        None => Vec::new(),
    };
    let buckets = match kind {
        None => metadata.list_live(Some(domain.id), &order).await?.entries,
        Some(_) => Vec::new(),
    };
    let mut rows: Vec<Row<'_>> = items(&objects).map(|object: &Listed| Row::from(object)).collect();
    rows.extend(items(&buckets).map(|bucket: &Container| Row::from(bucket)));
    rows.sort_by(|a, b| if order.descending { b.name.cmp(a.name) } else { a.name.cmp(b.name) });
    for row in rows.iter().take(wanted.size as usize) {
        row.write(&wanted.fields, table);
    }
    Ok(())
}

fn items<T>(entries: &[Entry<T>]) -> impl Iterator<Item = &T> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Item(item) => Some(item),
        Entry::Prefix(_) => None,
    })
}

/// Domains and buckets that are removed or being purged, for administrators: of the cluster, or of the domain that the
/// argument of this name names.
pub(super) async fn deleted(
    exchange: &Exchange<'_>,
    wanted: &Wanted<'_>,
    table: &mut Table,
) -> Result<(), Trouble> {
    if !exchange.asked.flag("admin")? {
        return Err(bad("The argument deleted goes with admin: it is for administrators.".to_owned()));
    }
    let domain = match exchange.asked.domain.explicit {
        false => None,
        true => match exchange.locate(None).await? {
            Some(located) => Some(located.domain.id),
            None => {
                exchange.principal.require_somewhere(Right::Admin)?;
                return Err(Trouble::not_found());
            }
        },
    };
    exchange.principal.require(Right::Admin, domain, None)?;
    let after = match wanted.marker {
        "" => None,
        marker => Some(marker.parse().map_err(|_| no_marker(marker))?),
    };
    let found = exchange.gateway.metadata.deleted_contexts(domain, wanted.prefix, after, wanted.size).await;
    let found = found.map_err(|failure| match failure {
        Failure::Refused(Refusal::Unknown) => no_marker(wanted.marker),
        failure => failure.into(),
    })?;
    for context in found {
        table.row();
        table.text("name", &context.name);
        table.text("kind", context.kind.as_str());
        table.text("uuid", &context.id.to_string());
        table.text("parent", &context.parent.unwrap_or(NO_PARENT).to_string());
        table.text("deleted_at", &context.removed_at.to_rfc3339());
        table.text("deleted_by", &context.actor);
        table.text("purge_after", &context.purge_after.to_rfc3339());
        table.number("objects", context.objects);
        table.number("bytes", context.bytes);
        table.text("state", context.state.as_str());
        table.end_row();
    }
    Ok(())
}

fn no_marker(marker: &str) -> Trouble {
    bad(format!("The argument marker cannot be {marker:?} with deleted: allowed is the uuid of a row."))
}
