//! The routes: the pages with their feeds, badges, style sheet and icon, `/metrics`, `/api/v1/…`,
//! `/robots.txt`, `/-/healthy`, `/-/ready`, and `POST /-/reload`, which has the plan read again.
//! They are answered by a thread and a runtime of their own, so a slow or greedy reader delays
//! other readers at most.

use crate::{
    ReloadRequest,
    api::{Format, Kind},
    connections::{self, AsyncListener, Peer},
    error_response::{ErrorResponse, internal_error},
    listener::Listener,
    metrics::{Metrics, Present},
    negotiation::{self, Encoding},
    pages::{self, Pages},
    render_cache::RenderCaches,
    sources::{ExportSettings, Sources, newest},
};
use axum::{
    Extension, Router,
    extract::{self, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lifesign_clock::Clock;
use lifesign_core::{
    judge::{PerState, State},
    time::Time,
    watch::Snapshot,
};
use lifesign_web_config::{Policy, WebConfig};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// What is for people, once, and without what a query makes of it (RFC 9309).
const ROBOTS: &str = "User-agent: *\nDisallow: /*?\nDisallow: /api/\nDisallow: /metrics\n";
/// Headers of what came through a proxy (RFC 7239; RFC 9110 §7.6.3), in the names that axum has.
const OF_PROXIES: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// First parts of paths that are no country: below `incident` are incidents, at the other words
/// what is for programs. A file has a dot in its name, and no code of a country has.
pub const RESERVED_CODES: [&str; 4] = ["-", "api", "incident", "metrics"];
/// What stands below a country and is no network. A browser takes `.` and `..` for folders.
pub const RESERVED_NETWORKS: [&str; 5] = [".", "..", "badge.svg", "feed.atom", "incident"];

/// A watch publishes a snapshot each second. One that has not for so long is stuck, and systemd
/// ends it by then (`WatchdogSec=`).
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// How many pages are made at a time.
const MAX_BLOCKING_THREADS: usize = 2;

/// What every response is made from.
struct Server {
    sources: Sources,
    metrics: Metrics,
    reload_requests: mpsc::Sender<ReloadRequest>,
    metrics_caches: RenderCaches<(lifesign_exposition::Format, Encoding)>,
    /// When the newest snapshot came.
    published: Arc<Mutex<Time>>,
    clock: Clock,
}

/// The extractor of axum, under another name than the `State` of a verdict.
type ServerState = extract::State<Arc<Server>>;

/// Answers on every listener until the sender of snapshots is dropped; then the thread ends. The
/// error is that of the system: no thread, no descriptor.
pub fn serve(
    listeners: Vec<Listener>,
    sources: Sources,
    reload_requests: mpsc::Sender<ReloadRequest>,
    web_config: WebConfig,
) -> io::Result<thread::JoinHandle<()>> {
    let mut end = sources.snapshots.clone();
    let pages = Pages::new(sources.clone());
    let clock = Clock::start();
    let published = Arc::new(Mutex::new(clock.now()));
    let newest = published.clone();
    let router = router(
        pages,
        Server {
            sources,
            metrics: Metrics::default(),
            reload_requests,
            metrics_caches: RenderCaches::default(),
            published,
            clock,
        },
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build()?;
    let runtime_context = runtime.enter();
    let listeners = listeners.into_iter().map(AsyncListener::try_from);
    let listeners = listeners.collect::<io::Result<_>>()?;
    drop(runtime_context);
    thread::Builder::new().name("http".into()).spawn(move || {
        runtime.block_on(async {
            let ended = async {
                while end.changed().await.is_ok() {
                    *newest.lock().unwrap_or_else(PoisonError::into_inner) = clock.now();
                }
            };
            tokio::select! {
                () = connections::serve(listeners, router, web_config) => {}
                () = ended => {}
            }
        });
    })
}

fn router(pages: Pages, server: Server) -> Router {
    let api = |kind, format| {
        get(move |state, address, headers| async move {
            pages::api(state, address, headers, kind, format).await
        })
    };
    let pages = Router::new()
        .route("/api/v1/state", get(pages::state))
        .route("/api/v1/incidents", api(Kind::Incidents, Format::Json))
        .route("/api/v1/incidents.csv", api(Kind::Incidents, Format::Csv))
        .route("/api/v1/episodes", api(Kind::Episodes, Format::Json))
        .route("/api/v1/episodes.csv", api(Kind::Episodes, Format::Csv))
        .route("/api/v1/series", api(Kind::Series, Format::Json))
        .route("/api/v1/series.csv", api(Kind::Series, Format::Csv))
        .route("/robots.txt", get(|| async { ROBOTS }))
        .route("/", get(pages::page))
        .route("/-/meaning", get(pages::page))
        .route("/style.css", get(pages::style))
        .route(
            "/icon.svg",
            get(|| async { ([(header::CONTENT_TYPE, "image/svg+xml")], lifesign_page::ICON) }),
        )
        .route("/{country}", get(pages::page))
        .route("/{country}/{*rest}", get(pages::page))
        .fallback(pages::page)
        .with_state(Arc::new(pages));
    Router::new()
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload))
        .with_state(Arc::new(server))
        .merge(pages)
        .method_not_allowed_fallback(|| async {
            (StatusCode::METHOD_NOT_ALLOWED, "this method is not for this page\n")
        })
        .layer(from_fn(authorize))
}

/// Refuses who asks for another server, since a page of another site may have sent them here by a
/// name of its own. Lets in whom the web configuration file lets in; anybody else learns nothing,
/// not even which pages there are (RFC 7617 §2). Adds the headers of every response: it is of the
/// type that it says, and is not stored unless it says for how long.
async fn authorize(
    Extension(policy): Extension<Arc<Policy>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if !policy.is_for_us(request.uri(), request.headers()) {
        let said = "not a name of this server; ask by its address, or list the name in the web \
                    configuration\n";
        (StatusCode::MISDIRECTED_REQUEST, said).into_response()
    } else if policy.authorizes(request.headers()).await {
        next.run(request).await
    } else {
        let challenge = "Basic realm=\"lifesign\", charset=\"UTF-8\"";
        let headers = [(header::WWW_AUTHENTICATE, challenge)];
        (StatusCode::UNAUTHORIZED, headers, "name and password, please\n").into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in policy.response_headers() {
        headers.insert(name, value.clone());
    }
    response
}

impl Server {
    /// The newest. Their lock is held for a copy: who sends others is the task that probes.
    fn settings(&self) -> ExportSettings {
        self.sources.settings.borrow().clone()
    }

    fn snapshot(&self) -> Result<Arc<Snapshot>, ErrorResponse> {
        newest(&self.sources.snapshots)
    }
}

/// Before the first snapshot there are metrics of the process, which are not cached. They are made
/// here: a scrape waits for no page that a crowd wants of the store.
async fn metrics(
    extract::State(server): ServerState,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ErrorResponse> {
    let format = negotiation::format(&headers);
    let encoding = Encoding::accepted(&headers);
    let settings = server.settings();
    let render = |snapshot: Option<&Snapshot>| {
        let present =
            snapshot.map(|snapshot| (snapshot, server.sources.targets.about(&snapshot.roster)));
        let present = present.as_ref().map(|(snapshot, targets)| Present { snapshot, targets });
        let answer = server.metrics.render(format, &settings, present);
        encoding.encode(answer).map_err(internal_error)
    };
    let body = match server.snapshot() {
        Ok(snapshot) => server
            .metrics_caches
            .of((format, encoding))
            .get_or_render(&snapshot, || render(Some(&snapshot)))?,
        Err(_) => render(None)?.into_response(),
    };
    let mut headers = encoding.headers(format.media_type());
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    Ok((headers, body))
}

/// Healthy as long as there is a watch that goes on. What is played comes to its end.
async fn healthy(extract::State(server): ServerState) -> Result<&'static str, ErrorResponse> {
    let newest = *server.published.lock().unwrap_or_else(PoisonError::into_inner);
    let is_real = server.settings().simulation.is_none();
    let fault = match server.sources.snapshots.has_changed() {
        Err(_) => "the watch has ended\n",
        Ok(_) if is_real && server.clock.now().since(newest) >= STUCK_AFTER => {
            "the watch is stuck\n"
        }
        Ok(_) => return Ok("healthy\n"),
    };
    Err((StatusCode::SERVICE_UNAVAILABLE, fault.into()))
}

/// Ready once every country has had a verdict; from then on blindness is a state to report, no
/// reason to be taken out of service.
async fn ready(extract::State(server): ServerState) -> Result<&'static str, ErrorResponse> {
    let snapshot = server.snapshot()?;
    let was_ever_judged = |seconds: PerState<f64>| {
        State::ALL.into_iter().any(|state| state != State::Unknown && seconds[state] > 0.0)
    };
    let waiting: Vec<&str> = snapshot
        .countries()
        .filter(|(_, view)| {
            view.verdict.state == State::Unknown && !was_ever_judged(view.verdict.state_seconds())
        })
        .map(|(country, _)| country.code.as_str())
        .collect();
    if waiting.is_empty() {
        return Ok("ready\n");
    }
    let blind = if snapshot.is_blind() { "; we are blind" } else { "" };
    let reason = format!("no verdict yet on {}{blind}\n", waiting.join(", "));
    Err((StatusCode::SERVICE_UNAVAILABLE, reason))
}

/// Reads the plan again, for a caller on this machine: 200 and what is watched now, or 400 and what
/// is wrong with the plan, while the one before goes on.
async fn reload(
    extract::State(server): ServerState,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<String, ErrorResponse> {
    if is_cross_site(&headers) {
        return Err((StatusCode::FORBIDDEN, "no page of another site may ask for that\n".into()));
    }
    if !peer.is_local() {
        return Err((StatusCode::FORBIDDEN, "only this machine may ask for that\n".into()));
    }
    if OF_PROXIES.iter().any(|name| headers.contains_key(*name)) {
        let said = "only this machine may ask for that, and by no proxy\n";
        return Err((StatusCode::FORBIDDEN, said.into()));
    }
    if server.settings().simulation.is_some() {
        let said = "this is a simulation, which has no plan that could be read again\n";
        return Err((StatusCode::CONFLICT, said.into()));
    }
    let unavailable =
        || (StatusCode::SERVICE_UNAVAILABLE, "the plan cannot be read again now\n".to_owned());
    let (request, answer) = oneshot::channel();
    server.reload_requests.send(request).await.map_err(|_| unavailable())?;
    match answer.await.map_err(|_| unavailable())? {
        Ok(text) => Ok(text + "\n"),
        Err(text) => Err((StatusCode::BAD_REQUEST, text + "\n")),
    }
}

/// Was a browser sent here by a page of another site? It says so itself (Fetch Metadata §2.4;
/// RFC 6454 §7). A client that sends neither header is no browser.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let text =
        |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = text("host").unwrap_or_default();
    let is_own = |origin: &str| {
        origin.split_once("://").is_some_and(|(_, own)| own.eq_ignore_ascii_case(host))
    };
    text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
        || text("origin").is_some_and(|origin| !is_own(origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::OTHER_PATHS;
    use lifesign_core::scopes::{Roster, Scope};
    use lifesign_page::{Address, Page, Query};

    #[test]
    fn the_first_part_of_each_route_is_no_code_of_a_country() {
        let routes = include_str!("http.rs").split(concat!(".rou", "te(")).skip(1);
        let paths: Vec<&str> = routes.map(|route| route.split('"').nth(1).unwrap()).collect();
        assert!(paths.len() > 12 && paths.contains(&"/metrics"), "{paths:?}");
        assert!(OTHER_PATHS.iter().all(|path| paths.contains(path)), "{paths:?}");
        for path in paths {
            let first = path.split('/').nth(1).unwrap();
            let is_free = ["", "{country}"].contains(&first);
            let is_reserved = RESERVED_CODES.contains(&first) || first.contains('.');
            assert!(is_free || is_reserved, "{path}");
        }
    }

    #[test]
    fn what_is_reserved_would_hide_a_page() {
        let mut roster = Roster::default();
        roster.add_country("incident", "");
        roster.add_network("Star JV", None);
        roster.add_country("KP", "");
        let find = |path: &str| Address::find(path, Query::default(), &roster);
        assert!(find("/KP/feed.atom").is_some() && find("/KP/badge.svg").is_some());
        assert_eq!(find("/incident/Star%20JV"), None);
        roster.add_network("incident", None);
        let find = |path: &str| Address::find(path, Query::default(), &roster);
        let page = find("/KP/incident/badge.svg").unwrap().page;
        assert!(matches!(page, Page::Incident(Scope::Country(_), _)), "{page:?}");
    }
}
