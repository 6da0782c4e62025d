//! A large object in parts, as SDKs upload it.

use super::needed;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::rows::{cell_through, content, tell, tell_throughput};
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, Made};
use bytes::Bytes;

const PART: u64 = 8 << 20;
const CLIENTS: usize = 8;

/// Uploads an object of `size` bytes, a multiple of 8 MiB, into `bucket`, which exists.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the object does not have its size in the end.
pub async fn run(server: &Server, bucket: &str, size: u64, rows: &mut Vec<Row>) -> Result<(), Failed> {
    let door = &server.s3;
    let target = format!("/{bucket}/multipart");
    let doing = "uploading in parts through S3";
    let cpu = server.process.cpu()?;
    let begun = now();
    let answer = door.ask(&door.same("POST", &format!("{target}?uploads"))).await?;
    let upload = needed(doing, &answer, "UploadId")?;

    let content = content(usize::try_from(PART).unwrap_or(usize::MAX));
    let put = door.numbered("PUT", &format!("{target}?partNumber=")).counting_from(1);
    let put = put.ending(&format!("&uploadId={upload}")).body(content).naming("ETag");
    let load = Load::all(CLIENTS, size / PART);
    let (mut row, measured) =
        cell_through(server, door, "UploadPart 8 MiB, S3".to_owned(), &put, load).await?;
    tell_throughput(&mut row, PART);
    let mut measured = measured.flawless(doing)?;
    let parts = measured.take_made();

    let complete = door.same("POST", &format!("{target}?uploadId={upload}")).body(document(&parts));
    let completing = now();
    let answer = door.ask(&complete).await?;
    let ended = now();
    needed(doing, &answer, "ETag")?;
    let cpu = server.process.cpu()?.saturating_sub(cpu);
    let found = door.ask(&door.same("HEAD", &target)).await?;
    if found.header("Content-Length") != Some(size.to_string().as_str()) {
        let body = format!("not {size} bytes:\n{}", found.head);
        return Err(Failed::Answer { doing: doing.to_owned(), status: found.status, body });
    }

    let elapsed = ended.saturating_sub(begun);
    let mut whole = Row {
        what: format!("multipart upload of {} MiB, S3", size >> 20),
        clients: Some(CLIENTS),
        operations: Some(1),
        rate: Some(1.0 / elapsed.as_secs_f64()),
        p50: Some(elapsed),
        cpu: Some(cpu),
        peak: Some(server.process.peak_memory()?),
        ..Row::default()
    };
    tell_throughput(&mut whole, size);
    let completing = ended.saturating_sub(completing).as_secs_f64() * 1e3;
    tell(&mut whole, &format!("completing {} parts: {completing:.1} ms", parts.len()));
    rows.extend([row, whole]);
    Ok(())
}

/// The list of parts, in order.
fn document(parts: &[Made]) -> Bytes {
    let mut document =
        b"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_vec();
    for part in parts {
        document
            .extend_from_slice(format!("<Part><PartNumber>{}</PartNumber><ETag>", part.number).as_bytes());
        part.id.write(&mut document);
        document.extend_from_slice(b"</ETag></Part>");
    }
    document.extend_from_slice(b"</CompleteMultipartUpload>");
    Bytes::from(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Id;

    #[test]
    fn parts_are_listed_with_their_tags() {
        let tag = "0123456789abcdef0123456789abcdef";
        let part = Made { number: 7, id: Id::read(tag.as_bytes()).unwrap() };
        let text = String::from_utf8(document(&[part]).to_vec()).unwrap();
        assert!(
            text.contains(&format!("<Part><PartNumber>7</PartNumber><ETag>{tag}</ETag></Part>")),
            "{text}"
        );
    }
}
