//! GraphiQL, with nothing loaded from another host.
//!
//! `server/build.rs` renders the page once, compressed, and with it the policy that lets the browser run this
//! page's script and no other. What a deployment changes (tabs, headers) is a JSON document the page fetches:
//! unlike a script, no page of another origin can read it, and nothing needs escaping into HTML.

use std::convert::identity;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use async_graphql::Executor;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::probes::{entity_tag, is_known};
use super::{GraphiqlSettings, Service, Tab};

/// Empty when the build had no npm.
const PAGE_BROTLI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/graphiql.html.br"));
const POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/graphiql.policy"));
/// Why there is no page; empty when there is one.
const MISSING: &str = include_str!(concat!(env!("OUT_DIR"), "/graphiql.missing"));

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// Expanding is given this much at once, so that few reads make up the page.
const EXPAND_BUFFER_BYTES: usize = 64 * 1024;

pub(super) async fn page(headers: HeaderMap) -> Response {
    if PAGE_BROTLI.is_empty() {
        return missing();
    }
    let is_brotli = accepts_brotli(&headers);
    // One tag for each representation, or a cache could pass one off as the other.
    static TAGS: OnceLock<[HeaderValue; 2]> = OnceLock::new();
    let [brotli_tag, plain_tag] =
        TAGS.get_or_init(|| [entity_tag(PAGE_BROTLI), entity_tag(&[PAGE_BROTLI, b"plain"].concat())]);
    let tag = if is_brotli { brotli_tag } else { plain_tag };
    let mut response = if is_known(&headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if is_brotli {
        ([(header::CONTENT_ENCODING, HeaderValue::from_static("br"))], Bytes::from_static(PAGE_BROTLI)).into_response()
    } else {
        match tokio::task::spawn_blocking(expanded).await.map_err(std::io::Error::other).and_then(identity) {
            Ok(page) => page.into_response(),
            Err(error) => {
                tracing::error!(%error, "the page of GraphiQL cannot be expanded");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HTML);
    headers.insert(header::ETAG, tag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// What the page starts with, in the words of the package's options.
pub(super) async fn settings<E: Executor>(State(service): State<Arc<Service<E>>>) -> Response {
    let corp = HeaderName::from_static("cross-origin-resource-policy");
    let headers = [(corp, HeaderValue::from_static("same-origin"))];
    (headers, Json(PageSettings::new(&service.settings.graphiql))).into_response()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageSettings {
    title: &'static str,
    /// Empty, or the package shows its own.
    logo: &'static str,
    endpoint: &'static str,
    /// The one that sends the header editor's headers with a subscription too; the page's WebSocket would not.
    subscriptions_protocol: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    default_tabs: Vec<PageTab>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<String>,
    /// In the browser's storage, where any script of this origin could read them; so only headers that the
    /// page was given anyway.
    should_persist_headers: bool,
}

#[derive(Serialize)]
struct PageTab {
    query: String,
    variables: Option<String>,
    headers: Option<String>,
}

impl PageSettings {
    fn new(settings: &GraphiqlSettings) -> Self {
        Self {
            title: "Banyan",
            logo: "",
            endpoint: "/graphql",
            subscriptions_protocol: "SSE",
            default_tabs: settings.tabs.iter().map(|tab| PageTab::new(tab, settings)).collect(),
            headers: settings.headers.clone(),
            should_persist_headers: settings.headers.is_some(),
        }
    }
}

impl PageTab {
    /// GraphiQL names a tab after its operation, so a title can only be the first line of the text.
    fn new(tab: &Tab, settings: &GraphiqlSettings) -> Self {
        let query = match &tab.title {
            Some(title) => format!("# {}\n\n{}", title.replace(['\r', '\n'], " "), tab.query),
            None => tab.query.clone(),
        };
        let headers = tab.headers.clone().or_else(|| settings.headers.clone());
        Self { query, variables: tab.variables.clone(), headers }
    }
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::trim);
        let is_refused = weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        name.trim().eq_ignore_ascii_case("br") && !is_refused
    })
}

/// Once, and kept: 9 MB are cheaper than expanding them for whoever asks.
fn expanded() -> std::io::Result<Bytes> {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    if let Some(page) = PAGE.get() {
        return Ok(page.clone());
    }
    let mut page = Vec::new();
    brotli_decompressor::Decompressor::new(PAGE_BROTLI, EXPAND_BUFFER_BYTES).read_to_end(&mut page)?;
    Ok(PAGE.get_or_init(|| Bytes::from(page)).clone())
}

/// The reason is npm's text, so it is escaped.
fn missing() -> Response {
    let reason = MISSING.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>GraphiQL is not in this build</title>\
         <h1>GraphiQL is not in this build</h1>\
         <p>The page is put together with npm when Banyan is compiled, and that did not work: {reason}</p>\
         <p>Install Node.js 20 or later with npm, let it reach its registry, then run \
         <code>touch server/build.rs</code> and <code>cargo build</code>.</p>\
         <p>The API itself is complete: send POST requests to <code>/graphql</code>; the schema is at \
         <a href=\"/schema.graphql\">/schema.graphql</a>.</p></html>"
    );
    ([(header::CONTENT_TYPE, HTML)], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        accepts_brotli(&headers)
    }

    #[test]
    fn brotli_is_sent_to_who_asks_for_it() {
        assert!(accepts("gzip, deflate, br, zstd"));
        assert!(accepts("br;q=0.5"));
        assert!(!accepts("gzip, br;q=0"));
        assert!(!accepts("gzip"));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn tabs_without_headers_of_their_own_take_the_default_ones() {
        let settings = GraphiqlSettings {
            tabs: vec![
                Tab { title: Some("Who am I".to_owned()), query: "{ a }".to_owned(), ..Tab::default() },
                Tab { headers: Some("{}".to_owned()), ..Tab::default() },
            ],
            headers: Some(r#"{"Authorization":"Bearer demo"}"#.to_owned()),
        };
        let page = PageSettings::new(&settings);
        assert_eq!(page.default_tabs[0].query, "# Who am I\n\n{ a }");
        assert_eq!(page.default_tabs[0].headers, settings.headers);
        assert_eq!(page.default_tabs[1].headers.as_deref(), Some("{}"));
    }

    #[test]
    fn headers_are_kept_in_the_browser_only_when_they_came_from_here() {
        assert!(!PageSettings::new(&GraphiqlSettings::default()).should_persist_headers);
    }
}
