//! The recipes of `docs/recipes.md`, run as they are printed: each is a route of one Envoy, what the client sends
//! and the upstream answers goes in, and what both get is what the page says.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use hmac::{Hmac, KeyInit as _, Mac as _};
use rustformations_tests::{
    Envoy, EnvoyConfig, Headers, Lab, Reply, Route, Settings, on_every_envoy, workspace,
};
use serde_json::{Value, json};
use sha2::Sha256;

/// The key of the partner that requests are signed for.
const PARTNER_KEY: &str = "shared-with-the-partner";
/// The key by which the page's webhook is signed.
const WEBHOOK_KEY: &str = "shared-with-the-forge";

/// A recipe: its title, its configuration, and what is shown of it.
struct Recipe {
    title: String,
    config: Value,
    exchanges: Vec<Exchange>,
}

/// What goes in, and what is expected of it.
#[derive(Clone, Default)]
struct Exchange {
    sent: Message,
    answered: Option<Message>,
    upstream: Option<Expected>,
    client: Option<Expected>,
}

#[derive(Clone, Default)]
struct Message {
    start: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Clone, Default)]
struct Expected {
    message: Message,
    without: Vec<String>,
}

impl Message {
    fn parse(text: &str) -> Message {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let start = lines.next().unwrap().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        Message {
            start,
            headers: lines.map(header).collect(),
            body: body.trim_end_matches('\n').to_owned(),
        }
    }

    /// The method and the path of a request; of an answer, the version and the status.
    fn words(&self) -> (&str, &str) {
        let mut words = self.start.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }

    fn status(&self) -> u16 {
        self.words().1.parse().unwrap()
    }

    fn path(&self) -> &str {
        self.words().1.split('?').next().unwrap()
    }
}

/// All recipes of the page.
fn recipes() -> Vec<Recipe> {
    let page = std::fs::read_to_string(workspace::root().join("docs/recipes.md")).unwrap();
    page.split("\n## ").skip(1).map(recipe).collect()
}

fn recipe(section: &str) -> Recipe {
    let title = section.lines().next().unwrap().to_owned();
    let config = section.split("```json\n").nth(1).unwrap();
    let config = serde_json::from_str(config.split("```").next().unwrap()).unwrap();
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut parts = section.split("```http\n");
    let mut before = parts.next().unwrap();
    for part in parts {
        let (message, after) = part.split_once("```").unwrap();
        let message = Message::parse(message);
        let label = before.trim_end().lines().last().unwrap();
        before = after;
        let (what, without) = label.split_once(", without ").unwrap_or((label, ""));
        let names = without.split('`').skip(1).step_by(2).map(str::to_owned);
        let expected = Expected {
            message: message.clone(),
            without: names.collect(),
        };
        match what {
            "The client sends" => exchanges.push(Exchange {
                sent: message,
                ..Exchange::default()
            }),
            "The upstream answers" => {
                let exchange = exchanges.last().unwrap();
                if exchange.client.is_some() {
                    // The same request meets another answer.
                    exchanges.push(Exchange {
                        sent: exchange.sent.clone(),
                        ..Exchange::default()
                    });
                }
                exchanges.last_mut().unwrap().answered = Some(message);
            }
            "The upstream gets" => exchanges.last_mut().unwrap().upstream = Some(expected),
            "The client gets" => exchanges.last_mut().unwrap().client = Some(expected),
            other => panic!("{title}: nobody knows what \"{other}\" shows"),
        }
    }
    Recipe {
        title,
        config,
        exchanges,
    }
}

/// The first folder of the paths of a recipe, which no other has.
fn place(recipe: &Recipe) -> String {
    let Some(exchange) = recipe.exchanges.first() else {
        return "/sign/".to_owned();
    };
    let folder = exchange.sent.path().split('/').nth(1).unwrap();
    format!("/{folder}/")
}

/// The routes of a recipe: those that add `x-route` where one is chosen by a header.
fn routes(recipe: &Recipe) -> Vec<Route> {
    let place = place(recipe);
    let route = || Route::at(&place).transform(recipe.config.clone());
    if recipe.title != "Route by a field of the body" {
        return vec![route()];
    }
    let says = |name: &str| json!([{"header": {"key": "x-route", "value": name}}]);
    let only = json!({"prefix": place, "headers": [{"name": "x-region", "string_match": {"exact": "eu"}}]});
    vec![
        route()
            .field("match", only)
            .field("request_headers_to_add", says("eu")),
        route().field("request_headers_to_add", says("default")),
    ]
}

fn start(envoy: &Envoy, recipes: &[Recipe]) -> Lab {
    let routes = recipes.iter().flat_map(routes);
    let config = routes.fold(EnvoyConfig::new(), EnvoyConfig::route);
    let environment = [("PARTNER_KEY", PARTNER_KEY), ("WEBHOOK_KEY", WEBHOOK_KEY)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings {
        environment: environment.into(),
        ..Settings::default()
    };
    Lab::start_with(envoy, &config, settings)
}

fn run(lab: &Lab, title: &str, exchange: &Exchange) {
    let origin = lab.origin();
    origin.forget();
    let answered = exchange.answered.as_ref();
    let mut reply = Reply::new(answered.map_or(200, Message::status));
    for (name, value) in answered.iter().flat_map(|it| &it.headers) {
        reply = reply.header(name, value);
    }
    if let Some(answered) = answered.filter(|it| !it.body.is_empty()) {
        reply = reply.body(answered.body.as_str());
    }
    let sent = &exchange.sent;
    origin.answer(sent.path(), reply);
    let (method, path) = sent.words();
    let mut request = lab.request(method, path);
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    if !sent.body.is_empty() {
        request = request.body(sent.body.as_str());
    }
    let answer = request.send();
    if let Some(expected) = &exchange.upstream {
        let received = origin.last();
        let start = (received.method.as_str(), received.path.as_str());
        assert_eq!(
            start,
            expected.message.words(),
            "{title}: the upstream's request line"
        );
        let side = format!("{title}: the upstream");
        compare(&side, expected, &received.headers, &received.text());
    } else if answered.is_none() {
        assert!(
            origin.received().is_empty(),
            "{title}: the page shows nothing that goes upstream"
        );
    }
    if let Some(expected) = &exchange.client {
        assert_eq!(
            answer.status,
            expected.message.status(),
            "{title}: the client's status"
        );
        compare(
            &format!("{title}: the client"),
            expected,
            &answer.headers,
            &answer.text(),
        );
    }
}

fn compare(side: &str, expected: &Expected, headers: &Headers, body: &str) {
    for (name, value) in &expected.message.headers {
        assert_eq!(
            headers.value(name).as_deref(),
            Some(value.as_str()),
            "{side} {name}"
        );
    }
    for name in &expected.without {
        assert!(
            !headers.has(name),
            "{side} {name}: {:?}",
            headers.value(name)
        );
    }
    if !expected.message.body.is_empty() {
        assert_eq!(body, expected.message.body, "{side} body");
    }
}

on_every_envoy! {
    fn every_recipe_does_what_the_page_shows(envoy) {
        let recipes = recipes();
        let shown: usize = recipes.iter().map(|it| it.exchanges.len()).sum();
        assert!(recipes.len() >= 17 && shown >= 24, "{} recipes, {shown} exchanges", recipes.len());
        let mut places: Vec<_> = recipes.iter().map(place).collect();
        places.sort();
        assert!(places.is_sorted_by(|one, other| one < other), "two recipes at one place: {places:?}");
        let lab = start(envoy, &recipes);
        for recipe in &recipes {
            for exchange in &recipe.exchanges {
                run(&lab, &recipe.title, exchange);
            }
        }
        // What is signed differs from second to second: checked as the partner would.
        assert_eq!(lab.post("/sign/pay").body("{\"sum\":1.50}").send().status, 200);
        let received = lab.origin().last();
        let mut signed = Hmac::<Sha256>::new_from_slice(PARTNER_KEY.as_bytes()).unwrap();
        signed.update(format!("{}.{{\"sum\":1.50}}", received.header("x-time")).as_bytes());
        let signature = signed.finalize().into_bytes();
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(received.header("x-signature"), signature);
    }
}

#[test]
fn every_recipe_is_in_the_list_at_the_top() {
    let page = std::fs::read_to_string(workspace::root().join("docs/recipes.md")).unwrap();
    let listed = page.split("\n## ").next().unwrap();
    for recipe in recipes() {
        let anchor = recipe
            .title
            .to_lowercase()
            .replace(',', "")
            .replace(' ', "-");
        assert!(
            listed.contains(&format!("- [{}](#{anchor})\n", recipe.title)),
            "{}",
            recipe.title
        );
    }
}
