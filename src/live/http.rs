//! As much of HTTP/1.1 as a page that only reads needs: GET without a body, one request a connection.
//!
//! Heads are parsed by `httparse`, hyper's own parser. Whatever comes in meets a limit first: the size of a head, the
//! time it may take, the time that a browser may not read.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The largest head of a request, in bytes.
const MOST_BYTES: usize = 16 << 10;

/// The most fields of a head.
const MOST_FIELDS: usize = 64;

/// How long a head may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a write may wait for a browser that does not read.
const LONG_PATIENCE: Duration = Duration::from_secs(60);

/// What the page may load: what this server has, and nothing else.
pub const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                        connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a report may load: nothing. Its script and style are in it.
pub const REPORT: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                          img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer carries.
const EVERY: &str = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
                     Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
                     Connection: close\r\n";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The parts of the path, decoded; none of `/`.
    pub path: Vec<String>,
    /// The name by which this machine was asked.
    pub host: Option<String>,
    /// The last event that a browser that comes back has seen.
    pub last_event: Option<String>,
}

/// How an answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    BadRequest,
    NotFound,
    NotAllowed,
    WrongHost,
    Failed,
    Busy,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::NotAllowed => "405 Method Not Allowed\r\nAllow: GET",
            Self::WrongHost => "421 Misdirected Request",
            Self::Failed => "500 Internal Server Error",
            Self::Busy => "503 Service Unavailable",
        }
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: Status,
    pub kind: &'static str,
    pub policy: &'static str,
    pub body: Vec<u8>,
}

impl Answer {
    /// Something that was asked for.
    pub fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: Status::Ok,
            kind,
            policy: PAGE,
            body: body.into(),
        }
    }

    /// Why there is none.
    pub fn refusal(status: Status, message: &str) -> Self {
        Self {
            status,
            ..Self::of("text/plain; charset=utf-8", format!("{message}\n"))
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the browser has gone.
    pub fn send(&self, out: &mut TcpStream) -> io::Result<()> {
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nContent-Security-Policy: {}\r\n{EVERY}\r\n",
            self.status.line(),
            self.kind,
            self.body.len(),
            self.policy
        );
        out.write_all(head.as_bytes())?;
        out.write_all(&self.body)
    }
}

/// Begins a stream of server-sent events, which ends with the connection.
///
/// # Errors
/// When the browser has gone.
pub fn begin_events(out: &mut TcpStream) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Security-Policy: {PAGE}\r\n{EVERY}\r\n"
    );
    out.write_all(head.as_bytes())
}

/// Reads the head of a request.
///
/// # Errors
/// When the connection breaks. What is no request of ours is an answer that says so.
pub fn receive(stream: &mut TcpStream) -> io::Result<Result<Request, Answer>> {
    stream.set_write_timeout(Some(LONG_PATIENCE))?;
    let begun = Instant::now();
    let mut head = Vec::new();
    let mut block = [0; 2048];
    loop {
        let left = PATIENCE.checked_sub(begun.elapsed());
        let left = left.filter(|left| !left.is_zero());
        stream.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        let count = stream.read(&mut block)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&block[..count]);
        match parse(&head) {
            Some(found) => return Ok(found),
            None if head.len() > MOST_BYTES => {
                let message = "the head of the request is too long";
                return Ok(Err(Answer::refusal(Status::BadRequest, message)));
            }
            None => {}
        }
    }
}

/// The request that a head holds; nothing if it is not whole yet.
fn parse(head: &[u8]) -> Option<Result<Request, Answer>> {
    let refused = |status, message: &str| Some(Err(Answer::refusal(status, message)));
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(head) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(error) => return refused(Status::BadRequest, &format!("no request: {error}")),
    }
    if parsed.method != Some("GET") {
        return refused(Status::NotAllowed, "this server only shows");
    }
    let target = parsed.path.unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let Some(path) = segments(path) else {
        return refused(Status::BadRequest, "the path makes no sense");
    };
    let field = |name: &str| {
        let found = parsed
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))?;
        Some(std::str::from_utf8(found.value).ok()?.trim().to_owned())
    };
    Some(Ok(Request {
        path,
        host: field("host"),
        last_event: field("last-event-id"),
    }))
}

/// The parts of a path, each decoded by itself.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.split('/').map(decoded).collect()
}

/// Text in which `%2F` stands for a slash, and so on.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// Whether a request names this machine as only itself can be named.
///
/// A page elsewhere may have its own name lead to the loopback address (DNS rebinding), and would then read what
/// this server says. The name it asks for gives it away.
pub fn is_loopback(host: Option<&str>) -> bool {
    let name = match host.map(|host| (host, host.strip_prefix('['))) {
        Some((_, Some(rest))) => rest.split(']').next(),
        Some((host, None)) => host.split(':').next(),
        None => None,
    };
    matches!(name, Some("localhost" | "127.0.0.1" | "::1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(head: &str) -> Vec<String> {
        parse(head.as_bytes()).unwrap().unwrap().path
    }

    #[test]
    fn a_request_is_read_and_its_path_decoded_part_by_part() {
        let head = "GET /runs/a%2Fb%20c/events?x=1 HTTP/1.1\r\nhost: localhost:1\r\nLast-Event-ID: 7-1\r\n\r\n";
        let request = parse(head.as_bytes()).unwrap().unwrap();
        assert_eq!(request.path, ["runs", "a/b c", "events"]);
        assert_eq!(request.host.as_deref(), Some("localhost:1"));
        assert_eq!(request.last_event.as_deref(), Some("7-1"));
        assert!(path("GET / HTTP/1.1\r\n\r\n").is_empty());
        assert_eq!(path("GET /a/../b HTTP/1.1\r\n\r\n"), ["a", "..", "b"]);
        assert_eq!(parse(b"GET / HTTP/1.1\r\nhost: x\r\n"), None);
    }

    #[test]
    fn what_is_no_request_of_ours_is_refused() {
        let status = |head: &str| parse(head.as_bytes()).unwrap().unwrap_err().status;
        assert_eq!(status("POST / HTTP/1.1\r\n\r\n"), Status::NotAllowed);
        for head in [
            "GET /%zz HTTP/1.1\r\n\r\n",
            "GET /%+1 HTTP/1.1\r\n\r\n",
            "GET /%2 HTTP/1.1\r\n\r\n",
            "GET /%ff HTTP/1.1\r\n\r\n",
            "GET http://elsewhere/ HTTP/1.1\r\n\r\n",
            "nonsense\r\n\r\n",
            "\u{1}\u{2}\r\n\r\n",
        ] {
            assert_eq!(status(head), Status::BadRequest, "{head}");
        }
        let many = "a: b\r\n".repeat(MOST_FIELDS + 1);
        let head = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert_eq!(status(&head), Status::BadRequest);
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let head =
            b"GET /runs/a%2Fb/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 7-1\r\n\r\n";
        for at in 0..head.len() {
            let _ = parse(&head[..at]);
            for byte in (0..=255).step_by(3) {
                let mut changed = head.to_vec();
                changed[at] = byte;
                if let Some(Ok(request)) = parse(&changed) {
                    is_loopback(request.host.as_deref());
                }
            }
        }
    }

    #[test]
    fn only_names_of_the_loopback_interface_are_its() {
        for host in ["localhost", "localhost:80", "127.0.0.1:8642", "[::1]:1"] {
            assert!(is_loopback(Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
            "[::2]",
            "",
        ] {
            assert!(!is_loopback(Some(host)), "{host}");
        }
        assert!(!is_loopback(None));
    }
}
