//! HTTP. In: listeners that the caller has bound, who may read, and the source of snapshots. Out:
//! `/` with its style sheet and icon, `/metrics`, `/api/v1/state`, `/-/healthy` and `/-/ready`,
//! read only and only to whom [`lifesign_web_config`] lets in, and `POST /-/reload`, which asks
//! whoever watches to read the plan again and tells what came of it. It runs on a thread of its own
//! with a runtime of its own, and never makes the fold wait: a slow or greedy reader delays other
//! readers at most.

use super::{
    ExportSettings, ReloadRequest, SnapshotReceiver, connections,
    metrics::Metrics,
    page::{self, Refresh},
    render_cache::RenderCache,
    state,
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lifesign_core::{judge::State as Verdict, watch::Snapshot};
use lifesign_web_config::{Policy, WebConfig};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};
use tokio::sync::{mpsc, oneshot, watch};

/// What every answer is made from.
struct Reader {
    source: SnapshotReceiver,
    metrics: Metrics,
    labels: watch::Receiver<ExportSettings>,
    reload_requests: mpsc::Sender<ReloadRequest>,
    page: RenderCache,
    held: RenderCache,
    text: RenderCache,
    json: RenderCache,
}

/// Answers on every listener until the sender of snapshots is dropped; then the thread ends. The
/// error is that of the system: no thread, no descriptor.
pub fn serve(
    listeners: Vec<TcpListener>,
    source: SnapshotReceiver,
    labels: watch::Receiver<ExportSettings>,
    reload_requests: mpsc::Sender<ReloadRequest>,
    web_config: WebConfig,
) -> io::Result<thread::JoinHandle<()>> {
    let metrics = Metrics::new(source.clone(), labels.clone()).map_err(io::Error::other)?;
    let mut end = source.clone();
    let router = router(Reader {
        source,
        metrics,
        labels,
        reload_requests,
        page: RenderCache::default(),
        held: RenderCache::default(),
        text: RenderCache::default(),
        json: RenderCache::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let listeners = listeners.into_iter().map(|listener| {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    });
    runtime.spawn(connections::serve(listeners.collect::<io::Result<_>>()?, router, web_config));
    drop(inside);
    thread::Builder::new().name("http".into()).spawn(move || {
        runtime.block_on(async { while end.changed().await.is_ok() {} });
    })
}

fn router(reader: Reader) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(style))
        .route(
            "/icon.svg",
            get(|| async { ([(header::CONTENT_TYPE, "image/svg+xml")], page::ICON) }),
        )
        .route("/metrics", get(scrape))
        .route("/api/v1/state", get(json))
        .route("/-/healthy", get(|| async { "healthy\n" }))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload))
        .fallback(|| async { (StatusCode::NOT_FOUND, "no such page\n") })
        .method_not_allowed_fallback(|| async {
            (StatusCode::METHOD_NOT_ALLOWED, "this method is not for this page\n")
        })
        .with_state(Arc::new(reader))
        .layer(from_fn(guarded))
}

/// Whoever may not read learns nothing, not even which pages there are (RFC 7617 §2). What every
/// answer says to browsers and caches: take it as what it says it is, and never keep it, unless it
/// itself says how long.
async fn guarded(
    Extension(policy): Extension<Arc<Policy>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = if policy.authorizes(request.headers()).await {
        next.run(request).await
    } else {
        let ask = "Basic realm=\"lifesign\", charset=\"UTF-8\"";
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, ask)], "name and password, please\n")
            .into_response()
    };
    let headers = answer.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in policy.response_headers() {
        headers.insert(name, value.clone());
    }
    answer
}

/// An answer that is no page: why not, in one line.
type Refusal = (StatusCode, String);

impl Reader {
    /// The newest snapshot. Its lock is held for one reference count.
    fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        let missing = || (StatusCode::SERVICE_UNAVAILABLE, "the watch has not begun\n".into());
        self.source.borrow().clone().ok_or_else(missing)
    }
}

async fn index(State(reader): State<Arc<Reader>>, address: Uri) -> Result<Response, Refusal> {
    let snapshot = reader.snapshot()?;
    let (kept, pace) = match address.query() {
        Some("hold") => (&reader.held, Refresh::Paused),
        _ => (&reader.page, Refresh::Auto),
    };
    let labels = reader.labels.borrow().clone();
    let page = kept.of(&snapshot, || Ok(page::render(&snapshot, &labels, pace).into_string()))?;
    // No script runs and nothing is loaded from elsewhere, even if a name should slip through as
    // markup.
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    let kind = "text/html; charset=utf-8";
    let mut answer =
        ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], page)
            .into_response();
    if pace == Refresh::Auto {
        answer.headers_mut().insert(header::REFRESH, page::refresh_seconds(&labels).into());
    }
    Ok(answer)
}

/// The style sheet may be kept for ever: another one has another address.
async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, page::STYLE)
}

async fn scrape(State(reader): State<Arc<Reader>>) -> Result<impl IntoResponse, Refusal> {
    let text = match reader.snapshot() {
        Ok(snapshot) => reader.text.of(&snapshot, || reader.metrics.render()),
        Err(_) => reader.metrics.render().map(Bytes::from),
    };
    let text = text.map_err(our_fault)?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text))
}

async fn json(State(reader): State<Arc<Reader>>) -> Result<impl IntoResponse, Refusal> {
    let snapshot = reader.snapshot()?;
    let body = reader
        .json
        .of(&snapshot, || state::render(&snapshot, &reader.labels.borrow()))
        .map_err(our_fault)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// Ready once every country has had a verdict; from then on blindness is a state to report, no
/// reason to be taken out of service.
async fn ready(State(reader): State<Arc<Reader>>) -> Result<&'static str, Refusal> {
    let snapshot = reader.snapshot()?;
    let judged = |past: &[f64; 7]| {
        Verdict::ALL
            .iter()
            .zip(past)
            .any(|(state, seconds)| *state != Verdict::Unknown && *seconds > 0.0)
    };
    let waiting: Vec<&str> = (snapshot.roster.countries.iter().zip(&snapshot.countries))
        .filter(|(_, view)| {
            view.verdict.state == Verdict::Unknown && !judged(&view.verdict.state_seconds)
        })
        .map(|(country, _)| country.code.as_str())
        .collect();
    if waiting.is_empty() {
        return Ok("ready\n");
    }
    let blind = if snapshot.blind { "; we are blind" } else { "" };
    let reason = format!("no verdict yet on {}{blind}\n", waiting.join(", "));
    Err((StatusCode::SERVICE_UNAVAILABLE, reason))
}

/// Reads the plan again, for a caller on this machine: 200 and what is watched now, or 400 and what
/// is wrong with the plan, while the one before goes on.
async fn reload(
    State(reader): State<Arc<Reader>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    asked: HeaderMap,
) -> Result<String, Refusal> {
    if is_of_another_site(&asked) {
        return Err((StatusCode::FORBIDDEN, "no page of another site may ask for that\n".into()));
    }
    if !peer.ip().to_canonical().is_loopback() {
        return Err((StatusCode::FORBIDDEN, "only this machine may ask for that\n".into()));
    }
    let over =
        || (StatusCode::SERVICE_UNAVAILABLE, "the plan cannot be read again now\n".to_owned());
    let (sender, answer) = oneshot::channel();
    reader.reload_requests.send(sender).await.map_err(|_| over())?;
    match answer.await.map_err(|_| over())? {
        Ok(text) => Ok(text + "\n"),
        Err(text) => Err((StatusCode::BAD_REQUEST, text + "\n")),
    }
}

/// Has a browser been led here by a page from elsewhere? It says so itself (Fetch Metadata §2.4;
/// RFC 6454 §7). Who says nothing of the kind is no browser.
fn is_of_another_site(asked: &HeaderMap) -> bool {
    let word = |name| asked.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = word("host").unwrap_or_default();
    let here = |origin: &str| {
        origin.split_once("://").is_some_and(|(_, own)| own.eq_ignore_ascii_case(host))
    };
    word("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
        || word("origin").is_some_and(|origin| !here(origin))
}

fn our_fault(fault: impl std::error::Error) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n"))
}
