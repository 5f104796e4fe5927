//! A whole exchange as text: configurations, a request and a response, in sections.
//!
//! Any bytes are a scene, so that no mutation is lost; what HTTP itself rules out before a filter
//! sees it (control characters in headers, a wrong `content-length`, a body after a 204) is put
//! right while reading. Written by hand or made from a golden case, it looks like this, with empty
//! sections where there is nothing:
//!
//! ```text
//! {"request": {"set": [{"name": "x-a", "value": "{{ header('x-b') }}"}]}}
//! %%
//! (a configuration of the route)
//! %%
//! :method: POST
//! x-b: 1
//! +x-trailer: 2
//! %%
//! (the body of the request)
//! %%
//! :status: 200
//! %%
//! (the body of the response)
//! ```

/// What stands between two sections.
pub const SEPARATOR: &[u8] = b"\n%%\n";

/// Everything that takes part in one exchange.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The filter's configuration.
    pub config: &'a [u8],
    /// The route's configuration; empty for none.
    pub route: &'a [u8],
    /// What the client sends.
    pub request: Message<'a>,
    /// What the upstream answers.
    pub response: Message<'a>,
}

/// One message. Names are in lower case.
#[derive(Debug)]
pub struct Message<'a> {
    /// Headers in order, pseudo headers first.
    pub headers: Vec<(String, String)>,
    /// Trailers in order.
    pub trailers: Vec<(String, String)>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Scene<'a> {
    /// Reads a scene from any bytes.
    pub fn read(bytes: &'a [u8]) -> Scene<'a> {
        let mut sections = sections(bytes);
        let mut next = || sections.next().unwrap_or_default();
        let (config, route) = (next(), next());
        let mut request = Message::read(next(), next());
        let mut response = Message::read(next(), next());
        for (name, otherwise) in [
            (":path", "/"),
            (":authority", "example.com"),
            (":scheme", "http"),
        ] {
            request.default_to(name, otherwise);
        }
        request.default_to(":method", "GET");
        response.default_to(":status", "200");
        let final_status =
            |status: &str| status.parse().is_ok_and(|it: u32| (200..600).contains(&it));
        response
            .headers
            .retain(|(name, value)| name != ":status" || final_status(value));
        response.default_to(":status", "200");
        let status = response.value(":status").unwrap_or_default();
        if request.value(":method") == Some("HEAD") || matches!(status, "204" | "205" | "304") {
            response.body = b"";
            response.trailers.clear();
        } else {
            response.fit_length();
        }
        request.fit_length();
        Scene {
            config,
            route,
            request,
            response,
        }
    }

    /// Whether the client asks for another protocol or a tunnel.
    pub fn is_upgrade(&self) -> bool {
        self.request.value(":method") == Some("CONNECT") || self.request.value("upgrade").is_some()
    }
}

impl<'a> Message<'a> {
    fn read(head: &[u8], body: &'a [u8]) -> Message<'a> {
        let mut message = Message {
            headers: Vec::new(),
            trailers: Vec::new(),
            body,
        };
        let head = String::from_utf8_lossy(head);
        for line in head.lines() {
            let (trailer, line) = match line.strip_prefix('+') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            let colon = line.char_indices().find(|&(at, it)| at > 0 && it == ':');
            let Some((name, value)) =
                colon.and_then(|(at, _)| Some((line.get(..at)?, line.get(at + 1..)?)))
            else {
                continue;
            };
            let plain = name.strip_prefix(':').unwrap_or(name);
            let token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let pseudo = plain.len() < name.len();
            if plain.is_empty()
                || !plain.bytes().all(token)
                || (pseudo && (trailer || message.value(name).is_some()))
            {
                continue;
            }
            // Envoy's codecs own these.
            if ["transfer-encoding", "host"].contains(&name) {
                continue;
            }
            let value: String = value.chars().filter(|it| !it.is_control()).collect();
            let field = (name.to_ascii_lowercase(), value.trim().to_owned());
            if trailer {
                message.trailers.push(field)
            } else {
                message.headers.push(field)
            }
        }
        message
    }

    /// The first value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }

    fn default_to(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(key, _)| key == name) {
            Some((_, empty)) if empty.is_empty() => *empty = value.to_owned(),
            Some(_) => {}
            None => self.headers.insert(0, (name.to_owned(), value.to_owned())),
        }
    }

    /// A declared length is the length of the body.
    fn fit_length(&mut self) {
        let declared = self.value("content-length").is_some();
        self.headers.retain(|(name, _)| name != "content-length");
        if declared && self.trailers.is_empty() {
            self.headers
                .push(("content-length".to_owned(), self.body.len().to_string()));
        }
    }
}

/// The sections of an input, without what stands between them.
pub fn sections(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let at = bytes
            .windows(SEPARATOR.len())
            .position(|it| it == SEPARATOR);
        let (section, behind) = match at {
            Some(at) => (bytes.get(..at)?, bytes.get(at + SEPARATOR.len()..)),
            None => (bytes, None),
        };
        rest = behind;
        Some(section)
    })
}
