//! The recipe of a token budget for each team, as `docs/llm.md` prints it: against the real rate limit
//! service where it can be had, and against a stand-in that shows each question.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::recipe::{LLM_PORT, RATE_LIMIT_PORT, Running};
use rustformations_tests::{Answer, Envoy, Recipe, Request, on_every_envoy, tools};
use serde_json::json;

use super::question::{self, Descriptor};
use super::{real, stand_in};
use crate::PATIENCE;
use crate::origin::Http2Origin;

const CHAT: &str = "/provider/v1/chat/completions";

/// Whichever service there is.
enum Service {
    Real(real::RateLimitService),
    StandIn(Http2Origin),
}

impl Service {
    fn start(recipe: &Recipe) -> Self {
        let limits = recipe.file("limits.yaml").unwrap();
        match real::program() {
            Ok(program) => Self::Real(real::RateLimitService::start(program, limits).unwrap()),
            Err(reason) => {
                let what = "the real rate limit service was not asked, but a stand-in";
                tools::skip(&format!("{what}; {reason}")).unwrap();
                Self::StandIn(stand_in::start(printed_limit(limits)).unwrap())
            }
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Real(service) => service.address(),
            Self::StandIn(service) => service.address(),
        }
    }
}

fn printed_limit(limits: &str) -> u64 {
    let (_, rest) = limits.split_once("requests_per_unit: ").unwrap();
    let digits = rest.split(|it: char| !it.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}

/// The recipe between a mock LLM and a rate limit service.
struct Budget {
    llm: MockLlm,
    running: Running,
}

impl Budget {
    fn start(envoy: &Envoy, recipe: &Recipe, text: &str, service: SocketAddr) -> Self {
        let llm = MockLlm::start("127.0.0.1:0").unwrap();
        let ports = [
            (LLM_PORT, llm.address().port()),
            (RATE_LIMIT_PORT, service.port()),
        ];
        let running = recipe.start_text(envoy, text, &ports).unwrap();
        Self { llm, running }
    }

    /// A streamed chat, whose client does not ask for its usage.
    fn chat(&self, team: &str, tokens: &str) -> Request {
        let said = json!([{"role": "user", "content": "Hello"}]);
        Request::new(self.running.address, "POST", CHAT)
            .header("x-team", team)
            .header("x-mock-tokens", tokens)
            .json(&json!({"model": "gpt-4o", "stream": true, "messages": said}))
    }

    fn ask(&self, team: &str, tokens: &str) -> Answer {
        self.chat(team, tokens).send()
    }

    /// Asks for next to nothing until it is refused; the answer that it then gets.
    fn refused(&self, team: &str) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Envoy tells the service when the stream is gone, and nobody waits for that.
            let answer = self.ask(team, "input:1,output:1");
            if answer.status != 200 {
                return answer;
            }
            assert!(Instant::now() < deadline, "{team} is never refused");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The printed file with the rate limit behind the module instead of in front of it.
fn behind(text: &str) -> String {
    let entry = |name: &str| text.find(&format!("          - name: {name}\n")).unwrap();
    let limit = entry("envoy.filters.http.ratelimit");
    let module = entry("rustformations");
    let router = entry("envoy.filters.http.router");
    assert!(limit < module && module < router);
    [
        &text[..limit],
        &text[module..router],
        &text[limit..module],
        &text[router..],
    ]
    .concat()
}

/// One team uses up its budget with one streamed chat, the other keeps its own.
fn keeps_budgets(budget: &Budget) {
    let answer = budget.ask("red", "input:90000,output:20000");
    assert_eq!(
        (answer.status, answer.cut),
        (200, false),
        "{}",
        answer.text()
    );
    assert!(!answer.text().contains("\"usage\""), "{}", answer.text());
    let refused = budget.refused("red");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-envoy-ratelimited"), "true");
    assert_eq!(budget.ask("red", "input:1,output:1").status, 429);
    for _ in 0..2 {
        assert_eq!(budget.ask("blue", "input:40000,output:5000").status, 200);
    }
    assert_eq!(budget.ask("blue", "input:1,output:1").status, 200);
    let nobody = Request::new(budget.running.address, "POST", CHAT).json(&json!({"model": "m"}));
    assert_eq!(nobody.send().status, 401);
}

fn questions(service: &Http2Origin, count: usize) -> Vec<Descriptor> {
    let deadline = Instant::now() + PATIENCE;
    while service.received().len() < count {
        assert!(Instant::now() < deadline, "{:?}", service.received());
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = service.received();
    let descriptors = asked.iter().flat_map(|it| question::descriptors(&it.body));
    descriptors.collect()
}

fn takes(team: &str, hits: u64) -> Descriptor {
    Descriptor {
        account: format!("team={team}"),
        hits_addend: Some(hits),
    }
}

on_every_envoy! {
    fn a_team_whose_tokens_are_used_up_is_refused_and_others_are_not(envoy) {
        let recipe = Recipe::read("budget").unwrap();
        let service = Service::start(&recipe);
        let text = recipe.file("envoy.yaml").unwrap();
        keeps_budgets(&Budget::start(envoy, &recipe, text, service.address()));
    }

    fn the_rate_limit_may_stand_behind_the_module_too(envoy) {
        let recipe = Recipe::read("budget").unwrap();
        let service = Service::start(&recipe);
        let text = behind(recipe.file("envoy.yaml").unwrap());
        keeps_budgets(&Budget::start(envoy, &recipe, &text, service.address()));
    }

    fn behind_the_module_each_model_may_have_a_budget(envoy) {
        let recipe = Recipe::read("budget").unwrap();
        let service = stand_in::start(100).unwrap();
        let by_team = "{ request_headers: { header_name: x-team, descriptor_key: team } }";
        let by_both = format!("{by_team}, {}", recipe.file("model.yaml").unwrap().trim());
        let text = behind(recipe.file("envoy.yaml").unwrap()).replace(by_team, &by_both);
        let budget = Budget::start(envoy, &recipe, &text, service.address());
        assert_eq!(budget.ask("red", "input:9,output:3").status, 200);
        let asked = questions(&service, 2);
        assert_eq!(asked, [takes("red,model=gpt-4o", 0), takes("red,model=gpt-4o", 12)]);
    }

    fn each_chat_asks_for_nothing_and_takes_what_it_took_once(envoy) {
        let recipe = Recipe::read("budget").unwrap();
        for is_behind in [false, true] {
            let service = stand_in::start(100).unwrap();
            let text = recipe.file("envoy.yaml").unwrap();
            let text = if is_behind { behind(text) } else { text.to_owned() };
            let budget = Budget::start(envoy, &recipe, &text, service.address());
            // Exactly the budget is not more than it.
            assert_eq!(budget.ask("red", "input:90,output:10").status, 200);
            assert_eq!(questions(&service, 2), [takes("red", 0), takes("red", 100)]);
            // A client that leaves pays for what is known by then: the words it was sent.
            let left = budget.chat("blue", "input:9,output:3")
                .header("x-mock-pause", "300")
                .header("x-mock-say", "one two three four five six");
            let mut left = left.begin().unwrap();
            assert!(left.next_piece().unwrap().is_some());
            drop(left);
            let asked = questions(&service, 4);
            assert_eq!(asked[2], takes("blue", 0));
            let taken = asked[3].hits_addend.unwrap();
            assert!((1..12).contains(&taken), "{asked:?}");
            // The account is over with one token more; who is refused takes none, and reaches no model.
            assert_eq!(budget.ask("red", "input:1,output:0").status, 200);
            assert_eq!(questions(&service, 6)[4..], [takes("red", 0), takes("red", 1)]);
            while budget.llm.next_asked(Duration::ZERO).is_some() {}
            assert_eq!(budget.ask("red", "input:1,output:1").status, 429);
            assert_eq!(budget.ask("green", "input:1,output:1").status, 200);
            let asked = questions(&service, 9);
            assert_eq!(asked[6..], [takes("red", 0), takes("green", 0), takes("green", 2)]);
            assert!(budget.llm.next_asked(PATIENCE).is_some());
            assert!(budget.llm.next_asked(Duration::ZERO).is_none());
        }
    }
}
