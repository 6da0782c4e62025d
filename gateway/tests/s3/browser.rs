//! A real browser: a page of another origin uploads and reads what the bucket's rules let it, and nothing else.
//!
//! The page comes from a server of this test on loopback. It tries everything, and tells the server what came of it.

use crate::calls::content_md5;
use crate::client::Ask;
use crate::house::House;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const MINUTE: Duration = Duration::from_secs(60);

/// What the page does. `PLAN` becomes the addresses.
const PAGE: &str = r#"<!DOCTYPE html><title>a page of another site</title><script>
const plan = PLAN;
async function tried(ask) {
  try {
    const answer = await ask();
    return { status: answer.status, text: await answer.text(), etag: answer.headers.get("etag"),
             request: answer.headers.get("x-amz-request-id") };
  } catch (error) { return { refused: error.name }; }
}
async function all() {
  const told = {};
  told.put = await tried(() => fetch(plan.put, { method: "PUT", body: "from a page", headers: { "content-type": "text/x-page" } }));
  told.get = await tried(() => fetch(plan.get));
  told.missing = await tried(() => fetch(plan.missing));
  const form = new FormData();
  for (const [name, value] of plan.fields) form.append(name, value);
  form.append("file", new Blob(["from a form"]), "a.txt");
  told.post = await tried(() => fetch(plan.post, { method: "POST", body: form }));
  told.remove = await tried(() => fetch(plan.remove, { method: "DELETE" }));
  told.header = await tried(() => fetch(plan.put, { method: "PUT", body: "spoiled", headers: { "x-other": "1" } }));
  told.elsewhere = await tried(() => fetch(plan.elsewhere));
  told.elsewherePut = await tried(() => fetch(plan.elsewherePut, { method: "PUT", body: "spoiled" }));
  await fetch("/told", { method: "POST", body: JSON.stringify(told) });
}
all();
</script>"#;

#[tokio::test]
async fn a_page_in_a_browser_does_what_the_rules_let_it() {
    crate::house::run(metadata::Engine::Sqlite, testkit::Store::Local, a_page_of_another_site).await;
}

async fn a_page_of_another_site(house: &mut House) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let rules = format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
         <AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedHeader>content-type</AllowedHeader>\
         <ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>"
    );
    house.put("/bucket?cors").header("Content-MD5", content_md5(&rules)).body(rules).await.is(200);
    let url = |ask: Ask| format!("http://{}{}", house.address(), ask.presigned(MINUTE).ready().target);
    let mut fields =
        vec![("key".to_owned(), "form".to_owned()), ("success_action_status".to_owned(), "201".to_owned())];
    let conditions = r#"{"bucket":"bucket"},{"key":"form"},{"success_action_status":"201"}"#;
    fields.extend(house.signer().form(conditions, MINUTE));
    let plan = json!({
        "put": url(house.put("/bucket/page")), "get": url(house.get("/bucket/page")), "missing": url(house.get("/bucket/none")),
        "post": format!("http://{}/bucket", house.address()), "fields": fields, "remove": url(house.delete("/bucket/page")),
        "elsewhere": url(house.get("/other/witness")), "elsewherePut": url(house.put("/other/witness")),
    });
    let told = browse(listener, &origin, PAGE.replace("PLAN", &plan.to_string())).await;

    assert_eq!(told["put"]["status"], 200, "{told}");
    assert_eq!(
        (&told["get"]["status"], &told["get"]["text"]),
        (&json!(200), &json!("from a page")),
        "{told}"
    );
    assert_eq!(told["get"]["etag"], json!(crate::calls::etag("from a page")), "it is exposed");
    assert_eq!(told["get"]["request"], Value::Null, "it is not exposed");
    assert_eq!(told["missing"]["status"], 404, "{told}");
    assert!(
        told["missing"]["text"].as_str().expect("text").contains("NoSuchKey"),
        "a page reads refusals, too"
    );
    assert_eq!(told["post"]["status"], 201, "{told}");
    for refused in ["remove", "header", "elsewhere", "elsewherePut"] {
        assert_eq!(told[refused]["refused"], "TypeError", "{refused}: {told}");
    }
    let page = house.get("/bucket/page").await.is(200).brings("from a page");
    assert_eq!(page.need("content-type"), "text/x-page");
    house.get("/bucket/form").await.is(200).brings("from a form");
    house.get("/other/witness").await.is(200).brings(crate::house::WITNESS);
}

/// Shows the page to a browser and gives what it told.
async fn browse(listener: TcpListener, origin: &str, page: String) -> Value {
    let own = tempfile::tempdir().expect("a directory");
    let mut browser = Command::new(browser())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
        ])
        .arg(format!("--user-data-dir={}", own.path().display()))
        .arg(format!("{origin}/"))
        .env("HOME", own.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the browser starts");
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let serving = tokio::spawn(async move {
        // A browser opens connections that it may never use, so each is served apart.
        while let Ok((stream, _)) = listener.accept().await {
            let (tell, page) = (tell.clone(), page.clone());
            tokio::spawn(async move {
                if let Some(what) = show(stream, &page).await {
                    let _ = tell.send(what).await;
                }
            });
        }
    });
    let told = tokio::time::timeout(2 * MINUTE, told.recv()).await;
    serving.abort();
    browser.kill().await.expect("the browser ends");
    let told = told.expect("the page has told in time").expect("it tells once");
    serde_json::from_slice(&told).expect("JSON")
}

/// Answers one request; what the page tells is given back.
async fn show(mut stream: TcpStream, page: &str) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let end = loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let length: usize = length.unwrap_or(0);
    while request.len() < end + length {
        let read = stream.read_buf(&mut request).await.expect("the page tells all of it");
        assert_ne!(read, 0, "the page tells all of it");
    }
    let (status, body) = match &head {
        head if head.starts_with("get / ") => ("200 OK", page),
        head if head.starts_with("post /told ") => ("200 OK", ""),
        _ => ("404 Not Found", ""),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    head.starts_with("post /told ").then(|| request[end..].to_vec())
}

/// The browser of this machine: `scripts/test` brings one.
fn browser() -> PathBuf {
    const NAMES: [&str; 4] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").expect("a PATH");
    let mut all = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    all.find(|file| file.is_file()).expect("a headless browser; `apt-get install chromium` brings one")
}
