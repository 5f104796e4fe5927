//! An Envoy with the module, the service behind it, and requests to it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// How long anything may take before a test gives up.
const LIMIT: Duration = Duration::from_secs(30);

/// What `find` finds, once it does.
pub fn eventually<T>(find: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never comes");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A request or an answer.
#[derive(Clone, Default)]
pub struct Message {
    pub path: String,
    pub status: u16,
    pub body: String,
    headers: HashMap<String, String>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads a whole message of HTTP/1.1.
    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            from.read_line(&mut line).ok()?;
            Some(line.trim_end().to_owned())
        };
        let first = line().filter(|first| !first.is_empty())?;
        let second_word = first.split(' ').nth(1)?.to_owned();
        let mut message = Self {
            status: second_word.parse().unwrap_or_default(),
            path: second_word,
            ..Self::default()
        };
        while let Some(line) = line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let (name, value) = (name.to_lowercase(), value.trim().to_owned());
            message.headers.insert(name, value);
        }
        let mut body = Vec::new();
        if message.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut size = String::new();
                from.read_line(&mut size).ok()?;
                let size = u64::from_str_radix(size.trim(), 16).ok()?;
                from.by_ref().take(size).read_to_end(&mut body).ok()?;
                from.read_line(&mut String::new()).ok()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            let length = message.header("content-length");
            let length = length.map_or(Ok(0), str::parse).ok()?;
            from.take(length).read_to_end(&mut body).ok()?;
        }
        message.body = String::from_utf8(body).ok()?;
        Some(message)
    }
}

/// What a service answers.
pub struct Reply {
    status: u16,
    body: String,
}

impl Reply {
    pub fn new(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self { status, body }
    }
}

type Seen = Arc<Mutex<Vec<Message>>>;

/// Starts a service: one thread for each connection, one request on each.
fn serve(answer: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, answer) = (Seen::default(), Arc::new(answer));
    let all = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
            thread::spawn(move || {
                let request = Message::read(&mut BufReader::new(&stream))?;
                all.lock().ok()?.push(request.clone());
                let Reply { status, body } = answer(&request);
                let length = body.len();
                let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n");
                write!(&stream, "{head}connection: close\r\n\r\n{body}").ok()
            });
        }
    });
    (address, seen)
}

/// A running Envoy; it ends with the test.
pub struct Lab {
    envoy: Child,
    folder: PathBuf,
    front: SocketAddr,
    admin: SocketAddr,
    seen: Seen,
}

impl Lab {
    /// Envoy with `envoy.yaml`, and a service in the place of the stand-ins.
    pub fn start(answer: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let binary = env::var_os("ENVOY").expect("ENVOY names the binary of an Envoy");
        let (service, seen) = serve(answer);
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let yaml = fs::read_to_string(project.join("envoy.yaml")).unwrap();
        let port =
            |from: u16, to: u16| (format!("port_value: {from} "), format!("port_value: {to} "));
        let (stand_in, free) = port(10001, 0);
        let (_, of_service) = port(10001, service.port());
        // The listener of the stand-ins comes first in the file, then the clusters.
        let yaml = yaml
            .replacen(&stand_in, &free, 1)
            .replace(&stand_in, &of_service);
        let yaml = [port(10000, 0), port(9901, 0)]
            .iter()
            .fold(yaml, |yaml, (from, to)| yaml.replace(from, to));

        static LABS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let lab = LABS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("my-filter-{}-{lab}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("envoy.yaml"), yaml).unwrap();
        // Cargo has built the module beside this test.
        let test = env::current_exe().unwrap();
        let mut command = Command::new(binary);
        command
            .current_dir(project)
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", test.parent().unwrap())
            .arg("--config-path")
            .arg(folder.join("envoy.yaml"))
            .arg("--admin-address-path")
            .arg(folder.join("admin"))
            .args(["--concurrency", "2", "--disable-hot-restart"])
            .args(["--log-level", "warning"])
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap());
        let envoy = command.spawn().expect("ENVOY names the binary of an Envoy");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut lab = Self {
            envoy,
            folder,
            front: nowhere,
            admin: nowhere,
            seen,
        };
        lab.wait();
        lab
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(ready) = self.addresses() {
                (self.admin, self.front) = ready;
                return;
            }
            let ended = self.envoy.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("Envoy does not serve: {ended:?}\n{log}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where Envoy listens, once it does.
    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        let admin = fs::read_to_string(self.folder.join("admin")).ok()?;
        let admin = admin.trim().parse().ok()?;
        let ready = send(admin, "GET", "/ready", &[], "")?;
        let listeners = send(admin, "GET", "/listeners", &[], "")?.body;
        let mut fronts = listeners
            .lines()
            .filter_map(|it| it.strip_prefix("front::"));
        (ready.body.trim() == "LIVE").then_some(())?;
        Some((admin, fronts.next()?.parse().ok()?))
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Message {
        send(self.front, "GET", path, headers, "").expect("an answer")
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Message {
        send(self.front, "POST", path, headers, body).expect("an answer")
    }

    /// What Envoy's admin interface says.
    pub fn admin(&self, path: &str) -> String {
        send(self.admin, "GET", path, &[], "")
            .expect("an answer")
            .body
    }

    /// What the service has got so far.
    pub fn seen(&self) -> Vec<Message> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            eprintln!("Envoy's log:\n{log}");
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Message> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-length: {}\r\n", body.len());
    }
    write!(stream, "{text}\r\n{body}").ok()?;
    Message::read(&mut BufReader::new(stream))
}
