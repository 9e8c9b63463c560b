//! The pages for people, as answers: found by their address, made from the newest snapshot and from
//! the store, which may block and so has threads of its own, and shared by all who ask for them.

use crate::{
    api::{self, Format, Kind, others_watched},
    error_response::{ErrorResponse, internal_error},
    negotiation::Encoding,
    origin::Origin,
    past,
    render_cache::{RenderCaches, Rendering},
    sources::{ExportSettings, Sources, newest},
    state_json,
};
use axum::{
    extract,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use lifesign_core::{
    scopes::Roster,
    watch::{Snapshot, TargetViews},
};
use lifesign_document::by_likeness;
use lifesign_page::{Address, Page, Query, STYLE, Site, View, decoded, refresh_seconds, render};
use std::{path::Path, sync::Arc};

/// No script runs and nothing is loaded from elsewhere, even if a name should slip through as
/// markup; and only these may show the page in a frame.
fn security_policy(embed: &[Origin]) -> String {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                  form-action 'none'; frame-ancestors";
    if embed.is_empty() {
        return format!("{policy} 'none'");
    }
    embed.iter().fold(policy.to_owned(), |policy, origin| format!("{policy} {origin}"))
}

/// What pages are made from.
pub(crate) struct Pages {
    sources: Sources,
    security_policy: String,
    caches: RenderCaches<(Asked, Encoding)>,
}

/// What is asked for, in one way of the many in which it may be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asked {
    /// By its canonical address.
    Page(String),
    /// With its canonical query.
    Rows(Kind, Format, String),
    /// Of this scope, or of all. By name: another plan gives its id to another.
    State(Option<String>),
}

/// The extractor of axum, under another name than the `State` of a verdict.
type PagesState = extract::State<Arc<Pages>>;

impl Pages {
    pub(crate) fn new(sources: Sources) -> Self {
        let security_policy = security_policy(&sources.embed);
        Self { sources, security_policy, caches: RenderCaches::default() }
    }

    /// What `make` makes of the newest snapshot; not in the thread that answers everybody.
    async fn made<T: Into<Rendering>>(
        self: Arc<Self>,
        snapshot: Arc<Snapshot>,
        asked: Asked,
        encoding: Encoding,
        make: impl FnOnce(&Self, &Snapshot) -> Result<T, ErrorResponse> + Send + 'static,
    ) -> Result<Response, ErrorResponse> {
        let cache = self.caches.of((asked, encoding));
        let made = tokio::task::spawn_blocking(move || {
            cache.get_or_render(&snapshot, || {
                let Rendering { bytes, unreadable_rows } = make(&self, &snapshot)?.into();
                let bytes = encoding.encode(bytes).map_err(internal_error)?;
                Ok(Rendering { bytes, unreadable_rows })
            })
        });
        made.await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))?
    }
}

/// What pages say of where they are made.
fn site(settings: &ExportSettings) -> Site<'_> {
    Site {
        vantage: &settings.vantage,
        contact: settings.contact.as_deref(),
        simulation: settings.simulation.as_deref(),
    }
}

/// How many addresses are told where there is no page.
const MOST_NEAREST: usize = 3;
/// Those that are no scope's page.
pub(crate) const OTHER_PATHS: [&str; 9] = [
    "/",
    "/-/meaning",
    "/-/healthy",
    "/-/ready",
    "/api/v1/state",
    "/api/v1/incidents",
    "/api/v1/episodes",
    "/api/v1/series",
    "/metrics",
];

/// That there is no page at this path, and which paths are most like it.
fn missing(path: &str, roster: &Roster) -> ErrorResponse {
    let of_scopes = Address::paths(roster).map(|path| format!("/{path}"));
    let mut nearest = by_likeness(path, of_scopes.chain(OTHER_PATHS.map(str::to_owned)));
    nearest.truncate(MOST_NEAREST);
    let said = format!("no such page; the nearest are {}\n", nearest.join(", "));
    (StatusCode::NOT_FOUND, said)
}

/// Looking for what is like a name takes a while where there are many: not in the thread that
/// answers everybody.
async fn not_found(
    snapshot: Arc<Snapshot>,
    look: impl FnOnce(&Roster) -> ErrorResponse + Send + 'static,
) -> ErrorResponse {
    let found = tokio::task::spawn_blocking(move || look(&snapshot.roster));
    found.await.unwrap_or_else(internal_error)
}

/// The page at an address, as text. It reads the store's file.
pub fn text(
    store: Option<&Path>,
    settings: &ExportSettings,
    snapshot: &Snapshot,
    targets: &dyn TargetViews,
    address: &Address,
) -> Result<String, ErrorResponse> {
    let past = past::read(store, snapshot, address);
    if let (Some(problem), Page::Incident(..) | Page::Feed(_)) = (&past.problem, &address.page) {
        return Err(api::unreadable(problem));
    }
    let view = View { snapshot, targets, past: &past, site: site(settings), address };
    render(&view).map(maud::PreEscaped::into_string).ok_or_else(|| {
        let path = address.path_of_scope(&snapshot.roster).unwrap_or_default();
        let name = address.page.scope().map(|scope| snapshot.roster.full_name_of(scope));
        let whose = name.map_or_else(String::new, |name| format!(" of {name}"));
        let said = format!("no such incident; /{path} lists the incidents{whose}\n");
        (StatusCode::NOT_FOUND, said)
    })
}

pub(crate) fn query(uri: &Uri, keys: &[&str], snapshot: &Snapshot) -> Result<Query, ErrorResponse> {
    let now = snapshot.wall_offset.written(snapshot.time);
    Query::parse(uri.query().unwrap_or_default(), keys, now)
        .map_err(|error| (StatusCode::BAD_REQUEST, error + "\n"))
}

/// Has a browser ask again. One that followed a link to a row has its fragment in the address, and
/// would only scroll there again if the address were not named without it (HTML, "navigate").
fn refresh(seconds: u32, query: Option<&str>) -> HeaderValue {
    let named = query.map(|query| format!("{seconds}; url=?{query}"));
    let named = named.and_then(|text| HeaderValue::try_from(text).ok());
    named.unwrap_or_else(|| seconds.into())
}

/// A page at its address.
pub(crate) async fn page(
    extract::State(pages): PagesState,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let snapshot = newest(&pages.sources.snapshots)?;
    let query = query(&uri, &Query::OF_PAGES, &snapshot)?;
    let Some(address) = Address::find(uri.path(), query, &snapshot.roster) else {
        let path = decoded(uri.path());
        return Err(not_found(snapshot, move |roster| missing(&path, roster)).await);
    };
    let settings = pages.sources.settings.borrow().clone();
    let media_type = address.page.media_type();
    let follows = media_type.starts_with("text/html") && !address.query.hold;
    let seconds = refresh_seconds(site(&settings));
    let asked = Asked::Page(address.canonical(&snapshot.roster));
    let policy = pages.security_policy.clone();
    let encoding = Encoding::accepted(&headers);
    let made = pages
        .made(snapshot, asked, encoding, move |pages, snapshot| {
            let Sources { store, targets, .. } = &pages.sources;
            let targets = targets.about(&snapshot.roster);
            text(store.as_deref(), &settings, snapshot, &targets, &address)
        })
        .await?;
    let policy = [(header::CONTENT_SECURITY_POLICY, &*policy)];
    let mut response = (encoding.headers(media_type), policy, made).into_response();
    if follows {
        response.headers_mut().insert(header::REFRESH, refresh(seconds, uri.query()));
    }
    Ok(response)
}

/// The state of all that is watched, or of a scope.
pub(crate) async fn state(
    extract::State(pages): PagesState,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let snapshot = newest(&pages.sources.snapshots)?;
    let roster = snapshot.roster.clone();
    let answer = state_of(pages.clone(), snapshot, &uri, &headers).await;
    let newest = newest(&pages.sources.snapshots)?;
    // A plan that changed meanwhile is no reason to have the reader ask again.
    match answer {
        Err(_) if !Arc::ptr_eq(&newest.roster, &roster) => {
            state_of(pages, newest, &uri, &headers).await
        }
        answer => answer,
    }
}

async fn state_of(
    pages: Arc<Pages>,
    snapshot: Arc<Snapshot>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, ErrorResponse> {
    let query = query(uri, &["scope"], &snapshot)?;
    let mut scope = None;
    if let Some(name) = query.scope {
        scope = snapshot.roster.scope_named(&name);
        if scope.is_none() {
            let look = move |roster: &Roster| {
                let others = others_watched(&name, roster);
                (StatusCode::NOT_FOUND, format!("{name:?} is not watched; {others}\n"))
            };
            return Err(not_found(snapshot, look).await);
        }
    }
    let settings = pages.sources.settings.borrow().clone();
    let asked = Asked::State(scope.map(|scope| snapshot.roster.full_name_of(scope)));
    let encoding = Encoding::accepted(headers);
    let made = pages
        .made(snapshot, asked, encoding, move |pages, snapshot| {
            let targets = pages.sources.targets.about(&snapshot.roster);
            state_json::render(snapshot, &targets, &settings, scope)
        })
        .await?;
    Ok((encoding.headers("application/json"), made).into_response())
}

/// Incidents, episodes or what was measured.
pub(crate) async fn api(
    extract::State(pages): PagesState,
    uri: Uri,
    headers: HeaderMap,
    kind: Kind,
    format: Format,
) -> Result<Response, ErrorResponse> {
    let snapshot = newest(&pages.sources.snapshots)?;
    let query = query(&uri, &Query::OF_ROWS, &snapshot)?;
    let asked = Asked::Rows(kind, format, query.text());
    let encoding = Encoding::accepted(&headers);
    let made = pages
        .made(snapshot, asked, encoding, move |pages, snapshot| {
            api::answer(kind, format, pages.sources.store.as_deref(), snapshot, &query)
        })
        .await?;
    let media_type = match format {
        Format::Json => "application/json",
        Format::Csv => "text/csv; charset=utf-8; header=present",
    };
    Ok((encoding.headers(media_type), made).into_response())
}

/// The style sheet may be stored for ever: another one has another address.
pub(crate) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE)
}
