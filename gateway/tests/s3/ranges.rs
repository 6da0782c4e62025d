//! Parts of objects: ranges of bytes, and the parts in which an object was uploaded.

use crate::calls::{PART, etag, pattern, put_in_parts};
use crate::house::House;

crate::on_both_engines!(
    a_range_of_any_form_brings_its_bytes,
    a_range_that_is_not_there_is_not_satisfiable,
    anything_but_one_range_is_the_whole,
    nothing_has_no_ranges,
    ranges_cross_from_part_to_part,
    a_part_is_read_by_its_number,
    an_object_in_one_piece_is_its_first_part,
);

async fn a_range_of_any_form_brings_its_bytes(house: &mut House) {
    for size in [10, 40_000] {
        let bytes = pattern(size);
        let put = house.put("/bucket/key").header("content-type", "text/plain").header("x-amz-meta-a", "1");
        put.body(bytes.clone()).await.is(200);
        let last = size - 1;
        for (asked, from, to) in [
            ("bytes=0-0".to_owned(), 0, 0),
            ("bytes=0-4".to_owned(), 0, 4),
            ("bytes=5-".to_owned(), 5, last),
            ("bytes=3-7".to_owned(), 3, 7),
            ("bytes=-1".to_owned(), last, last),
            ("bytes=-3".to_owned(), last - 2, last),
            (format!("bytes=0-{last}"), 0, last),
            (format!("bytes=2-{size}"), 2, last),
            (format!("bytes={last}-"), last, last),
            (format!("bytes=-{size}"), 0, last),
            (format!("bytes=-{}", size + 1), 0, last),
            ("bytes=1-18446744073709551615".to_owned(), 1, last),
            ("bytes=1-99999999999999999999999".to_owned(), 1, last),
        ] {
            let read =
                house.get("/bucket/key").header("range", &asked).await.is(206).brings(&bytes[from..=to]);
            assert_eq!(read.need("content-range"), format!("bytes {from}-{to}/{size}"), "{asked}");
            assert_eq!(read.need("content-length"), (to - from + 1).to_string());
            assert_eq!((read.need("etag"), read.need("content-type")), (etag(&bytes).as_str(), "text/plain"));
            assert_eq!((read.need("x-amz-meta-a"), read.need("accept-ranges")), ("1", "bytes"));
            let head = house.head("/bucket/key").header("range", &asked).await.is(206);
            assert_eq!(head.need("content-range"), read.need("content-range"));
            assert_eq!(head.need("content-length"), read.need("content-length"));
        }
    }
}

async fn a_range_that_is_not_there_is_not_satisfiable(house: &mut House) {
    for size in [10, 40_000] {
        house.put("/bucket/key").body(pattern(size)).await.is(200);
        for asked in [
            format!("bytes={size}-"),
            format!("bytes={size}-{size}"),
            format!("bytes={}-{}", size + 5, size + 9),
            "bytes=99999999999999999999999-".to_owned(),
            "bytes=-0".to_owned(),
        ] {
            let refused = house.get("/bucket/key").header("range", &asked).await.refused(416, "InvalidRange");
            assert_eq!(refused.need("content-range"), format!("bytes */{size}"), "{asked}");
            let refused = house.head("/bucket/key").header("range", &asked).await.is(416).brings("");
            assert_eq!(refused.need("content-range"), format!("bytes */{size}"), "{asked}");
        }
    }
}

async fn anything_but_one_range_is_the_whole(house: &mut House) {
    let bytes = pattern(10);
    house.put("/bucket/key").body(bytes.clone()).await.is(200);
    for asked in [
        "bytes=0-1,3-4",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "bytes",
        "bytes=",
        "lines=0-1",
        "0-1",
        "bytes=1",
    ] {
        let read = house.get("/bucket/key").header("range", asked).await.is(200).brings(&bytes);
        assert_eq!(read.header("content-range"), None, "{asked}");
    }
}

async fn nothing_has_no_ranges(house: &mut House) {
    house.put("/bucket/key").body("").await.is(200);
    for asked in ["bytes=0-0", "bytes=0-", "bytes=1-"] {
        house.get("/bucket/key").header("range", asked).await.refused(416, "InvalidRange");
    }
    house.get("/bucket/key").await.is(200).brings("");
}

/// Three parts, the second of them with bytes of its own, the last one small enough to stand beside its row.
fn parts() -> [Vec<u8>; 3] {
    let second = pattern(PART + 1).into_iter().map(|byte| byte ^ 0xff).collect();
    [pattern(PART), second, b"the end".to_vec()]
}

async fn ranges_cross_from_part_to_part(house: &mut House) {
    let parts = parts();
    put_in_parts(house, "/bucket/key", &parts.each_ref().map(Vec::as_slice)).await;
    let whole = parts.concat();
    let (one, two, size) = (PART, 2 * PART + 1, whole.len());
    house.get("/bucket/key").await.is(200).brings(&whole);
    for (from, to) in [
        (0, 0),
        (one - 1, one - 1),
        (one, one),
        (one - 1, one),
        (one - 3, one + 3),
        (two - 1, two),
        (one - 1, two),
        (two, size - 1),
        (two + 3, two + 3),
        (0, size - 1),
        (1, size - 2),
    ] {
        let asked = format!("bytes={from}-{to}");
        let read = house.get("/bucket/key").header("range", asked).await.is(206).brings(&whole[from..=to]);
        assert_eq!(read.need("content-range"), format!("bytes {from}-{to}/{size}"));
    }
    house.get("/bucket/key").header("range", "bytes=-9").await.is(206).brings(&whole[size - 9..]);
    house.get("/bucket/key").header("range", format!("bytes={size}-")).await.refused(416, "InvalidRange");
}

async fn a_part_is_read_by_its_number(house: &mut House) {
    let parts = parts();
    let tag = put_in_parts(house, "/bucket/key", &parts.each_ref().map(Vec::as_slice)).await;
    let size: usize = parts.iter().map(Vec::len).sum();
    let mut from = 0;
    for (number, part) in (1..).zip(&parts) {
        let target = format!("/bucket/key?partNumber={number}");
        let read = house.get(&target).await.is(206).brings(part);
        let to = from + part.len() - 1;
        assert_eq!(read.need("content-range"), format!("bytes {from}-{to}/{size}"));
        assert_eq!(read.need("x-amz-mp-parts-count"), "3");
        assert_eq!(read.need("etag"), tag);
        let head = house.head(&target).await.is(206);
        assert_eq!(head.need("content-length"), part.len().to_string());
        assert_eq!(head.need("x-amz-mp-parts-count"), "3");
        from = to + 1;
    }
    for number in ["4", "10000"] {
        house.get(&format!("/bucket/key?partNumber={number}")).await.refused(416, "InvalidPartNumber");
        house.head(&format!("/bucket/key?partNumber={number}")).await.is(416);
    }
    for number in ["0", "-1", "10001", "x", "1.5"] {
        house.get(&format!("/bucket/key?partNumber={number}")).await.refused(400, "InvalidArgument");
    }
    let both = house.get("/bucket/key?partNumber=1").header("range", "bytes=0-1");
    both.await.refused(400, "InvalidRequest");
    // Without a number nothing is told of the parts.
    assert_eq!(house.head("/bucket/key").await.is(200).header("x-amz-mp-parts-count"), None);
}

async fn an_object_in_one_piece_is_its_first_part(house: &mut House) {
    let bytes = pattern(40_000);
    house.put("/bucket/key").body(bytes.clone()).await.is(200);
    let read = house.get("/bucket/key?partNumber=1").await.is(206).brings(&bytes);
    assert_eq!(read.need("content-range"), "bytes 0-39999/40000");
    assert_eq!(read.header("x-amz-mp-parts-count"), None);
    house.get("/bucket/key?partNumber=2").await.refused(416, "InvalidPartNumber");
}
