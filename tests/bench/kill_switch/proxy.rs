//! The way to the database, which can be cut.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections end, and new ones are turned away.
    Severed,
    /// Nothing arrives any more, and nobody is told.
    Silent,
}

pub struct Proxy {
    /// The database by this way.
    pub url: String,
    way: watch::Sender<Way>,
}

impl Proxy {
    pub async fn before(database: &str) -> Self {
        let mut url = Url::parse(database).expect("the database's address is a URL");
        let host = url.host_str().expect("it names a host").to_owned();
        let port = url.port().unwrap_or(5432);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        url.set_host(Some("127.0.0.1")).expect("a host can be set");
        url.set_port(Some(address.port())).expect("a port can be set");
        let (way, state) = watch::channel(Way::Open);
        tokio::spawn(accept(listener, (host, port), state));
        Self { url: url.into(), way }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn accept(listener: TcpListener, database: (String, u16), way: watch::Receiver<Way>) {
    while let Ok((client, _)) = listener.accept().await {
        let (database, way) = (database.clone(), way.clone());
        tokio::spawn(async move {
            if *way.borrow() == Way::Severed {
                return;
            }
            if let Ok(server) = TcpStream::connect(database).await {
                carry(client, server, way).await;
            }
        });
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mut way: watch::Receiver<Way>) {
    let mut changed = way.clone();
    let cut = changed.wait_for(|way| *way != Way::Open);
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
        _ = cut => {}
    }
    if *way.borrow() == Way::Silent {
        // Both ends stay open and hear nothing. What was lost in between cannot be taken up again.
        let _ = way.wait_for(|way| *way != Way::Silent).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
