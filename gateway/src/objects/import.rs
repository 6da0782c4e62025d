//! A version of another installation: its bytes become durable where nobody sees them, as those of every PUT; then one
//! transaction decides what becomes of it.

use super::pieces::Pieces;
use super::put::{Received, check_digest, inline_name, no_space, receive};
use super::upload::Intent;
use super::{Error, Source};
use crate::Gateway;
use crate::auth::Principal;
use lifecycle::{Kind, VersionId, Within};
use md5::{Digest, Md5};
use metadata::{Import, ImportBody, Imported};

/// What the bytes of an import are to be compared with, beside their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// MD5 of all bytes.
    pub whole: Option<[u8; 16]>,
    /// How they were cut into parts where the MD5 of the version is one over the MD5s of these: so many parts of so many
    /// bytes, and again.
    pub pieces: Vec<(u32, u64)>,
}

/// Takes a version in. `import` describes it; its body is what `source` brings.
///
/// # Errors
/// Any [`Error`]; nothing is stored then, and bytes that were written on the way are destroyed.
pub async fn import(
    gateway: &Gateway,
    principal: &Principal,
    (import, proof): (Import, Proof),
    within: Within,
    mut source: Source<'_>,
) -> Result<Imported, Error> {
    if import.deleted {
        if source.next().await?.is_some() {
            return Err(Error::BadRequest("a tombstone has no bytes, and some were sent".to_owned()));
        }
        return Ok(gateway.metadata.import(import).await?);
    }
    match store(gateway, principal, (import, proof), within, source).await {
        Ok(imported) => Ok(imported),
        Err(error) => Err(no_space(gateway, error).await),
    }
}

async fn store(
    gateway: &Gateway,
    principal: &Principal,
    (import, proof): (Import, Proof),
    within: Within,
    source: Source<'_>,
) -> Result<Imported, Error> {
    // Not the version's own id: it may be here already, and somebody else may be importing it.
    let row = VersionId::random();
    let intent = Intent { within, version: row, kind: Kind::Named, name: import.name.clone(), part_of: None };
    let (said, pieces) = (import.size, proof.pieces.clone());
    let mut source = source.expecting(said).in_pieces(Pieces::of(&pieces));
    match receive(gateway, principal, intent, &mut source).await? {
        Received::Small(content) => {
            let md5: [u8; 16] = Md5::digest(&content).into();
            compare(&import, &proof, content.len() as u64, md5, source.pieces())?;
            let (format, bytes) = blobs::inline::encode(content);
            let body = ImportBody::Inline { blob: inline_name(gateway), format, bytes, md5 };
            Ok(gateway.metadata.import(Import { body, ..import }).await?)
        }
        Received::Staged(staged) => {
            let (stored, keep) = staged.finish().await?;
            compare(&import, &proof, stored.size, stored.md5, source.pieces())?;
            let body = ImportBody::Staged { row, format: stored.format, md5: stored.md5 };
            let imported = gateway.metadata.import(Import { body, ..import }).await?;
            if imported.keeps_bytes {
                keep.keep();
            }
            Ok(imported)
        }
    }
}

/// Whether the bytes are what was said of them.
fn compare(
    import: &Import,
    proof: &Proof,
    size: u64,
    md5: [u8; 16],
    pieces: Option<[u8; 16]>,
) -> Result<(), Error> {
    if size != import.size {
        let said = import.size;
        return Err(Error::BadRequest(format!("{size} bytes came, and {said} were announced")));
    }
    check_digest(proof.whole, md5)?;
    match pieces {
        Some(pieces) => check_digest(import.md5, pieces),
        None => Ok(()),
    }
}
