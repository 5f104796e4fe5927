//! `api-keys`: work on another thread, and back.
//!
//! Clients show a key in `x-api-key`; a file says whose it is, a line `key team` for each. The file is read for
//! each request, so that an edit holds at once. Reading can take long, and a worker that waits has all its
//! requests wait: so a thread of the configuration reads, wakes the request, and the worker goes on with it. Take
//! the same shape for a database or a computation.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use serde::Deserialize;

pub(crate) const NAME: &str = "api-keys";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    file: PathBuf,
}

/// The team of a key, if it has one.
type Answer = Result<Option<String>, String>;

/// A request that waits for an answer.
struct Job {
    key: Vec<u8>,
    answer: Sender<Answer>,
    wake: Box<dyn EnvoyHttpFilterScheduler>,
}

impl Drop for Job {
    // Whatever becomes of a job, its request is woken: one that was forgotten would wait for ever.
    fn drop(&mut self) {
        self.wake.commit(0);
    }
}

/// The thread that reads, and the way to it.
struct Reader {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(file: PathBuf) -> Result<Self, String> {
        let (jobs, waiting) = channel::<Job>();
        let run = move || {
            for job in waiting {
                // Nobody listens any more if the client has left.
                let _ = job.answer.send(team_of(&file, &job.key));
            }
        };
        let thread = thread::Builder::new().name(NAME.to_owned()).spawn(run);
        let thread = thread.map_err(|error| format!("no thread can be started: {error}"))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }
}

impl Drop for Reader {
    // Envoy may unload the module after this: no thread may be left in it.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It has panicked at most, which has been reported.
            let _ = thread.join();
        }
    }
}

fn team_of(file: &Path, key: &[u8]) -> Answer {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(known, _)| known.as_bytes() == key);
    Ok(found.map(|(_, team)| team.trim().to_owned()))
}

pub(crate) struct ApiKeys(Arc<Reader>);

impl ApiKeys {
    pub(crate) fn new(config: &[u8]) -> Result<Self, String> {
        let settings: Settings = crate::parse(config)?;
        Reader::start(settings.file).map(|reader| Self(Arc::new(reader)))
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for ApiKeys {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Client {
            reader: Arc::clone(&self.0),
            answer: None,
        })
    }
}

/// One request.
struct Client {
    reader: Arc<Reader>,
    /// Where the answer comes, while the request waits for it.
    answer: Option<Receiver<Answer>>,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Client {
    fn on_request_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> RequestHeadersStatus {
        let key = envoy.get_request_header_value("x-api-key");
        let Some(key) = key.map(|key| key.as_slice().to_vec()) else {
            envoy.send_response(
                401,
                &[],
                Some(b"show a key in x-api-key\n"),
                Some("no_api_key"),
            );
            return RequestHeadersStatus::StopIteration;
        };
        let (answer, coming) = channel();
        self.answer = Some(coming);
        let job = Job {
            key,
            answer,
            wake: Box::new(envoy.new_scheduler()),
        };
        if let Some(jobs) = &self.reader.jobs {
            // A thread that is gone gives the job back, and dropping it wakes the request.
            drop(jobs.send(job));
        }
        // Not `StopIteration`: the next piece of body would run its hook, which lets everything pass.
        RequestHeadersStatus::StopAllIterationAndWatermark
    }

    // Back on the worker.
    fn on_scheduled(&mut self, envoy: &mut EHF, _event_id: u64) {
        let Some(answer) = self.answer.take() else {
            return;
        };
        match answer.try_recv() {
            Ok(Ok(Some(team))) => {
                envoy.remove_request_header("x-api-key");
                envoy.set_request_header("x-team", team.as_bytes());
                envoy.continue_decoding();
            }
            Ok(Ok(None)) => {
                envoy.send_response(
                    401,
                    &[],
                    Some(b"nobody has this key\n"),
                    Some("unknown_api_key"),
                );
            }
            Ok(Err(problem)) => {
                envoy_log_warn!("{NAME}: {problem}");
                envoy.send_response(503, &[], None, Some("api_keys_unreadable"));
            }
            Err(_) => envoy.send_response(503, &[], None, Some("api_keys_unanswered")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoy, FakeMessage};

    use super::*;

    /// No test waits as long, unless it is about to fail.
    const LIMIT: Duration = Duration::from_secs(30);

    fn keys() -> ApiKeys {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/keys.txt");
        ApiKeys::new(format!(r#"{{"file": "{file}"}}"#).as_bytes()).unwrap()
    }

    fn request(key: &str) -> FakeMessage {
        FakeMessage::request("POST", "/")
            .header("x-api-key", key)
            .header("x-team", "what the client says")
            .chunk("body")
    }

    #[test]
    fn a_request_waits_for_its_team_and_goes_on_with_it() {
        let config = keys();
        let mut exchange = Exchange::new(&config, FakeEnvoy::default());
        exchange.request(&request("s3cret"));
        assert!(!exchange.upstream().has_headers());
        assert!(exchange.wait_scheduled(LIMIT));
        let upstream = exchange.upstream();
        assert_eq!(upstream.headers("x-team"), ["blue"]);
        assert_eq!(upstream.header("x-api-key"), None);
        assert_eq!(
            (upstream.text().as_str(), upstream.is_complete()),
            ("body", true)
        );
    }

    #[test]
    fn a_key_that_is_missing_or_unknown_is_refused() {
        let config = keys();
        let mut missing = Exchange::new(&config, FakeEnvoy::default());
        missing.request(&FakeMessage::request("GET", "/"));
        assert_eq!(missing.downstream().status(), Some(401));
        let mut unknown = Exchange::new(&config, FakeEnvoy::default());
        unknown.request(&request("guessed"));
        assert!(unknown.wait_scheduled(LIMIT));
        assert_eq!(unknown.downstream().status(), Some(401));
    }

    #[test]
    fn a_file_that_cannot_be_read_lets_nobody_in() {
        let config = ApiKeys::new(br#"{"file": "no-such-file"}"#).unwrap();
        let mut exchange = Exchange::new(&config, FakeEnvoy::default());
        exchange.request(&request("s3cret"));
        assert!(exchange.wait_scheduled(LIMIT));
        assert_eq!(exchange.downstream().status(), Some(503));
    }

    #[test]
    fn a_request_whose_job_is_lost_is_woken() {
        let (jobs, waiting) = channel();
        let config = ApiKeys(Arc::new(Reader {
            jobs: Some(jobs),
            thread: None,
        }));
        let mut exchange = Exchange::new(&config, FakeEnvoy::default());
        exchange.request(&request("s3cret"));
        assert!(exchange.is_held(HttpMessage::Request));
        drop(waiting);
        assert!(exchange.wait_scheduled(LIMIT));
        assert_eq!(exchange.local_reply_details(), Some("api_keys_unanswered"));
    }
}
