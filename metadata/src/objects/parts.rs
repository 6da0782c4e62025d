//! What becomes of an upload's parts when it ends.

use super::decide::Arrival;
use super::effects::{Usage, expect};
use crate::sql::{Conn, DbError, args};
use lifecycle::{ContainerId, State, UploadId, VersionId};

/// The blobs of an upload's parts pass to the version, and the rows of the parts go with them: nothing is deleted, and no
/// byte copied. Parts that were left out are given up.
pub(super) async fn assemble(
    conn: &mut Conn,
    version: VersionId,
    upload: UploadId,
    arrival: &Arrival,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let ended = conn
        .execute(
            // What describes the object goes with the object from here on.
            "UPDATE uploads SET completed = $2, headers = '[]', tags = NULL, checksum = NULL
             WHERE id = $1 AND completed IS NULL",
            args![upload, version],
        )
        .await?;
    expect(ended, 1, "completing an upload")?;
    let pieces = arrival.pieces.iter().map(|piece| args![piece.part, piece.number, piece.start]).collect();
    conn.execute_rows(
        "UPDATE blobs SET owner = $1, part_no = piece.column2, start = piece.column3
         FROM (VALUES {rows}) AS piece WHERE blobs.owner = piece.column1",
        &[version.into()],
        pieces,
    )
    .await?;
    let parts = arrival.pieces.iter().map(|piece| args![piece.part]).collect();
    let merged = conn
        .fetch_rows(
            "DELETE FROM versions WHERE id IN (SELECT column1 FROM (VALUES {rows}) AS piece)
                AND state = 'staged' AND upload_id = $1 AND md5 IS NOT NULL RETURNING contents_id",
            &[upload.into()],
            parts,
        )
        .await?;
    expect(merged.len() as u64, arrival.pieces.len(), "assembling")?;
    for mut row in merged {
        usage.lose(row.need_id(ContainerId::from_bytes)?, State::Staged, 0);
    }
    give_up_parts(conn, upload, usage).await
}

/// Finished parts of an upload that has ended are given up: they wait to be reclaimed. A part that is still being written
/// is its writer's to take back, who will find the upload ended.
pub(crate) async fn give_up_parts(
    conn: &mut Conn,
    upload: UploadId,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let given_up = conn
        .fetch(
            "UPDATE versions SET state = 'purging', cause = 'abandoned'
             WHERE upload_id = $1 AND state = 'staged' AND md5 IS NOT NULL RETURNING contents_id, size",
            args![upload],
        )
        .await?;
    for mut row in given_up {
        let (contents, size) = (row.need_id(ContainerId::from_bytes)?, row.need_size()?);
        usage.lose(contents, State::Staged, 0);
        usage.gain(contents, State::Purging, size);
    }
    Ok(())
}
