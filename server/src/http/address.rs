use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address: the peer, or, behind trusted proxies, the nearest hop that is not one of them.
/// Entries further left were written by whoever came before and prove nothing.
pub(super) fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut nearest = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.to_canonical());
    let lines: Vec<&str> = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !is_trusted(nearest) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            Err(_) => break,
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn address(peer: &str, forwarded: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_static(forwarded));
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
        let peer = peer.parse().expect("an address");
        client_address(Some(peer), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_name_its_own_address() {
        assert_eq!(address("203.0.113.9", "198.51.100.1"), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_nearest_other_hop_is_the_client() {
        assert_eq!(address("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
    }

    #[test]
    fn a_mapped_peer_is_compared_as_ipv4() {
        assert_eq!(address("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(address("10.0.0.1", "198.51.100.1, unknown"), "10.0.0.1");
    }
}
