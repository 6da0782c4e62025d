//! The objects of a bucket: what is readable, or all versions.

use super::asked::{Wanted, What, bad};
use super::fields::{Row, write_page};
use super::table::Table;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use lifecycle::{ContainerId, Refusal};
use metadata::{Failure, VersionMarker, VersionsOrder};

pub(super) async fn list(
    exchange: &Exchange<'_>,
    wanted: &Wanted<'_>,
    contents: ContainerId,
    table: &mut Table,
) -> Result<(), Trouble> {
    let metadata = &exchange.gateway.metadata;
    let What::Versions { behind } = wanted.what else {
        let page = metadata.list_page(contents, &wanted.order()).await?;
        write_page(&page.entries, &wanted.fields, table);
        return Ok(());
    };
    let order = VersionsOrder {
        prefix: wanted.prefix,
        delimiter: None,
        key_marker: wanted.marker,
        version_marker: behind.map(VersionMarker::Version),
        limit: wanted.size,
    };
    let page = metadata.list_page_of_versions(contents, &order).await.map_err(|failure| match failure {
        Failure::Refused(Refusal::NoSuchVersion) => bad(format!(
            "The argument marker-version names no version of {:?}: allowed is the version of a row of that name.",
            wanted.marker
        )),
        failure => failure.into(),
    })?;
    for version in &page.items {
        Row::from(version).write(&wanted.fields, table);
    }
    Ok(())
}
