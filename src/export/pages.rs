//! The pages for people, as answers: found by their address, made from the newest snapshot and from
//! the store, which may block and so has threads of its own, and shared by all who ask for them.

use super::{
    ExportSettings, Sources,
    api::{self, Format, Kind},
    http::{ErrorResponse, internal_error},
    negotiation::Encoding,
    past,
    render_cache::RenderCaches,
};
use axum::{
    body::Body,
    extract,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use lifesign_core::watch::Snapshot;
use lifesign_page::{Address, Page, Query, STYLE, Site, View, refresh_seconds, render};
use std::{path::Path, sync::Arc};

/// No script runs and nothing is loaded from elsewhere, even if a name should slip through as
/// markup.
const SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What pages are made from.
pub(super) struct Pages {
    sources: Sources,
    caches: RenderCaches<(Asked, Encoding)>,
}

/// What is asked for, in one way of the many in which it may be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asked {
    /// By its canonical address.
    Page(String),
    /// With its canonical query.
    Rows(Kind, Format, String),
}

/// The extractor of axum, under another name than the `State` of a verdict.
type PagesState = extract::State<Arc<Pages>>;

impl Pages {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, caches: RenderCaches::default() }
    }

    /// What `make` makes of the newest snapshot; not in the thread that answers everybody.
    async fn made<T: Into<Vec<u8>>>(
        self: Arc<Self>,
        snapshot: Arc<Snapshot>,
        asked: Asked,
        encoding: Encoding,
        make: impl FnOnce(&Self, &Snapshot) -> Result<T, ErrorResponse> + Send + 'static,
    ) -> Result<Body, ErrorResponse> {
        let cache = self.caches.of((asked, encoding));
        let made = tokio::task::spawn_blocking(move || {
            cache.get_or_render(&snapshot, || {
                encoding.encode(make(&self, &snapshot)?).map_err(internal_error)
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

fn missing() -> ErrorResponse {
    (StatusCode::NOT_FOUND, "no such page\n".into())
}

/// The page at an address, as text. It reads the store's file.
pub fn text(
    store: Option<&Path>,
    settings: &ExportSettings,
    snapshot: &Snapshot,
    address: &Address,
) -> Result<String, ErrorResponse> {
    let past = past::read(store, snapshot, address);
    if let (Some(problem), Page::Incident(..) | Page::Feed(_)) = (&past.problem, &address.page) {
        return Err(api::unreadable(problem));
    }
    let view = View { snapshot, past: &past, site: site(settings), address };
    render(&view).map(maud::PreEscaped::into_string).ok_or_else(missing)
}

fn query(uri: &Uri, snapshot: &Snapshot) -> Result<Query, ErrorResponse> {
    let now = snapshot.wall_offset.written(snapshot.time);
    Query::parse(uri.query().unwrap_or_default(), now)
        .map_err(|error| (StatusCode::BAD_REQUEST, error + "\n"))
}

/// A page at its address.
pub(super) async fn page(
    extract::State(pages): PagesState,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let snapshot = super::http::newest(&pages.sources.snapshots)?;
    let query = query(&uri, &snapshot)?;
    let address = Address::find(uri.path(), query, &snapshot.roster).ok_or_else(missing)?;
    let settings = pages.sources.settings.borrow().clone();
    let media_type = address.page.media_type();
    let follows = media_type.starts_with("text/html") && !address.query.hold;
    let seconds = refresh_seconds(site(&settings));
    let asked = Asked::Page(address.canonical(&snapshot.roster));
    let encoding = Encoding::accepted(&headers);
    let body = pages
        .made(snapshot, asked, encoding, move |pages, snapshot| {
            text(pages.sources.store.as_deref(), &settings, snapshot, &address)
        })
        .await?;
    let policy = [(header::CONTENT_SECURITY_POLICY, SECURITY_POLICY)];
    let mut response = (encoding.headers(media_type), policy, body).into_response();
    if follows {
        response.headers_mut().insert(header::REFRESH, seconds.into());
    }
    Ok(response)
}

/// Incidents, episodes or what was measured.
pub(super) async fn api(
    extract::State(pages): PagesState,
    uri: Uri,
    headers: HeaderMap,
    kind: Kind,
    format: Format,
) -> Result<Response, ErrorResponse> {
    let snapshot = super::http::newest(&pages.sources.snapshots)?;
    let query = query(&uri, &snapshot)?;
    let asked = Asked::Rows(kind, format, query.text());
    let encoding = Encoding::accepted(&headers);
    let body = pages
        .made(snapshot, asked, encoding, move |pages, snapshot| {
            api::answer(kind, format, pages.sources.store.as_deref(), snapshot, &query)
        })
        .await?;
    let media_type = match format {
        Format::Json => "application/json",
        Format::Csv => "text/csv; charset=utf-8; header=present",
    };
    Ok((encoding.headers(media_type), body).into_response())
}

/// The style sheet may be stored for ever: another one has another address.
pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE)
}
