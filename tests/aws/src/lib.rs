//! An S3 on this machine, for tests and measurements: s3s-fs behind HTTP, on loopback, which counts what it is
//! asked and fails on demand.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The credentials that it takes.
pub const KEY_ID: &str = "AKIDEXAMPLE";
/// Their other half.
pub const SECRET: &str = "secret";

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// An error of S3: status and code.
    Answer(u16, &'static str),
    /// The connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// After so many bytes of the body nothing comes any more.
    StallAfter(usize),
    /// The body is whole, but its first byte is another.
    Damage,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET` and so on.
    pub method: String,
    /// Decoded, with the bucket.
    pub path: String,
    /// As it came.
    pub query: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// How often this path and query came before.
    pub before: usize,
}

impl Asked {
    /// A listing.
    pub fn lists(&self) -> bool {
        self.query.contains("list-type=2")
    }

    /// The prefix of a listing, decoded.
    pub fn prefix(&self) -> Option<String> {
        let prefix = self
            .query
            .split('&')
            .find_map(|part| part.strip_prefix("prefix="))?;
        Some(decoded(prefix))
    }
}

type Rule = dyn Fn(&Asked) -> Option<Fault> + Send + Sync;

/// The server. It ends with this value.
pub struct FakeS3 {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    log: Arc<Mutex<Vec<Asked>>>,
    runtime: Option<Runtime>,
}

impl FakeS3 {
    /// Serves the folders of `root` as buckets; `rule` tells what goes wrong.
    pub fn start(
        root: &Path,
        rule: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::start_on(root, 0, rule)
    }

    /// The same on a port of one's choice.
    pub fn start_on(
        root: &Path,
        port: u16,
        rule: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let files = s3s_fs::FileSystem::new(root).expect("the root can be served");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(s3s::auth::SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let log = Arc::new(Mutex::new(Vec::new()));
        let server = Arc::new(Server {
            service,
            rule: Box::new(rule),
            log: log.clone(),
            counts: Mutex::default(),
        });
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", port)))
            .expect("loopback has a port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = server.clone();
                // Small answers would wait for the client's delayed acknowledgements.
                let _ = socket.set_nodelay(true);
                tokio::spawn(async move {
                    let serve = service_fn(move |request| answer(server.clone(), request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), serve)
                        .await;
                });
            }
        });
        Self {
            url,
            log,
            runtime: Some(runtime),
        }
    }

    /// What was asked so far.
    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for FakeS3 {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Server {
    service: S3Service,
    rule: Box<Rule>,
    log: Arc<Mutex<Vec<Asked>>>,
    counts: Mutex<BTreeMap<String, usize>>,
}

type Answer = Response<Faulty>;

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let asked = server.note(&request);
    let fault = (server.rule)(&asked);
    if let Some(Fault::Answer(status, code)) = fault {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>made for a test</Message></Error>"
        );
        let mut answer = Response::new(Faulty::whole(body.into()));
        *answer.status_mut() = StatusCode::from_u16(status)?;
        return Ok(answer);
    }
    let answer = server.service.call(request.map(s3s::Body::from)).await?;
    let (mut parts, body) = answer.into_parts();
    if fault.is_none() && !asked.lists() {
        return Ok(Response::from_parts(parts, Faulty::Through(body)));
    }
    let mut bytes = body.collect().await?.to_bytes();
    if asked.lists() && asked.query.contains("encoding-type=url") {
        // What S3 does and s3s-fs only says that it did.
        bytes = encode_keys(&String::from_utf8(bytes.to_vec())?).into();
        parts.headers.remove("content-length");
    }
    let body = match fault {
        Some(Fault::CutAfter(count)) => {
            let soon = tokio::time::sleep(std::time::Duration::from_millis(15));
            Faulty::part(bytes, count, After::Cut(Box::pin(soon)))
        }
        Some(Fault::StallAfter(count)) => Faulty::part(bytes, count, After::Stall),
        Some(Fault::Damage) => {
            let mut damaged = bytes.to_vec();
            damaged[0] ^= 0xff;
            Faulty::whole(damaged.into())
        }
        _ => Faulty::whole(bytes),
    };
    Ok(Response::from_parts(parts, body))
}

impl Server {
    fn note(&self, request: &Request<Incoming>) -> Asked {
        let range = request.headers().get("range");
        let mut asked = Asked {
            method: request.method().to_string(),
            path: decoded(request.uri().path()),
            query: request.uri().query().unwrap_or_default().to_owned(),
            range: range
                .and_then(|range| range.to_str().ok())
                .map(str::to_owned),
            before: 0,
        };
        let mut counts = self.counts.lock().unwrap();
        let count = counts
            .entry(format!("{}?{}", asked.path, asked.query))
            .or_default();
        asked.before = *count;
        *count += 1;
        self.log.lock().unwrap().push(asked.clone());
        asked
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let code = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
            let code = String::from_utf8_lossy(&code).into_owned();
            out.push(u8::from_str_radix(&code, 16).unwrap_or(b'?'));
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes what stands in `Key` and `Prefix` as S3 does for `encoding-type=url`.
fn encode_keys(xml: &str) -> String {
    let mut out = String::new();
    let mut rest = xml;
    while let Some((at, tag)) = ["<Key>", "<Prefix>"]
        .iter()
        .filter_map(|tag| Some((rest.find(tag)? + tag.len(), *tag)))
        .min()
    {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find("</").unwrap_or(rest.len());
        let _ = tag;
        let text = rest[..end]
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    out.push(byte as char);
                }
                b' ' => out.push('+'),
                byte => out.push_str(&format!("%{byte:02X}")),
            }
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A body that may break off.
pub enum Faulty {
    /// As s3s made it.
    Through(s3s::Body),
    /// Bytes, then the fault.
    Made(Option<Bytes>, After),
}

/// What comes after the bytes.
pub enum After {
    /// The end.
    End,
    /// The connection breaks, when what came before is sent.
    Cut(Pin<Box<tokio::time::Sleep>>),
    /// Nothing, for ever.
    Stall,
}

impl Faulty {
    fn whole(bytes: Bytes) -> Self {
        Self::Made(Some(bytes), After::End)
    }

    fn part(bytes: Bytes, count: usize, after: After) -> Self {
        let count = count.min(bytes.len());
        Self::Made(Some(bytes.slice(..count)), after)
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Body for Faulty {
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
        match self.get_mut() {
            Self::Through(body) => Pin::new(body).poll_frame(context),
            Self::Made(bytes, after) => match (bytes.take(), after) {
                (Some(bytes), _) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                (_, After::End) => Poll::Ready(None),
                (_, After::Cut(soon)) => soon
                    .as_mut()
                    .poll(context)
                    .map(|()| Some(Err("cut".into()))),
                (_, After::Stall) => Poll::Pending,
            },
        }
    }
}
