//! Which addresses a webhook may be sent to: those of the public internet. Pure.
//!
//! IPv4 lists what IANA's special-purpose registry keeps from being public; IPv6 admits the one block that is given out
//! (2000::/3) and takes out of it what leads elsewhere. Addresses that carry another one inside them (mapped, compatible,
//! 6to4, NAT64, Teredo) are refused whatever they carry.
//!
//! Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What of this machine itself may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    Refused,
    /// For development and tests: 127.0.0.0/8 and ::1, and nothing else that is not public.
    Allowed,
}

/// Why an address is not dialled; `None` when it may be.
pub fn refusal(address: IpAddr, loopback: Loopback) -> Option<&'static str> {
    let reason = match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    };
    reason.filter(|_| !(loopback == Loopback::Allowed && address.is_loopback()))
}

/// Network, length of its prefix, and what it is.
type Block<A> = (A, u32, &'static str);

const V4: &[Block<Ipv4Addr>] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by carriers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // Not special to IANA: where Azure's machines find their host.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, where clouds keep metadata"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "AS112"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "AMT"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "AS112"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// What is given out to the public.
const PUBLIC_V6: Block<Ipv6Addr> = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, "");

/// Inside of [`PUBLIC_V6`] and not public.
const V6: &[Block<Ipv6Addr>] = &[
    // Teredo, benchmarking, ORCHID and other protocols.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols, Teredo among them"),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48, "AS112"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Outside of [`PUBLIC_V6`], by name; the rest is refused without one.
const NAMED_V6: &[Block<Ipv6Addr>] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address in another form"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96, "an IPv4 address in another form"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 32, "NAT64"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

fn of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let holds = |(network, length, _): &&Block<Ipv4Addr>| {
        let differ = (network.to_bits() ^ address.to_bits()).checked_shr(32 - length).unwrap_or(0);
        differ == 0
    };
    V4.iter().find(holds).map(|(_, _, what)| *what)
}

fn of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let holds = |(network, length, _): &Block<Ipv6Addr>| {
        let differ = (network.to_bits() ^ address.to_bits()).checked_shr(128 - length).unwrap_or(0);
        differ == 0
    };
    let named = |blocks: &[Block<Ipv6Addr>]| blocks.iter().find(|block| holds(block)).map(|(_, _, what)| *what);
    if holds(&PUBLIC_V6) { named(V6) } else { Some(named(NAMED_V6).unwrap_or("not given out to the public")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> IpAddr {
        match url::Url::parse(url).unwrap().host() {
            Some(url::Host::Ipv4(address)) => address.into(),
            Some(url::Host::Ipv6(address)) => address.into(),
            other => panic!("{url} names {other:?}, no address"),
        }
    }

    /// Every spelling a URL may have, as the sender reads it, and whether the address is this machine's.
    const REFUSED: &[(&str, bool)] = &[
        // Loopback, in every base and length.
        ("https://127.0.0.1/", true),
        ("https://127.0.0.1.:8443/", true),
        ("https://127.255.255.254/", true),
        ("https://127.1/", true),
        ("https://127.0.1/", true),
        ("https://2130706433/", true),
        ("https://0x7f000001/", true),
        ("https://0x7f.0.0.1/", true),
        ("https://0x7F.1/", true),
        ("https://017700000001/", true),
        ("https://0177.0.0.01/", true),
        ("https://0177.0x0.1/", true),
        ("https://①②⑦.⓪.⓪.①/", true),
        ("https://127%2e0%2e0%2e1/", true),
        ("https://127。0。0。1/", true),
        ("https://[::1]/", true),
        ("https://[0:0:0:0:0:0:0:1]/", true),
        ("https://[0000::0001]/", true),
        // Loopback and others inside of IPv6.
        ("https://[::ffff:127.0.0.1]/", false),
        ("https://[::ffff:7f00:1]/", false),
        ("https://[::ffff:8.8.8.8]/", false),
        ("https://[::127.0.0.1]/", false),
        ("https://[::ffff:0:127.0.0.1]/", false),
        ("https://[64:ff9b::7f00:1]/", false),
        ("https://[64:ff9b::169.254.169.254]/", false),
        ("https://[64:ff9b:1::10.0.0.1]/", false),
        ("https://[2002:7f00:1::]/", false),
        ("https://[2002:a9fe:a9fe::1]/", false),
        ("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", false),
        // Unspecified and this network.
        ("https://0.0.0.0/", false),
        ("https://0/", false),
        ("https://0.1.2.3/", false),
        ("https://[::]/", false),
        // Private.
        ("https://10.0.0.1/", false),
        ("https://10.255.255.255/", false),
        ("https://012.0.0.1/", false),
        ("https://172.16.0.1/", false),
        ("https://172.31.255.255/", false),
        ("https://192.168.0.1/", false),
        ("https://3232235777/", false),
        ("https://[fc00::1]/", false),
        ("https://[fd12:3456:789a::1]/", false),
        ("https://[fd00:ec2::254]/", false),
        // Link-local and metadata.
        ("https://169.254.169.254/latest/meta-data/", false),
        ("https://0xa9fea9fe/", false),
        ("https://2852039166/", false),
        ("https://169.254.170.2/", false),
        ("https://100.100.100.200/", false),
        ("https://168.63.129.16/", false),
        ("https://192.0.0.192/", false),
        ("https://[fe80::1]/", false),
        ("https://[fe80::a9fe:a9fe]/", false),
        ("https://[febf::1]/", false),
        // Carriers, relays, benchmarks, documentation.
        ("https://100.64.0.1/", false),
        ("https://100.127.255.255/", false),
        ("https://192.88.99.1/", false),
        ("https://198.18.0.1/", false),
        ("https://198.19.255.255/", false),
        ("https://192.0.2.1/", false),
        ("https://198.51.100.1/", false),
        ("https://203.0.113.1/", false),
        ("https://[2001:db8::1]/", false),
        ("https://[3fff::1]/", false),
        ("https://[2001:2::1]/", false),
        ("https://[2001:20::1]/", false),
        // Multicast, broadcast, reserved, not given out.
        ("https://224.0.0.1/", false),
        ("https://239.255.255.250/", false),
        ("https://240.0.0.1/", false),
        ("https://255.255.255.255/", false),
        ("https://[ff02::1]/", false),
        ("https://[fec0::1]/", false),
        ("https://[100::1]/", false),
        ("https://[5f00::1]/", false),
        ("https://[4000::1]/", false),
    ];

    #[test]
    fn no_spelling_of_an_address_that_is_not_public_is_dialled() {
        for (url, _) in REFUSED {
            assert!(refusal(host(url), Loopback::Refused).is_some(), "{url} would be dialled");
        }
        println!("{} spellings, {} refused", REFUSED.len(), REFUSED.len());
    }

    #[test]
    fn the_setting_lets_loopback_through_and_nothing_else() {
        for (url, is_loopback) in REFUSED {
            assert_eq!(refusal(host(url), Loopback::Allowed).is_none(), *is_loopback, "{url}");
        }
    }

    #[test]
    fn public_addresses_are_dialled_to_the_edges_of_what_is_refused() {
        for url in [
            "https://1.1.1.1/",
            "https://9.255.255.255/",
            "https://11.0.0.0/",
            "https://100.63.255.255/",
            "https://100.128.0.0/",
            "https://126.255.255.255/",
            "https://128.0.0.0/",
            "https://169.253.255.255/",
            "https://172.15.255.255/",
            "https://172.32.0.0/",
            "https://192.167.255.255/",
            "https://198.17.255.255/",
            "https://198.20.0.0/",
            "https://223.255.255.255/",
            "https://[2001:200::1]/",
            "https://[2606:4700:4700::1111]/",
            "https://[2a00:1450:4001:830::200e]/",
            "https://[2003::1]/",
        ] {
            assert_eq!(refusal(host(url), Loopback::Refused), None, "{url}");
        }
    }
}
