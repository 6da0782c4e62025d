//! One request from its head to its answer.

use super::access::Access;
use super::answer::{self, Refused};
use super::arguments::Arguments;
use super::cors::{Crossing, preflight};
use super::details::Head;
use super::documents::Kind;
use super::error::{Told, Trouble, trouble};
use super::exchange::bound;
use super::keys::Keys;
use super::op::Op;
use super::route::{Answered, Hot};
use super::service::Operations;
use super::target::{self, Host, Named};
use super::trail::Trail;
use super::wire::{Broken, DOCUMENT_MAX, Wire};
use super::{form, meant, presented, trailers};
use crate::Gateway;
use crate::audit::RequestIds;
use crate::http::connection::reason;
use crate::http::{Body, BodyReader, Failure, Limits, Peer, Service};
use crate::metrics::Door as CountedDoor;
use futures_util::FutureExt;
use http::header::SERVER;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::S3Result;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

const SERVER_NAME: HeaderValue = HeaderValue::from_static("Barrow");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// The S3 door as a service.
pub struct Door {
    gateway: Gateway,
    limits: Arc<Limits>,
    own_host: Option<String>,
    host_id: String,
    ids: RequestIds,
    service: S3Service,
}

impl Door {
    /// A door onto `gateway`. `own_host`: the host name under which each bucket is a virtual host of its own
    /// (`BUCKET.own_host`); path style is always understood.
    pub fn new(gateway: Gateway, limits: Arc<Limits>, own_host: Option<String>) -> Self {
        let mut builder = S3ServiceBuilder::new(Operations(gateway.clone()));
        let mut config = S3Config::default();
        config.xml_max_body_size = usize::try_from(DOCUMENT_MAX).unwrap_or(usize::MAX);
        // Forms are read elsewhere; what looks like one and is none has nothing to bring.
        config.post_object_max_file_size = 0;
        config.form_max_fields_size = 64 << 10;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_auth(Keys(Arc::clone(&gateway.auth)));
        builder.set_access(Access(Arc::clone(&gateway.auth)));
        builder.set_validation(AnyName);
        builder.set_host(Hosts(own_host.clone()));
        builder.set_route(Hot(gateway.clone()));
        Door {
            host_id: gateway.settings.cluster.clone(),
            gateway,
            limits,
            own_host,
            ids: RequestIds::default(),
            service: builder.build(),
        }
    }

    /// What `s3s` makes of the request, or why it does not get to see it.
    async fn answer(
        &self,
        mut parts: Parts,
        body: Incoming,
        named: &Arc<Named>,
        trail: &Trail,
        broken: &Broken,
    ) -> Result<Response<Body>, Refused> {
        let bucket_host = match target::host(host_of(&parts), self.own_host.as_deref()) {
            Host::Bucket(bucket) => Some(bucket),
            Host::Ours | Host::Other(_) => None,
        };
        if parts.method == Method::OPTIONS {
            // A browser asks without credentials, whatever the request itself will carry.
            trail.note.asked(Op::named("PreflightRequest"));
            return Ok(preflight(&self.gateway, &parts, named).await?);
        }
        let arguments = Arguments::read(parts.uri.query())?;
        let url = presented::check(&parts, bucket_host, self.gateway.clock.now())?;
        if let Some(url) = &url {
            url.verify(&self.gateway.auth).await?;
            let principal = self.gateway.auth.signed_by(url.key()).await.told()?;
            bound(&self.gateway, &principal, named).await?;
        }
        let presigned = url.is_some();
        presented::dated(&mut parts);
        meant::check(&parts, named, &arguments)?;
        trailers::announced(&mut parts);
        if form::is_form(&parts, named) {
            trail.note.asked(Op::named("PostObject"));
            let reader = BodyReader::new(body, &self.limits).counted_in(trail.counter());
            return Ok(form::post(&self.gateway, parts, reader, named, &trail.note).await?);
        }
        if parts.method == Method::POST && named.bucket.is_none() {
            return Err(trouble("MethodNotAllowed", "").into());
        }
        if parts.method == Method::POST && named.key.is_none() && parts.uri.query().is_none() {
            return Err(trouble(
                "PreconditionFailed",
                "Bucket POST must be of the enclosure-type multipart/form-data",
            )
            .into());
        }
        if let Err(unseen) = meant::verified(&parts) {
            // Who may do nothing without a signature hears of that first.
            if !presigned {
                self.gateway.auth.nobody().told()?;
            }
            return Err(unseen.into());
        }
        let document = Kind::of(&parts, named, &arguments);
        let reader = BodyReader::new(body, &self.limits).counted_in(trail.counter());
        let signed = presented::is_signed(&parts);
        let wire = Wire::new(reader, &parts.headers, document, (signed, Arc::clone(broken)))?;
        let (plain, trailers) = (wire.plain(), wire.trailers());
        let mut request = Request::from_parts(parts, s3s::Body::http_body_unsync(wire));
        let extensions = request.extensions_mut();
        extensions.insert(Arc::clone(named));
        extensions.insert(Arc::clone(&trail.note));
        extensions.insert(Arc::clone(broken));
        extensions.insert(plain);
        trailers.map(|trailers| extensions.insert(trailers));
        let answered = self.service.call(request).await.map_err(|error| {
            tracing::error!(error = ?error, "a request fell through");
            Refused::from(trouble("InternalError", "We encountered an internal error; it has been logged."))
        })?;
        let (mut parts, body) = answered.into_parts();
        if let Some(Answered(own)) = parts.extensions.remove::<Answered>() {
            let own = own.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            return Ok(Response::from_parts(parts, own.unwrap_or_default()));
        }
        let failed = parts.status.is_client_error() || parts.status.is_server_error();
        let bytes = body.bytes();
        if failed {
            // `s3s` calls a body that broke off an internal error.
            return Err(match broken.get() {
                Some(error) => error.trouble().into(),
                None => Refused::read(parts.status, parts.headers, &bytes.unwrap_or_default()),
            });
        }
        if trail.note.op() == Op::named("PutBucketTagging") {
            parts.status = StatusCode::NO_CONTENT;
        }
        let body = match bytes {
            // Among attributes, AWS writes the entity tag without its quotes.
            Some(bytes) if trail.note.op() == Op::named("GetObjectAttributes") => {
                let text = String::from_utf8_lossy(&bytes).replace("&quot;", "\"");
                Body::from(text.replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>"))
            }
            Some(bytes) if bytes.is_empty() => Body::Empty,
            Some(bytes) => Body::Full(answer::escaped(bytes)),
            None => Body::chunked(body),
        };
        Ok(Response::from_parts(parts, body))
    }

    fn refuse(&self, refused: Refused, head: Option<&Head>, named: &Named, trail: &Trail) -> Response<Body> {
        let metrics = &self.gateway.metrics;
        if refused.status == StatusCode::INTERNAL_SERVER_ERROR {
            metrics.violation();
        }
        if trail.note.op().deletes() && refused.status.is_client_error() {
            metrics.delete_refused(word(&refused.code));
        }
        let closing =
            matches!(refused.code.as_str(), "RequestTimeout" | "IncompleteBody" | "SignatureDoesNotMatch");
        let said = (refused.status, refused.code.as_str(), refused.message.as_str());
        let now = self.gateway.clock.now();
        let fields = head.map(|head| head.fields(said, named, &refused.headers, now)).unwrap_or_default();
        let method = head.map_or(&Method::GET, Head::method);
        let mut response = refused.answer(method, &named.path, fields, (trail.id, &self.host_id));
        if closing {
            response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn finish(
        &self,
        named: &Named,
        trail: Trail,
        code: Option<String>,
        crossing: Option<Crossing>,
        mut response: Response<Body>,
    ) -> Response<Body> {
        if let Some(crossing) = crossing {
            crossing.mark(&self.gateway, named, &mut response).await;
        }
        self.close(named, trail, code, response)
    }

    fn close(
        &self,
        named: &Named,
        trail: Trail,
        code: Option<String>,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let headers = response.headers_mut();
        headers.insert(SERVER, SERVER_NAME);
        headers.insert(REQUEST_ID, trail.id.header());
        headers.insert(HOST_ID, trail.id.header());
        self.gateway.metrics.request(CountedDoor::S3, trail.note.op().number(), response.status().as_u16());
        let default_domain = self.gateway.settings.default_domain.as_str();
        trail.answered(named, default_domain, code.as_deref().map(word), &mut response);
        response
    }
}

impl Service for Door {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let trail = Trail::begin(&self.gateway, self.ids.next(), peer);
        let (head, broken, crossing) = (Head::of(&parts), Broken::default(), Crossing::of(&parts));
        let (named, answered) = match Named::read(&parts, self.own_host.as_deref()) {
            Err(trouble) => {
                let named = Named { path: parts.uri.path().to_owned(), ..Named::default() };
                (Arc::new(named), Ok(Err(trouble.into())))
            }
            Ok(named) => {
                let named = Arc::new(named);
                // Caught here and not only around the door, so that a mistake of ours is answered and written down as the
                // request that it met.
                let answer = self.answer(parts, body, &named, &trail, &broken);
                (Arc::clone(&named), AssertUnwindSafe(answer).catch_unwind().await)
            }
        };
        let request = trail.id;
        let refused = match answered {
            Ok(Ok(response)) => return self.finish(&named, trail, None, crossing, response).await,
            Ok(Err(refused)) => refused,
            Err(panic) => {
                let panic = reason(panic.as_ref());
                tracing::error!(%request, peer = %peer.0, method = %head.method(), panic, "a request handler panicked");
                trouble("InternalError", "We encountered an internal error; it has been logged.").into()
            }
        };
        let (code, path, method) = (refused.code.clone(), &named.path, head.method());
        if refused.status.is_server_error() && refused.status != StatusCode::NOT_IMPLEMENTED {
            tracing::warn!(%request, peer = %peer.0, %method, path, code, "not answered as asked");
        } else {
            tracing::debug!(%request, peer = %peer.0, %method, path, code, message = %refused.message, "refused");
        }
        let response = self.refuse(refused, Some(&head), &named, &trail);
        self.finish(&named, trail, Some(code), crossing, response).await
    }

    fn may_answer(&self) -> bool {
        self.gateway.metadata.serving().is_ok()
    }

    fn failure(&self, failure: Failure, peer: Peer) -> Response<Body> {
        let trail = Trail::begin(&self.gateway, self.ids.next(), peer);
        let named = Named::default();
        let refused: Trouble = match failure {
            Failure::Busy => trouble("SlowDown", "Please reduce your request rate."),
            Failure::Fenced => trouble("SlowDown", "This member cannot answer now. Please try again."),
            Failure::Panicked => {
                trouble("InternalError", "We encountered an internal error; it has been logged.")
            }
            Failure::Malformed(bad) => trouble("InvalidRequest", bad.to_string()),
        };
        let code = refused.code().as_str().to_owned();
        let response = self.refuse(refused.into(), None, &named, &trail);
        self.close(&named, trail, Some(code), response)
    }
}

/// A code as the metrics and the audit trail keep it: what AWS has defined, and nothing a client could invent.
fn word(code: &str) -> &'static str {
    CODES.iter().find(|known| **known == code).copied().unwrap_or("Other")
}

/// The codes that are told apart.
const CODES: [&str; 38] = [
    "AccessDenied",
    "AccessForbidden",
    "AuthorizationHeaderMalformed",
    "AuthorizationQueryParametersError",
    "BadDigest",
    "BadRequest",
    "BucketAlreadyExists",
    "BucketNotEmpty",
    "EntityTooLarge",
    "EntityTooSmall",
    "IncompleteBody",
    "InsufficientStorage",
    "InternalError",
    "InvalidAccessKeyId",
    "InvalidArgument",
    "InvalidBucketName",
    "InvalidDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRange",
    "InvalidRequest",
    "InvalidTag",
    "InvalidURI",
    "KeyTooLongError",
    "MalformedXML",
    "MethodNotAllowed",
    "MissingContentLength",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NoSuchVersion",
    "NotImplemented",
    "OperationAborted",
    "PreconditionFailed",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "XAmzContentSHA256Mismatch",
];

fn host_of(parts: &Parts) -> &str {
    parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Names are judged where a bucket is made; one that SCSP made is found here whatever it looks like.
struct AnyName;

impl NameValidation for AnyName {
    fn validate_bucket_name(&self, name: &str) -> bool {
        !name.is_empty()
    }
}

/// Virtual hosts, as [`target::host`] reads them.
struct Hosts(Option<String>);

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match target::host(host, self.0.as_deref()) {
            Host::Bucket(bucket) => {
                VirtualHost::new(host).with_bucket(Cow::Owned(bucket.to_ascii_lowercase()))
            }
            Host::Ours | Host::Other(_) => VirtualHost::new(host),
        })
    }
}
