//! Listings: objects by both calls, versions, uploads. What the door lists is compared with a list made by hand from the
//! keys alone.

use crate::calls::{Upload, etag, field, rows, table, versioning};
use crate::client::{Answer, Wire};
use crate::house::House;
use crate::sign::encoded;
use futures_util::future::join_all;
use percent_encoding::percent_decode_str;
use std::collections::{BTreeMap, BTreeSet};

crate::on_both_engines!(
    prefixes_and_delimiters_group_as_made_by_hand,
    pages_of_every_size_add_up,
    two_and_a_half_thousand_keys_are_listed_page_by_page,
    a_page_says_how_it_was_asked_for,
    a_row_says_what_its_object_is,
    a_page_begins_behind_its_marker,
    the_size_of_a_page_is_a_number,
    names_are_encoded_for_those_who_ask,
    an_argument_that_means_nothing_is_refused,
    names_list_in_the_order_of_their_bytes,
    a_deleted_object_is_not_listed,
    versions_list_the_newest_first,
    versions_are_listed_page_by_page,
    a_page_of_versions_goes_on_where_it_says,
    versions_are_grouped_like_objects,
    uploads_are_listed_by_key_and_age,
    uploads_are_listed_page_by_page,
    uploads_are_grouped_like_objects,
);

const KEYS: [&str; 31] = [
    "a",
    "a/1",
    "a/2",
    "a/b/1",
    "a/b/2",
    "a//x",
    "ab",
    "b",
    "b/",
    "b/1",
    "c--1",
    "c--2",
    "c-1",
    "d%1",
    "d%25",
    "d_1",
    "dx1",
    "D/upper",
    "e/\u{1F980}/1",
    "e/\u{1F980}/2",
    "e/\u{FF5E}/1",
    "f g/1",
    "f+g/1",
    "\u{10FFFF}",
    "\u{10FFFF}x",
    "ü/1",
    "ü/2",
    "z/z/z/z/z",
    "0",
    "//",
    "/lead",
];

/// What a listing shows: keys, and prefixes that stand for keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Key(String),
    Prefix(String),
}

impl Shown {
    fn name(&self) -> &str {
        match self {
            Shown::Key(name) | Shown::Prefix(name) => name,
        }
    }
}

/// The list made by hand.
fn by_hand<'a>(keys: impl IntoIterator<Item = &'a str>, prefix: &str, delimiter: &str) -> Vec<Shown> {
    let mut shown = BTreeMap::new();
    for key in keys.into_iter().filter(|key| key.starts_with(prefix)) {
        let rest = &key[prefix.len()..];
        let end = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
        let row = match end {
            Some(end) => Shown::Prefix(format!("{prefix}{}{delimiter}", &rest[..end])),
            None => Shown::Key(key.to_owned()),
        };
        shown.insert(row.name().to_owned(), row);
    }
    shown.into_values().collect()
}

fn plain(name: &str) -> String {
    percent_decode_str(name).decode_utf8().expect("text").into_owned()
}

/// What an answer shows, which was asked for in the encoding `url`. Keys and prefixes come apart; each in order.
fn shown(answer: &Answer) -> Vec<Shown> {
    let keys: Vec<Shown> = answer.all("Key").iter().map(|key| Shown::Key(plain(key))).collect();
    let prefixes = rows(answer, "CommonPrefixes");
    let prefixes: Vec<Shown> =
        prefixes.iter().map(|row| Shown::Prefix(plain(&field(row, "Prefix")))).collect();
    for list in [&keys, &prefixes] {
        assert!(list.is_sorted_by(|one, two| one.name() < two.name()), "{list:?}");
    }
    let mut all: Vec<Shown> = keys.into_iter().chain(prefixes).collect();
    all.sort_by(|one, two| one.name().cmp(two.name()));
    all
}

fn argument(text: &str) -> String {
    encoded(text.as_bytes(), true)
}

async fn store(house: &House, keys: impl IntoIterator<Item = &str>) {
    for key in keys {
        house.put(&format!("/bucket/{}", encoded(key.as_bytes(), false))).body(key).await.is(200);
    }
}

async fn prefixes_and_delimiters_group_as_made_by_hand(house: &mut House) {
    store(house, KEYS).await;
    let prefixes = [
        "",
        "a",
        "a/",
        "a/b",
        "a/b/",
        "b/",
        "c-",
        "d%",
        "d_",
        "d%2",
        "D",
        "d",
        "e/",
        "e/\u{1F980}",
        "f ",
        "f+",
        "\u{10FFFF}",
        "ü",
        "/",
        "//",
        "none",
        "z/z/z/z/z",
        "z/z/z/z/z/z",
        "0",
    ];
    for prefix in prefixes {
        for delimiter in
            ["", "/", "//", "--", "-", "%", "%25", "_", "x", "\u{1F980}", "ü", " ", "+", "nowhere", "z/z"]
        {
            let expected = by_hand(KEYS, prefix, delimiter);
            let arguments =
                format!("prefix={}&delimiter={}&encoding-type=url", argument(prefix), argument(delimiter));
            for call in ["list-type=2&", ""] {
                let answer = house.get(&format!("/bucket?{call}{arguments}")).await.is(200);
                assert_eq!(shown(&answer), expected, "{call} prefix {prefix:?}, delimiter {delimiter:?}");
                assert_eq!(answer.find("IsTruncated").as_deref(), Some("false"));
            }
        }
    }
}

/// All pages of a listing, and how many there were.
async fn pages(house: &House, arguments: &str, size: usize, second: bool) -> (Vec<Shown>, usize) {
    let (mut all, mut count, mut behind) = (Vec::new(), 0, String::new());
    loop {
        let call = if second { "list-type=2&" } else { "" };
        let target = format!("/bucket?{call}max-keys={size}&encoding-type=url{arguments}{behind}");
        let answer = house.get(&target).await.is(200);
        let page = shown(&answer);
        count += 1;
        assert!(page.len() <= size, "{target}");
        if second {
            assert_eq!(answer.find("KeyCount"), Some(page.len().to_string()));
        }
        let more = answer.find("IsTruncated").as_deref() == Some("true");
        assert!(page.len() == size || !more, "a page with another behind it is full: {target}");
        if !more {
            assert_eq!((answer.find("NextContinuationToken"), answer.find("NextMarker")), (None, None));
            all.extend(page);
            return (all, count);
        }
        behind = match second {
            true => format!(
                "&continuation-token={}",
                argument(&answer.find("NextContinuationToken").expect("a token"))
            ),
            // Without a delimiter the last key is where clients go on.
            false if arguments.contains("delimiter") => {
                format!("&marker={}", answer.find("NextMarker").expect("a marker"))
            }
            false => format!("&marker={}", argument(page.last().expect("a full page").name())),
        };
        all.extend(page);
        assert!(count < 10_000, "the listing goes in circles");
    }
}

async fn pages_of_every_size_add_up(house: &mut House) {
    store(house, KEYS).await;
    for (prefix, delimiter) in
        [("", ""), ("", "/"), ("a", "/"), ("e/", "/"), ("", "--"), ("", "%"), ("", "1")]
    {
        let expected = by_hand(KEYS, prefix, delimiter);
        let mut arguments = format!("&prefix={}", argument(prefix));
        if !delimiter.is_empty() {
            arguments += &format!("&delimiter={}", argument(delimiter));
        }
        for size in [1, 2, 3, 5, expected.len().max(1), expected.len() + 1, 1_000] {
            for second in [true, false] {
                let (all, count) = pages(house, &arguments, size, second).await;
                assert_eq!(all, expected, "{arguments} by {size}");
                assert_eq!(count, expected.len().div_ceil(size).max(1), "{arguments} by {size}");
            }
        }
    }
}

/// Sends these requests over a few connections, each of them full at once.
async fn send_all(house: &House, wires: Vec<Wire>) {
    let lots: Vec<&[Wire]> = wires.chunks(wires.len().div_ceil(16).max(1)).collect();
    join_all(lots.into_iter().map(|lot| async move {
        let bytes: Vec<u8> = (1..).zip(lot).flat_map(|(at, wire)| wire.bytes(at == lot.len())).collect();
        let mut connection = house.connection().await;
        connection.try_send(&bytes).await;
        let answers = connection.answers(&lot.iter().collect::<Vec<_>>()).await;
        assert_eq!(answers.len(), lot.len());
        for answer in answers {
            answer.is(200);
        }
    }))
    .await;
}

async fn two_and_a_half_thousand_keys_are_listed_page_by_page(house: &mut House) {
    let keys: BTreeSet<String> =
        (0..2_500).map(|n| format!("{}/{:04}", ["one", "two", "ü"][n % 3], n * 7 % 2_500)).collect();
    let wires =
        keys.iter().map(|key| house.put(&format!("/bucket/{}", encoded(key.as_bytes(), false))).body("x"));
    send_all(house, wires.map(crate::client::Ask::ready).collect()).await;
    let expected = by_hand(keys.iter().map(String::as_str), "", "");
    assert_eq!(expected.len(), 2_500);
    for (size, second) in [(1_000, true), (1_000, false), (7, true), (7, false), (1, true)] {
        let (all, count) = pages(house, "", size, second).await;
        assert!(all == expected, "by {size}: {} instead of {}", all.len(), expected.len());
        assert_eq!(count, 2_500_usize.div_ceil(size));
    }
    // More than fits is what fits.
    let answer = house.get("/bucket?list-type=2&max-keys=2000").await.is(200);
    assert_eq!(
        (answer.find("KeyCount").as_deref(), answer.find("MaxKeys").as_deref()),
        (Some("1000"), Some("1000"))
    );
    assert_eq!(answer.find("IsTruncated").as_deref(), Some("true"));
    let answer = house.get("/bucket").await.is(200);
    assert_eq!((rows(&answer, "Contents").len(), answer.find("MaxKeys").as_deref()), (1_000, Some("1000")));
    let grouped = house.get("/bucket?list-type=2&delimiter=/&encoding-type=url").await.is(200);
    assert_eq!(shown(&grouped), ["one/", "two/", "ü/"].map(|prefix| Shown::Prefix(prefix.to_owned())));
}

async fn a_page_says_how_it_was_asked_for(house: &mut House) {
    store(house, ["a/1", "a/2", "b/1", "c"]).await;
    let first = house.get("/bucket?prefix=&delimiter=/&max-keys=2&marker=a&encoding-type=url").await.is(200);
    for (name, value) in [
        ("Name", "bucket"),
        ("Marker", "a"),
        ("MaxKeys", "2"),
        ("Delimiter", "/"),
        ("IsTruncated", "true"),
        ("NextMarker", "b/"),
        ("EncodingType", "url"),
    ] {
        assert_eq!(first.find(name).as_deref(), Some(value), "{name}: {}", first.text());
    }
    assert!(
        first.text().contains("<Prefix></Prefix>") || first.text().contains("<Prefix/>"),
        "{}",
        first.text()
    );
    assert!(first.text().contains("<ListBucketResult"), "{}", first.text());
    let second =
        house.get("/bucket?list-type=2&prefix=a/&max-keys=1&start-after=a/1&fetch-owner=true").await.is(200);
    for (name, value) in [
        ("Name", "bucket"),
        ("Prefix", "a/"),
        ("StartAfter", "a/1"),
        ("MaxKeys", "1"),
        ("KeyCount", "1"),
        ("IsTruncated", "false"),
        ("Key", "a/2"),
    ] {
        assert_eq!(second.find(name).as_deref(), Some(value), "{name}: {}", second.text());
    }
    let (delimiter, encoding) = (second.find("Delimiter"), second.find("EncodingType"));
    assert_eq!((delimiter, encoding, second.find("ContinuationToken")), (None, None, None));
    // A token counts before a start, and is told again.
    let page = house.get("/bucket?list-type=2&max-keys=1").await.is(200);
    let token = page.find("NextContinuationToken").expect("a token");
    let target =
        format!("/bucket?list-type=2&max-keys=1&continuation-token={}&start-after=b", argument(&token));
    let next = house.get(&target).await.is(200);
    assert_eq!(next.find("Key").as_deref(), Some("a/2"));
    assert_eq!(
        (next.find("ContinuationToken"), next.find("StartAfter")),
        (Some(token), Some("b".to_owned()))
    );
}

async fn a_row_says_what_its_object_is(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    let id = house.key.id.clone();
    let owned = [id.as_str(), "key", etag("bytes").as_str(), "5", "STANDARD"].map(str::to_owned);
    let names = ["ID", "Key", "ETag", "Size", "StorageClass"];
    let first = house.get("/bucket").await.is(200);
    assert_eq!(table(&first, "Contents", names), std::slice::from_ref(&owned));
    let modified = first.find("LastModified").expect("a time");
    assert_eq!(
        (modified.len(), &modified[10..11], &modified[19..20], &modified[23..]),
        (24, "T", ".", "Z"),
        "{modified}"
    );
    let second = house.get("/bucket?list-type=2&fetch-owner=true").await.is(200);
    assert_eq!(table(&second, "Contents", names), [owned]);
    for silent in ["", "&fetch-owner=false"] {
        let answer = house.get(&format!("/bucket?list-type=2{silent}")).await.is(200);
        assert_eq!(answer.find("Owner"), None);
    }
}

async fn a_page_begins_behind_its_marker(house: &mut House) {
    store(house, KEYS).await;
    let mut markers: Vec<String> = KEYS.map(str::to_owned).to_vec();
    markers.extend(["", "a/", "a/0", "a/b/", "aa", "zz", "\u{10FFFF}y", "e/", "ü"].map(str::to_owned));
    for marker in markers {
        for prefix in ["", "a/", "e/"] {
            let expected: Vec<Shown> =
                by_hand(KEYS, prefix, "").into_iter().filter(|row| row.name() > marker.as_str()).collect();
            let arguments = format!("prefix={}&encoding-type=url", argument(prefix));
            let marker = argument(&marker);
            let answer = house.get(&format!("/bucket?{arguments}&marker={marker}")).await.is(200);
            assert_eq!(shown(&answer), expected, "behind {marker}");
            let answer =
                house.get(&format!("/bucket?list-type=2&{arguments}&start-after={marker}")).await.is(200);
            assert_eq!(shown(&answer), expected, "behind {marker}");
        }
    }
    // A prefix that was shown is not shown again.
    for marker in ["a/", "b/", "e/", "ü/"] {
        let expected: Vec<Shown> =
            by_hand(KEYS, "", "/").into_iter().filter(|row| row.name() > marker).collect();
        let marker = argument(marker);
        let answer =
            house.get(&format!("/bucket?delimiter=/&encoding-type=url&marker={marker}")).await.is(200);
        assert_eq!(shown(&answer), expected, "behind {marker}");
    }
}

async fn the_size_of_a_page_is_a_number(house: &mut House) {
    store(house, ["a", "b"]).await;
    for call in ["", "list-type=2&", "versions&"] {
        let none = house.get(&format!("/bucket?{call}max-keys=0")).await.is(200);
        assert_eq!(
            (none.find("IsTruncated").as_deref(), none.find("MaxKeys").as_deref()),
            (Some("false"), Some("0"))
        );
        assert_eq!(none.find("Key"), None);
        let one = house.get(&format!("/bucket?{call}max-keys=1")).await.is(200);
        assert_eq!((one.find("IsTruncated").as_deref(), one.all("Key").len()), (Some("true"), 1));
        for bad in ["-1", "x", "1.5", "2147483648", "99999999999999999999", "1e3", "0x1"] {
            house.get(&format!("/bucket?{call}max-keys={bad}")).await.refused(400, "InvalidArgument");
        }
    }
    let uploads = house.get("/bucket?uploads&max-uploads=0").await.is(200);
    assert_eq!(uploads.find("IsTruncated").as_deref(), Some("false"));
    for bad in ["-1", "x", "1.5"] {
        house.get(&format!("/bucket?uploads&max-uploads={bad}")).await.refused(400, "InvalidArgument");
    }
}

async fn names_are_encoded_for_those_who_ask(house: &mut House) {
    let keys = ["foo+1/bar", "foo/bar/xyzzy", "quux ab/thud", "asdf+b", "a\u{1}b", "ü&<>"];
    store(house, keys).await;
    for call in ["", "list-type=2&"] {
        let answer = house.get(&format!("/bucket?{call}encoding-type=url&delimiter=/&prefix=")).await.is(200);
        assert_eq!(answer.find("EncodingType").as_deref(), Some("url"));
        assert_eq!(answer.all("Key"), ["a%01b", "asdf%2Bb", "%C3%BC%26%3C%3E"]);
        let prefixes: Vec<String> = table(&answer, "CommonPrefixes", ["Prefix"]).concat();
        assert_eq!(prefixes, ["foo%2B1/", "foo/", "quux%20ab/"]);
    }
    let answer = house.get("/bucket?encoding-type=url&prefix=quux%20&delimiter=%20&marker=%2B").await.is(200);
    let told = ["Prefix", "Delimiter", "Marker"].map(|name| answer.find(name).map(|text| plain(&text)));
    assert_eq!(told, ["quux ", " ", "+"].map(|text| Some(text.to_owned())));
    let answer = house.get("/bucket?list-type=2&encoding-type=url&start-after=a%2Bb%20c").await.is(200);
    assert_eq!(answer.find("StartAfter").map(|text| plain(&text)).as_deref(), Some("a+b c"));
    // Without it names stand as they are, as far as XML can say them.
    let answer = house.get("/bucket?list-type=2&prefix=quux").await.is(200);
    assert_eq!(answer.all("Key"), ["quux ab/thud"]);
    let answer = house.get("/bucket?list-type=2&prefix=%C3%BC").await.is(200);
    assert_eq!(answer.all("Key"), ["ü&<>"]);
}

async fn an_argument_that_means_nothing_is_refused(house: &mut House) {
    for target in [
        "/bucket?encoding-type=base64",
        "/bucket?list-type=2&encoding-type=base64",
        "/bucket?versions&encoding-type=x",
        "/bucket?uploads&encoding-type=x",
        "/bucket?list-type=2&continuation-token=%21%21",
        "/bucket?versions&version-id-marker=00000000000000000000000000000001",
        "/bucket?versions&key-marker=a&version-id-marker=nonsense",
        "/bucket?uploads&key-marker=a&upload-id-marker=nonsense",
    ] {
        let refused = house.get(target).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "InvalidArgument"),
            "{target}: {}",
            refused.text()
        );
    }
}

async fn names_list_in_the_order_of_their_bytes(house: &mut House) {
    // In the order of UTF-16 the last two would change places.
    let ordered = ["A", "Z", "_", "a", "a\u{301}", "b", "z", "\u{E1}", "\u{FF5E}", "\u{1F980}"];
    let mut shuffled = ordered;
    shuffled.reverse();
    store(house, shuffled).await;
    for call in ["", "list-type=2", "versions"] {
        assert_eq!(house.get(&format!("/bucket?{call}")).await.is(200).all("Key"), ordered, "{call}");
    }
    for key in shuffled {
        Upload::begin(house, &format!("/bucket/{}", encoded(key.as_bytes(), false))).await;
    }
    assert_eq!(house.get("/bucket?uploads").await.is(200).all("Key"), ordered);
}

async fn a_deleted_object_is_not_listed(house: &mut House) {
    store(house, ["a/1", "a/2", "b/1", "c"]).await;
    house.delete("/bucket/b/1").await.is(204);
    house.delete("/bucket/c").await.is(204);
    let answer = house.get("/bucket?delimiter=/&encoding-type=url").await.is(200);
    assert_eq!(shown(&answer), [Shown::Prefix("a/".to_owned())]);
    assert_eq!(house.get("/bucket?versions").await.is(200).all("Key"), ["a/1", "a/2"]);
    versioning(house, "bucket", "Enabled").await;
    house.delete("/bucket/a/1").await.is(204);
    house.delete("/bucket/a/2").await.is(204);
    let answer = house.get("/bucket?delimiter=/&encoding-type=url").await.is(200);
    assert_eq!(shown(&answer), []);
    let answer = house.get("/bucket?versions&delimiter=/").await.is(200);
    assert_eq!(table(&answer, "CommonPrefixes", ["Prefix"]).concat(), ["a/"]);
}

/// A bucket of versions and markers: key, id and whether it is a marker, as they must be listed.
async fn versions(house: &House) -> Vec<(String, String, bool)> {
    versioning(house, "bucket", "Enabled").await;
    let mut of: BTreeMap<&str, Vec<(String, bool)>> = BTreeMap::new();
    let steps = [
        "c", "a/1", "b", "a/1", "-a/1", "c", "b", "a/2", "-c", "c", "-never", "a/1", "b", "b", "ü", "-ü",
        "a/1",
    ];
    for (at, step) in steps.into_iter().enumerate() {
        let (key, delete) = step.strip_prefix('-').map_or((step, false), |key| (key, true));
        let target = format!("/bucket/{}", encoded(key.as_bytes(), false));
        let answer = match delete {
            true => house.delete(&target).await.is(204),
            false => house.put(&target).body(format!("{at}")).await.is(200),
        };
        of.entry(key).or_default().insert(0, (answer.need("x-amz-version-id").to_owned(), delete));
    }
    let rows = of.into_iter().flat_map(|(key, versions)| {
        versions.into_iter().map(move |(id, marker)| (key.to_owned(), id, marker))
    });
    rows.collect()
}

/// Versions and markers, each with its key and id.
type Apart = (Vec<(String, String)>, Vec<(String, String)>);

/// The rows of one answer. Versions and markers come in one order, but XML may tell them apart in two lists.
fn told(answer: &Answer) -> Apart {
    let of = |name: &str| {
        let rows = table(answer, name, ["Key", "VersionId"]);
        rows.into_iter().map(|[key, id]| (plain(&key), id)).collect::<Vec<_>>()
    };
    (of("Version"), of("DeleteMarker"))
}

fn apart(rows: &[(String, String, bool)]) -> Apart {
    let of = |wanted: bool| {
        let rows = rows.iter().filter(move |(_, _, marker)| *marker == wanted);
        rows.map(|(key, id, _)| (key.clone(), id.clone())).collect()
    };
    (of(false), of(true))
}

async fn versions_list_the_newest_first(house: &mut House) {
    let expected = versions(house).await;
    let answer = house.get("/bucket?versions").await.is(200);
    assert!(answer.text().contains("<ListVersionsResult"), "{}", answer.text());
    assert_eq!(told(&answer), apart(&expected));
    let mut latest = BTreeMap::new();
    for (key, id, _) in expected.iter().rev() {
        latest.insert(key.clone(), id.clone());
    }
    for name in ["Version", "DeleteMarker"] {
        for [key, id, is_latest] in table(&answer, name, ["Key", "VersionId", "IsLatest"]) {
            assert_eq!(is_latest, (latest.get(&key) == Some(&id)).to_string(), "{key} {id}");
        }
    }
    let first = &rows(&answer, "Version")[0];
    let newest = ["Size", "StorageClass", "ETag"].map(|name| field(first, name));
    assert_eq!(newest, ["2", "STANDARD", &etag("16")].map(str::to_owned));
    assert_eq!(field(first, "ID"), house.key.id);
    assert_eq!(answer.find("Name").as_deref(), Some("bucket"));
}

async fn versions_are_listed_page_by_page(house: &mut House) {
    let expected = versions(house).await;
    for size in [1, 2, 3, 7, expected.len(), expected.len() + 1] {
        let (mut versions, mut markers, mut count, mut behind) = (Vec::new(), Vec::new(), 0, String::new());
        loop {
            let answer = house.get(&format!("/bucket?versions&max-keys={size}{behind}")).await.is(200);
            let (more_versions, more_markers) = told(&answer);
            assert!(more_versions.len() + more_markers.len() <= size);
            versions.extend(more_versions);
            markers.extend(more_markers);
            count += 1;
            if answer.find("IsTruncated").as_deref() != Some("true") {
                break;
            }
            let key = argument(&answer.find("NextKeyMarker").expect("a key"));
            let id = argument(&answer.find("NextVersionIdMarker").expect("a version"));
            behind = format!("&key-marker={key}&version-id-marker={id}");
            assert!(count < 100);
        }
        assert_eq!((versions, markers), apart(&expected), "by {size}");
        assert_eq!(count, expected.len().div_ceil(size));
    }
}

async fn a_page_of_versions_goes_on_where_it_says(house: &mut House) {
    let expected = versions(house).await;
    for (at, (key, id, _)) in expected.iter().enumerate() {
        let key_argument = argument(key);
        let behind = house.get(&format!("/bucket?versions&key-marker={key_argument}&version-id-marker={id}"));
        assert_eq!(told(&behind.await.is(200)), apart(&expected[at + 1..]), "behind {key} {id}");
        // A key alone is passed over with all its versions.
        let rest: Vec<_> = expected.iter().filter(|(other, _, _)| other > key).cloned().collect();
        let behind = house.get(&format!("/bucket?versions&key-marker={key_argument}"));
        assert_eq!(told(&behind.await.is(200)), apart(&rest), "behind {key}");
    }
}

async fn versions_are_grouped_like_objects(house: &mut House) {
    let expected = versions(house).await;
    let answer = house.get("/bucket?versions&delimiter=/&encoding-type=url").await.is(200);
    let rest: Vec<_> = expected.iter().filter(|(key, _, _)| !key.contains('/')).cloned().collect();
    assert_eq!(told(&answer), apart(&rest));
    assert_eq!(table(&answer, "CommonPrefixes", ["Prefix"]).concat(), ["a/"]);
    let answer = house.get("/bucket?versions&prefix=a/&delimiter=/").await.is(200);
    let rest: Vec<_> = expected.iter().filter(|(key, _, _)| key.starts_with("a/")).cloned().collect();
    assert_eq!(told(&answer), apart(&rest));
    // A prefix counts as one row of a page.
    let (mut seen, mut behind) = (Vec::new(), String::new());
    for _ in 0..100 {
        let target = format!("/bucket?versions&delimiter=/&max-keys=1{behind}");
        let answer = house.get(&target).await.is(200);
        seen.extend(table(&answer, "CommonPrefixes", ["Prefix"]).concat());
        seen.extend(answer.all("VersionId"));
        if answer.find("IsTruncated").as_deref() != Some("true") {
            break;
        }
        behind = format!("&key-marker={}", argument(&answer.find("NextKeyMarker").expect("a key")));
        if let Some(id) = answer.find("NextVersionIdMarker").filter(|id| !id.is_empty()) {
            behind += &format!("&version-id-marker={id}");
        }
    }
    let ids = expected.iter().filter(|(key, _, _)| !key.contains('/')).map(|(_, id, _)| id.clone());
    let mut all = vec!["a/".to_owned()];
    all.extend(ids);
    assert_eq!(seen, all);
}

/// Uploads under way: key and id in the order of the listing.
async fn uploads(house: &House) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for key in ["b", "a/1", "c", "a/2", "b", "a/1", "b", "d+ü"] {
        house.advance(std::time::Duration::from_millis(1));
        let upload = Upload::begin(house, &format!("/bucket/{}", encoded(key.as_bytes(), false))).await;
        all.push((key.to_owned(), upload.id));
    }
    all.sort_by(|one, two| one.0.cmp(&two.0));
    all
}

fn told_uploads(answer: &Answer) -> Vec<(String, String)> {
    let rows = table(answer, "Upload", ["Key", "UploadId"]);
    rows.into_iter().map(|[key, id]| (key, id)).collect()
}

async fn uploads_are_listed_by_key_and_age(house: &mut House) {
    let expected = uploads(house).await;
    let answer = house.get("/bucket?uploads").await.is(200);
    assert_eq!(told_uploads(&answer), expected);
    assert!(answer.text().contains("<ListMultipartUploadsResult"), "{}", answer.text());
    for (name, value) in
        [("Bucket", "bucket"), ("MaxUploads", "1000"), ("IsTruncated", "false"), ("StorageClass", "STANDARD")]
    {
        assert_eq!(answer.find(name).as_deref(), Some(value), "{name}");
    }
    let initiators = table(&answer, "Initiator", ["ID"]).concat();
    assert!(initiators.iter().all(|id| *id == house.key.id), "{initiators:?}");
    assert_eq!(answer.all("Initiated").len(), expected.len());
    let answer = house.get("/bucket?uploads&prefix=a/").await.is(200);
    assert_eq!(told_uploads(&answer), expected[..3]);
    let answer = house.get("/bucket?uploads&encoding-type=url&prefix=d%2B").await.is(200);
    assert_eq!(answer.all("Key"), ["d%2B%C3%BC"]);
    // What is completed or given up is not under way.
    let (key, id) = &expected[0];
    house.delete(&format!("/bucket/{key}?uploadId={id}")).await.is(204);
    let (key, id) = &expected[1];
    let upload = Upload { house, target: format!("/bucket/{key}"), id: id.clone() };
    let part = upload.part(1, "bytes").await;
    upload.complete(&[(1, &part)]).await.is(200);
    assert_eq!(told_uploads(&house.get("/bucket?uploads").await.is(200)), expected[2..]);
}

async fn uploads_are_listed_page_by_page(house: &mut House) {
    let expected = uploads(house).await;
    for size in [1, 2, 3, 7, 8, 9] {
        let (mut all, mut count, mut behind) = (Vec::new(), 0, String::new());
        loop {
            let answer = house.get(&format!("/bucket?uploads&max-uploads={size}{behind}")).await.is(200);
            all.extend(told_uploads(&answer));
            count += 1;
            if answer.find("IsTruncated").as_deref() != Some("true") {
                break;
            }
            let key = argument(&answer.find("NextKeyMarker").expect("a key"));
            let id = answer.find("NextUploadIdMarker").expect("an upload");
            behind = format!("&key-marker={key}&upload-id-marker={id}");
            assert!(count < 100);
        }
        assert_eq!(all, expected, "by {size}");
        assert_eq!(count, expected.len().div_ceil(size));
    }
    let answer = house.get("/bucket?uploads&key-marker=b").await.is(200);
    assert_eq!(told_uploads(&answer), expected[6..]);
    // Without a key, an upload's id says nothing.
    let target = format!("/bucket?uploads&upload-id-marker={}", expected[4].1);
    assert_eq!(told_uploads(&house.get(&target).await.is(200)), expected);
}

async fn uploads_are_grouped_like_objects(house: &mut House) {
    let expected = uploads(house).await;
    let answer = house.get("/bucket?uploads&delimiter=/").await.is(200);
    assert_eq!(told_uploads(&answer), expected[3..]);
    assert_eq!(table(&answer, "CommonPrefixes", ["Prefix"]).concat(), ["a/"]);
    assert_eq!(answer.find("Delimiter").as_deref(), Some("/"));
    let answer = house.get("/bucket?uploads&delimiter=/&max-uploads=1").await.is(200);
    assert_eq!(table(&answer, "CommonPrefixes", ["Prefix"]).concat(), ["a/"]);
    assert_eq!((told_uploads(&answer).len(), answer.find("IsTruncated").as_deref()), (0, Some("true")));
    let next = argument(&answer.find("NextKeyMarker").expect("a key"));
    let answer = house.get(&format!("/bucket?uploads&delimiter=/&key-marker={next}")).await.is(200);
    assert_eq!(told_uploads(&answer), expected[3..]);
}
