use axum::http::{HeaderMap, header};

/// What an answer can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    GraphqlResponse,
    Json,
    EventStream,
    Html,
}

impl Media {
    fn essence(self) -> &'static str {
        match self {
            Media::GraphqlResponse => "application/graphql-response+json",
            Media::Json => "application/json",
            Media::EventStream => "text/event-stream",
            Media::Html => "text/html",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Media::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Media::Json => "application/json; charset=utf-8",
            Media::EventStream => "text/event-stream",
            Media::Html => "text/html; charset=utf-8",
        }
    }
}

/// Ranges after these are ignored: nobody who means it sends more.
const RANGES_MAX: usize = 64;

/// The medium of `offered` the client prefers; none if it accepts none (406).
///
/// A wildcard means `application/json`, as the specification asks of servers with older clients. Of two
/// media that the client likes as much, the earlier of `offered` is taken.
pub(super) fn negotiate(headers: &HeaderMap, offered: &[Media]) -> Option<Media> {
    let lines: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    let ranges: Vec<Range<'_>> =
        lines.iter().flat_map(|line| line.split(',')).filter_map(Range::parse).take(RANGES_MAX).collect();
    if ranges.is_empty() {
        return offered.contains(&Media::Json).then_some(Media::Json);
    }
    let mut best: Option<(u16, Media)> = None;
    for &media in offered {
        let quality = quality(media, &ranges);
        if quality > best.map_or(0, |(best, _)| best) {
            best = Some((quality, media));
        }
    }
    best.map(|(_, media)| media)
}

/// Of the ranges that match, the most specific one decides.
fn quality(media: Media, ranges: &[Range<'_>]) -> u16 {
    let matching = ranges.iter().filter_map(|range| Some((range.specificity(media)?, range.quality)));
    matching.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, quality)| quality)
}

struct Range<'a> {
    essence: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().filter(|essence| essence.contains('/'))?;
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let quality = match weight {
            None => 1000,
            Some((_, value)) => thousandths(value.trim())?,
        };
        Some(Self { essence, quality })
    }

    fn specificity(&self, media: Media) -> Option<u8> {
        if self.essence.eq_ignore_ascii_case(media.essence()) {
            return Some(2);
        }
        match (self.essence, media) {
            ("application/*", Media::Json) => Some(1),
            ("*/*", Media::Json) => Some(0),
            _ => None,
        }
    }
}

fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const POST: [Media; 3] = [Media::GraphqlResponse, Media::Json, Media::EventStream];
    const GET: [Media; 4] = [Media::GraphqlResponse, Media::Json, Media::EventStream, Media::Html];

    fn accept(value: &'static str, offered: &[Media]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(value));
        negotiate(&headers, offered)
    }

    #[test]
    fn nothing_and_wildcards_mean_json() {
        assert_eq!(negotiate(&HeaderMap::new(), &POST), Some(Media::Json));
        assert_eq!(accept("*/*", &POST), Some(Media::Json));
        assert_eq!(accept("application/*", &GET), Some(Media::Json));
    }

    #[test]
    fn the_graphql_medium_wins_a_tie() {
        assert_eq!(accept("application/json, application/graphql-response+json", &POST), Some(Media::GraphqlResponse));
    }

    #[test]
    fn the_higher_quality_wins() {
        let value = "application/graphql-response+json;q=0.5, application/json;q=0.9";
        assert_eq!(accept(value, &POST), Some(Media::Json));
        assert_eq!(
            accept("application/graphql-response+json; charset=utf-8, */*;q=0.1", &POST),
            Some(Media::GraphqlResponse)
        );
    }

    #[test]
    fn a_browser_is_shown_the_page_on_get_only() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(accept(browser, &GET), Some(Media::Html));
        assert_eq!(accept(browser, &POST), Some(Media::Json));
    }

    #[test]
    fn a_refused_medium_is_not_given_by_a_wildcard() {
        assert_eq!(accept("application/json;q=0, */*", &POST), None);
    }

    #[test]
    fn a_medium_nobody_offers_is_not_acceptable() {
        assert_eq!(accept("image/png", &POST), None);
        assert_eq!(accept("text/html", &POST), None);
    }

    #[test]
    fn a_range_with_a_malformed_quality_is_ignored() {
        assert_eq!(accept("text/event-stream;q=2, application/json;q=0.1", &POST), Some(Media::Json));
    }
}
