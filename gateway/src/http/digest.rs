//! `Authorization: Digest` (RFC 7616, and RFC 2617 before it): reading it, and what proves a secret. Pure: which nonces
//! and realms are good, and whose the secret is, is decided elsewhere.
//!
//! One quality of protection is spoken, `auth`: the digest covers method and target, the counted use of a nonce, and not
//! the body. The older form without `qop` has no count, so a recorded request could be sent again; it is refused.

use super::credentials::BadCredentials;
use http::Uri;
use md5::Md5;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What a client calculated from a secret; nothing is checked yet.
pub struct DigestCredentials {
    /// The key's name: not empty, no control characters.
    pub key: String,
    /// The realm that the client answers to.
    pub realm: String,
    /// The nonce that the client answers to.
    pub nonce: String,
    /// Which use of the nonce this is, as the client counts.
    pub count: u32,
    algorithm: Algorithm,
    uri: String,
    /// The count as it was written: it goes into the digest in this form.
    nc: String,
    cnonce: String,
    response: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        [("MD5", Algorithm::Md5), ("SHA-256", Algorithm::Sha256)]
            .into_iter()
            .find_map(|(known, algorithm)| known.eq_ignore_ascii_case(name).then_some(algorithm))
    }

    /// The hash of `parts`, with a colon between each two of them.
    fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        let text = parts.join(&b':');
        match self {
            Algorithm::Md5 => <Md5 as md5::Digest>::digest(&text).to_vec(),
            Algorithm::Sha256 => <Sha256 as sha2::Digest>::digest(&text).to_vec(),
        }
    }

    const fn digits(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha256 => 64,
        }
    }
}

impl DigestCredentials {
    /// Whether the value of an `Authorization` header is of this scheme.
    pub fn is_digest(header: &[u8]) -> bool {
        scheme_and_rest(header).0.eq_ignore_ascii_case(b"digest")
    }

    /// Reads the value of an `Authorization` header of this scheme.
    ///
    /// # Errors
    /// Another scheme, parameters that are missing, there twice or malformed, another algorithm than MD5 and SHA-256, or
    /// another quality of protection than `auth`.
    pub fn parse(header: &[u8]) -> Result<Self, BadCredentials> {
        let (scheme, rest) = scheme_and_rest(header);
        if !scheme.eq_ignore_ascii_case(b"digest") {
            return Err(BadCredentials::Digest("the scheme Digest"));
        }
        let rest = std::str::from_utf8(rest).map_err(|_| BadCredentials::Utf8)?;
        let mut parameters = Parameters::read(rest)
            .ok_or(BadCredentials::Digest("parameters of the form name=value, each once"))?;
        let mut need =
            |name: &str, what: &'static str| parameters.take(name).ok_or(BadCredentials::Digest(what));
        let key = need("username", "a username")?;
        let realm = need("realm", "a realm")?;
        let nonce = need("nonce", "a nonce")?;
        let uri = need("uri", "a uri")?;
        let nc = need("nc", "a count nc")?;
        let cnonce = need("cnonce", "a cnonce")?;
        let response = need("response", "a response")?;
        let qop = need("qop", "the quality of protection qop=auth")?;
        let algorithm = parameters.take("algorithm");
        let algorithm = Algorithm::named(algorithm.as_deref().unwrap_or("MD5"))
            .ok_or(BadCredentials::Digest("the algorithm MD5 or SHA-256"))?;
        if !qop.eq_ignore_ascii_case("auth") {
            return Err(BadCredentials::Digest("the quality of protection qop=auth"));
        }
        if parameters.take("userhash").is_some_and(|hashed| !hashed.eq_ignore_ascii_case("false")) {
            return Err(BadCredentials::Digest("a username that is not hashed"));
        }
        if key.is_empty() || key.contains(char::is_control) {
            return Err(BadCredentials::Form);
        }
        let count = hexadecimal(&nc, 8).and_then(|_| u32::from_str_radix(&nc, 16).ok());
        let count = count.ok_or(BadCredentials::Digest("a count nc of 8 hexadecimal digits"))?;
        let response = hexadecimal(&response, algorithm.digits())
            .ok_or(BadCredentials::Digest("a response as long as the algorithm's"))?;
        Ok(DigestCredentials { key, realm, nonce, count, algorithm, uri, nc, cnonce, response })
    }

    /// Whether the digest was calculated from `secret`, for a request with this method. Compares in a time that does not
    /// tell where they differ.
    pub fn proves(&self, method: &str, secret: &[u8]) -> bool {
        let hash = |parts: &[&[u8]]| hex(&self.algorithm.hash(parts));
        let a1 = hash(&[self.key.as_bytes(), self.realm.as_bytes(), secret]);
        let a2 = hash(&[method.as_bytes(), self.uri.as_bytes()]);
        let [a1, a2, nonce, nc, cnonce] =
            [&a1, &a2, &self.nonce, &self.nc, &self.cnonce].map(|text| text.as_bytes());
        self.algorithm.hash(&[a1, nonce, nc, cnonce, b"auth", a2]).ct_eq(&self.response).into()
    }

    /// Whether the digest is of exactly this request target: a path with its arguments, byte for byte, or the whole URL
    /// where that was sent.
    pub fn is_for(&self, target: &Uri) -> bool {
        let path = target.path_and_query().map_or("", |path| path.as_str());
        self.uri == path || (target.scheme().is_some() && target.to_string() == self.uri)
    }
}

fn scheme_and_rest(header: &[u8]) -> (&[u8], &[u8]) {
    let header = header.trim_ascii();
    let end = header.iter().position(u8::is_ascii_whitespace).unwrap_or(header.len());
    (&header[..end], header[end..].trim_ascii_start())
}

/// The bytes that exactly so many hexadecimal digits stand for.
fn hexadecimal(text: &str, digits: usize) -> Option<Vec<u8>> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameters behind the scheme: names in lower case, values without their quotes.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `None` if they are malformed, or if one is there twice: something in front of us may have looked at the other.
    fn read(mut text: &str) -> Option<Self> {
        let mut found: Vec<(String, String)> = Vec::new();
        loop {
            text = text.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
            if text.is_empty() {
                return Some(Parameters(found));
            }
            let (name, rest) = text.split_once('=')?;
            let name = name.trim_ascii_end().to_ascii_lowercase();
            let token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
            if name.is_empty() || !name.bytes().all(token) || found.iter().any(|(known, _)| *known == name) {
                return None;
            }
            let (value, rest) = value(rest.trim_ascii_start())?;
            let rest = rest.trim_ascii_start();
            if !(rest.is_empty() || rest.starts_with(',')) {
                return None;
            }
            found.push((name, value));
            text = rest;
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// The value at the start of `text`, quoted or not, and what stands behind it. A quoted one that does not end is none.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end =
            text.find(|c: char| matches!(c, ',' | '"') || c.is_ascii_whitespace()).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_2617: &str = r#"Digest username="Mufasa", realm="testrealm@host.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",
        response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    const RFC_7616_MD5: &str = r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html",
        algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
        response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
    const RFC_7616_SHA_256: &str = r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html",
        algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
        response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

    fn parse(header: &str) -> Result<DigestCredentials, BadCredentials> {
        DigestCredentials::parse(header.as_bytes())
    }

    #[test]
    fn the_examples_of_the_rfcs_prove_their_secret() {
        for (header, secret) in [
            (RFC_2617, "Circle Of Life"),
            (RFC_7616_MD5, "Circle of Life"),
            (RFC_7616_SHA_256, "Circle of Life"),
        ] {
            assert!(DigestCredentials::is_digest(header.as_bytes()));
            let digest = parse(header).unwrap();
            assert_eq!((digest.key.as_str(), digest.count), ("Mufasa", 1));
            assert!(digest.proves("GET", secret.as_bytes()), "{header}");
            assert!(!digest.proves("GET", b"circle of life") && !digest.proves("GET", b""));
            assert!(!digest.proves("DELETE", secret.as_bytes()), "the method is part of it");
        }
    }

    #[test]
    fn each_part_of_the_digest_counts() {
        for (is, other) in [
            ("Mufasa", "Scar"),
            ("http-auth@example.org", "https-auth@example.org"),
            ("/dir/index.html", "/dir/index.htm"),
            ("7ypf", "8ypf"),
            ("00000001", "00000002"),
            ("f2/wE4", "f3/wE4"),
            ("8ca523", "8ca524"),
        ] {
            let changed = RFC_7616_MD5.replace(is, other);
            assert!(!parse(&changed).unwrap().proves("GET", b"Circle of Life"), "{other}");
        }
    }

    #[test]
    fn it_is_read_as_clients_write_it() {
        let plain = "digest  Username = \"a\\\"b\\\\c, d=e\" ,realm=\"\",nonce=n,uri=\"/x?a=1,2\",, NC=0000000A,cnonce=\"\",\
                     qop=\"auth\",response=\"00112233445566778899AABBCCDDEEFF\",algorithm=\"md5\",userhash=false,x*=y";
        let digest = parse(plain).unwrap();
        assert_eq!(digest.key, "a\"b\\c, d=e");
        assert_eq!((digest.realm.as_str(), digest.nonce.as_str(), digest.count), ("", "n", 10));
        assert_eq!(digest.response[..2], [0x00, 0x11]);
        assert_eq!(digest.uri, "/x?a=1,2");
    }

    #[test]
    fn anything_else_is_refused() {
        for (is, other) in [
            ("Digest ", "Basic "),
            ("Digest ", "Digest, qop=auth,"),
            ("qop=auth", "qop=auth-int"),
            ("qop=auth", "qop"),
            ("qop=auth", "qop=auth qop=auth"),
            ("qop=auth,", ""),
            ("username=\"Mufasa\",", ""),
            ("username=\"Mufasa\"", "username=\"\""),
            ("username=\"Mufasa\"", "username=\"Mu\u{7}fasa\""),
            ("username=\"Mufasa\"", "username*=UTF-8''Mufasa"),
            ("username=\"Mufasa\"", "username=\"Mufasa\", userhash=true"),
            ("nc=00000001", "nc=0000001"),
            ("nc=00000001", "nc=+0000001"),
            ("nc=00000001,", ""),
            ("cnonce=", "c="),
            ("uri=\"/dir/index.html\",", ""),
            ("realm=", "real="),
            (" nonce=", " once="),
            ("response=\"8c", "response=\"\", x=\"8c"),
            ("response=\"8c", "response=\"8"),
            ("response=\"8c", "response=\"8g"),
            ("response=\"8c", "response=\"éé"),
            ("algorithm=MD5", "algorithm=MD5-sess"),
            ("algorithm=MD5", "algorithm=SHA-256"),
            ("algorithm=MD5", "algorithm=SHA-512-256"),
            ("CUYo5tdS\"", "CUYo5tdS"),
            ("CUYo5tdS\"", "CUYo5tdS\"x"),
            ("CUYo5tdS\"", "CUYo5tdS\\"),
            ("opaque=", "="),
            ("opaque=", "realm="),
            ("opaque=\"", "opaque=, x=\""),
        ] {
            let changed = RFC_7616_MD5.replace(is, other);
            assert_ne!(changed, RFC_7616_MD5, "{is}");
            assert!(parse(&changed).is_err(), "{is} became {other}");
        }
        for header in ["", "Digest", "Digest =", "Digest \"", "Digest ,,,", "Digestusername=\"x\""] {
            assert!(parse(header).is_err(), "{header}");
        }
        assert!(DigestCredentials::parse(b"Digest username=\"\xff\"").is_err());
    }

    #[test]
    fn a_complaint_repeats_nothing_of_what_was_sent() {
        let said = parse(&RFC_7616_MD5.replace("nc=00000001", "nc=canary")).err().unwrap().to_string();
        assert!(!said.contains("canary"), "{said}");
    }

    #[test]
    fn the_target_is_the_one_that_was_sent() {
        let of = |uri: &str| parse(&RFC_7616_MD5.replace("/dir/index.html", uri)).unwrap();
        for (uri, target, is) in [
            ("/b/o", "/b/o", true),
            ("/b/o?recursive=now", "/b/o?recursive=now", true),
            ("/b/%6F", "/b/%6F", true),
            ("http://h:1/b?x", "http://h:1/b?x", true),
            ("/b?x", "http://h:1/b?x", true),
            ("/b/o", "/b/o?recursive=now", false),
            ("/b/o?", "/b/o", false),
            ("/b/o", "/b/%6F", false),
            ("/b/O", "/b/o", false),
            ("http://h/b", "/b", false),
            ("http://h/b", "http://i/b", false),
            ("", "/", false),
        ] {
            assert_eq!(of(uri).is_for(&target.parse().unwrap()), is, "{uri} for {target}");
        }
    }
}
