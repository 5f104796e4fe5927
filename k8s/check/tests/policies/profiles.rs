//! The overlays with profiles: their files are what the module reads, and a request through the Envoy of
//! their kgateway gets its system prompt, has its values masked and restored, and its cost told.

use std::path::Path;
use std::time::Duration;

use k8s_check::tree::OVERLAYS;
use rustformations_tests::lab::with_envoy;
use rustformations_tests::{Answer, Lab, Reply, Settings};
use serde_json::{Value, json};
use transformations::profiles::Profiles;
use transformations::testing::MemoryFiles;
use transformations::{CompileOptions, Program};

use super::kgateway::{as_go_writes, as_kgateway_sends, envoy_of, objects, one};
use super::{MOCK_PATH, PATH};

/// Where the overlays mount their files.
const MOUNTED: &str = "/etc/rustformations";

/// The files of the ConfigMap.
fn files(objects: &[Value]) -> impl Iterator<Item = (&str, &str)> {
    let files = one(objects, "ConfigMap")["data"].as_object().unwrap();
    files
        .iter()
        .map(|(name, text)| (&**name, text.as_str().unwrap()))
}

/// An Envoy with what the parameters of the gateway give to its container, files in `folder` in the place of the
/// mounted ones.
fn settings(objects: &[Value], folder: &Path) -> Settings {
    let folder = folder.to_str().unwrap();
    let container = &one(objects, "GatewayParameters")["spec"]["kube"]["envoyContainer"];
    assert_eq!(container["extraVolumeMounts"][0]["mountPath"], MOUNTED);
    // What is mounted by file is never updated.
    assert!(container["extraVolumeMounts"][0]["subPath"].is_null());
    for (name, text) in files(objects) {
        std::fs::write(Path::new(folder).join(name), text.replace(MOUNTED, folder)).unwrap();
    }
    let variables = container["env"].as_array().unwrap().iter();
    let variables = variables.map(|variable| {
        let text = |field: &str| variable[field].as_str().unwrap().to_owned();
        (text("name"), text("value").replace(MOUNTED, folder))
    });
    Settings {
        environment: variables.collect(),
        ..Settings::default()
    }
}

#[test]
fn the_policies_and_files_load_without_a_warning() {
    for overlay in profile_overlays() {
        let Some(objects) = objects(overlay) else {
            return;
        };
        let file = |name: &str| {
            files(&objects)
                .find(|it| it.0 == name)
                .unwrap()
                .1
                .to_owned()
        };
        let profiles = file("profiles.yaml");
        let files = MemoryFiles {
            profiles: Some(("profiles.yaml".to_owned(), profiles.clone())),
            prices: [(format!("{MOUNTED}/prices.json"), file("prices.json"))].into(),
        };
        let policy = as_go_writes(&one(&objects, "TrafficPolicy")["spec"]["transformation"]);
        let profiles = Profiles::parse("profiles.yaml", profiles.as_bytes()).unwrap();
        let choosers = profiles.names().map(Profiles::chooser);
        for text in choosers.chain([policy]) {
            let options = CompileOptions::default();
            let program = Program::compile_with(text.as_bytes(), &options, &files);
            let program = program.unwrap_or_else(|problems| panic!("{overlay}: {problems}"));
            assert!(program.profile().is_some(), "{overlay}: {text}");
            assert_eq!(program.warnings(), [], "{overlay}");
        }
    }
}

#[test]
fn a_profile_prompts_masks_restores_and_prices_on_the_envoy_of_its_kgateway() {
    for overlay in OVERLAYS {
        let Some(line) = overlay.line else { continue };
        if !profile_overlays().any(|path| path == overlay.path) {
            continue;
        }
        let Some(objects) = objects(overlay.path) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let format = &one(&objects, "ListenerPolicy")["spec"]["default"]["httpSettings"]["accessLog"]
            [0]["fileSink"]["jsonFormat"];
        let config = as_kgateway_sends(line, &objects).connection_manager("access_log", json!([{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": {"json_format": format},
            },
        }]));
        with_envoy(envoy_of(line), |envoy| {
            let lab = Lab::start_with(envoy, &config, settings(&objects, folder.path()));
            answers_are_whole_and_streamed(&lab);
            assert_eq!(lab.stat("rustformations_errors"), 0);
            assert!(!lab.logs().contains("ann@example.com"));
        });
    }
}

fn profile_overlays() -> impl Iterator<Item = &'static str> {
    let paths = OVERLAYS.iter().map(|overlay| overlay.path);
    paths.filter(|path| path.starts_with("overlays/profiles/"))
}

fn answers_are_whole_and_streamed(lab: &Lab) {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110});
    lab.origin().answer(
        MOCK_PATH,
        Reply::json(&json!({
            "object": "chat.completion", "model": "gpt-4", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "I wrote to [EMAIL_1]."}}],
        })),
    );
    let answer = ask(lab, false);
    assert_eq!(
        answer.json()["choices"][0]["message"]["content"],
        "I wrote to ann@example.com."
    );
    // 100 * 30 + 10 * 60 millionths.
    assert_eq!(answer.header("x-ai-cost-usd"), "0.0036");
    assert_eq!(answer.header("x-custom-transformed"), "true");
    lab.expect_log("\"cost_usd\":\"0.0036\"");

    let delta = |text: &str| {
        json!({"object": "chat.completion.chunk", "model": "gpt-4",
               "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
        .to_string()
    };
    let end = json!({"object": "chat.completion.chunk", "model": "gpt-4", "usage": usage,
                     "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let (first, second, end) = (delta("To [EMA"), delta("IL_1]!"), end.to_string());
    let events = [&*first, &*second, &*end, "[DONE]"];
    lab.origin()
        .answer(MOCK_PATH, Reply::events(&events, Duration::from_millis(5)));
    let answer = ask(lab, true);
    let text = answer.text();
    let texts: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .map(|data| serde_json::from_str(&format!("{{{data}")).unwrap())
        .filter_map(|event: Value| {
            let text = event.pointer("/choices/0/delta/content")?.as_str()?;
            Some(text.to_owned())
        })
        .collect();
    assert_eq!(texts, "To ann@example.com!", "{text}");
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while lab.logs().matches("\"cost_usd\":\"0.0036\"").count() < 2 {
        assert!(std::time::Instant::now() < deadline, "{}", lab.logs());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        lab.logs().contains("\"masked_kinds\":\"EMAIL=1\""),
        "{}",
        lab.logs()
    );
}

/// Asks, and checks what the origin got.
fn ask(lab: &Lab, stream: bool) -> Answer {
    let said = json!([{"role": "user", "content": "Write to ann@example.com."}]);
    let request = json!({"model": "gpt-4", "stream": stream, "messages": said});
    let answer = lab.post(PATH).header("x-team", "billing").json(&request);
    let answer = answer.send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = lab.origin().last();
    assert!(!received.headers.has("x-rustformations-profile"));
    let messages = received.json()["messages"].clone();
    let prompt = messages[0]["content"].as_str().unwrap();
    assert_eq!(messages[0]["role"], "system");
    assert!(
        prompt.starts_with("You are the assistant of the billing team."),
        "{prompt}"
    );
    assert_eq!(messages[1]["content"], "Write to [EMAIL_1].");
    answer
}
