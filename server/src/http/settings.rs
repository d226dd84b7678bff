use std::time::Duration;

use ipnet::IpNet;

/// What a deployment may change about the transport. The defaults are the published limits.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub body_max_bytes: usize,
    /// For the whole body to arrive.
    pub body_deadline: Duration,
    pub execution_deadline: Duration,
    /// The same for callers without credentials.
    pub anonymous_execution_deadline: Duration,
    /// Peers whose `X-Forwarded-For` is believed. Empty: the peer is the client.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins other than the gateway's own whose pages may open a WebSocket, such as `https://app.example.com`.
    pub allowed_origins: Vec<String>,
    pub websocket: WebSocketSettings,
    /// Between two comments on an event stream that has nothing to say.
    pub event_stream_keep_alive: Duration,
    pub graphiql: GraphiqlSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_max_bytes: 256 * 1024,
            body_deadline: Duration::from_secs(10),
            execution_deadline: Duration::from_secs(10),
            anonymous_execution_deadline: Duration::from_secs(2),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            websocket: WebSocketSettings::default(),
            event_stream_keep_alive: Duration::from_secs(12),
            graphiql: GraphiqlSettings::default(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct WebSocketSettings {
    /// From the upgrade to `connection_init`.
    pub init_deadline: Duration,
    /// Between two pings; a peer silent for two of them is gone.
    pub ping_interval: Duration,
    /// For one message to leave; a peer that does not read is cut off.
    pub send_deadline: Duration,
    /// How long an operation may wait for room in its buffer.
    pub slow_consumer_patience: Duration,
    pub max_operations: usize,
    pub message_max_bytes: usize,
    /// Answers waiting to be sent, for each operation.
    pub operation_buffer_messages: usize,
    /// Answers waiting to be sent, for the whole socket.
    pub socket_buffer_bytes: usize,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            init_deadline: Duration::from_secs(3),
            ping_interval: Duration::from_secs(12),
            send_deadline: Duration::from_secs(10),
            slow_consumer_patience: Duration::from_secs(5),
            max_operations: 50,
            message_max_bytes: 256 * 1024,
            operation_buffer_messages: 256,
            socket_buffer_bytes: 8 * 1024 * 1024,
        }
    }
}

/// What GraphiQL opens with.
#[derive(Clone, Debug, Default)]
pub struct GraphiqlSettings {
    pub tabs: Vec<Tab>,
    /// JSON object put in the header editor, such as a demo key. It is sent to whoever opens the page.
    pub headers: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Tab {
    pub title: Option<String>,
    pub query: String,
    /// JSON objects, as they are shown in the editors.
    pub variables: Option<String>,
    pub headers: Option<String>,
}
