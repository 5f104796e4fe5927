//! The playground in a real browser: headless Chromium, driven through its WebDriver.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "browser/driver.rs"]
mod driver;
mod served;

use std::time::{Duration, Instant};

use driver::Browser;
use rustformations_tests::tools;
use served::{Served, tool};

/// How long the page may take for an answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The playground, and a browser that has it open.
struct Page {
    browser: Browser,
    url: String,
    _served: Served,
}

impl Page {
    /// `None` where there is no browser, after saying so.
    fn open() -> Option<Page> {
        if !tools::has_tool("chromedriver").unwrap() {
            return None;
        }
        let Some(chromium) = driver::chromium() else {
            let why = format!("none of {} is on PATH", driver::BROWSERS.join(", "));
            tools::skip_outside_ci(&why).unwrap();
            return None;
        };
        let mut command = tool();
        let served = Served::start(command.args(["serve", "--ui", "--port", "0"]));
        let url = format!("http://{}/", served.address);
        let page = Page {
            browser: Browser::start(&chromium),
            url,
            _served: served,
        };
        page.browser.go(&page.url);
        Some(page)
    }

    /// Waits until an element has a text.
    fn expect(&self, css: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.browser.text(css);
            if found.contains(text) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{text:?} is not in {css}: {found:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Replaces what is in a field, key by key.
    fn write(&self, css: &str, text: &str) {
        self.browser.clear(css);
        self.browser.keys(css, text);
    }

    /// What the browser complains of.
    fn assert_is_quiet(&self) {
        let complaints = self.browser.complaints();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

#[test]
fn what_is_typed_is_rendered_and_what_is_wrong_is_said() {
    let Some(page) = Page::open() else { return };
    page.expect("#result ins", "x-tenant: acme");
    page.browser.choose("#mode", "request");
    page.write(
        "#request",
        "POST /hello HTTP/1.1\nhost: h\n\n{\"name\": \"Ada\"}",
    );
    page.write("#text", "Hello {{ name | upper }}, <b id=\"evil\">you</b>");
    page.expect("#result ins", "Hello ADA, <b id=\"evil\">you</b>");
    page.expect("#result del", "{\"name\": \"Ada\"}");
    page.expect("#status", "nothing to complain of");
    assert_eq!(
        page.browser
            .script("return document.getElementById('evil')"),
        serde_json::Value::Null
    );

    page.browser.keys("#text", "{{ heder('x') }}");
    page.expect("#said .error .label", "RF1203");
    page.expect("#said .error code", "request.body.value");
    page.expect("#said .error .message", "unknown function \"heder\"");
    page.expect("#said .error .remedy", "did you mean \"header\"?");
    page.expect(
        "#status",
        "1 error, 0 warnings; below is the result before that",
    );
    page.expect("#result", "Hello ADA");
    page.assert_is_quiet();
}

#[test]
fn an_example_is_picked_and_a_link_to_it_opened() {
    let Some(page) = Page::open() else { return };
    page.expect("#example", "An LLM stream: masked, restored, metered");
    page.browser.choose("#example", "3");
    page.expect("#result", "ada@example.com, and called +44 20 7946 0958.");
    page.expect("#result", "Write to [EMAIL_1], or call [PHONE_1].");
    page.expect("#result table", "input_tokens");
    page.browser
        .keys("#response", ": late, and no example has it\n\n");
    page.expect("#result", "late, and no example has it");
    let state = "return ['mode', 'text', 'request', 'response'].map((id) => document.getElementById(id).value)";
    let before = page.browser.script(state);
    let link = page.browser.script("return location.href");
    let link = link.as_str().unwrap();
    assert!(link.contains('#'), "{link}");

    page.browser.go("about:blank");
    page.browser.go(link);
    page.expect("#result", "ada@example.com, and called +44 20 7946 0958.");
    assert_eq!(page.browser.script(state), before);
    // A link that broke on its way is no link.
    page.browser.go("about:blank");
    page.browser.go(&format!("{}#broken!", page.url));
    page.expect("#result ins", "x-tenant: acme");
    page.assert_is_quiet();
}

#[test]
fn every_control_is_reached_by_keyboard_and_has_a_name() {
    let Some(page) = Page::open() else { return };
    page.expect("#result ins", "x-tenant: acme");
    let mut reached = Vec::new();
    for _ in 0..6 {
        page.browser.keys_anywhere("\u{e004}");
        reached.push(page.browser.script("return document.activeElement.id"));
    }
    assert_eq!(
        reached,
        ["example", "share", "mode", "text", "request", "response"]
    );
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(page.browser.script(outline), "solid");
    let unnamed = "return [...document.querySelectorAll('select, textarea, button')]
        .filter((it) => !(it.textContent && it.tagName === 'BUTTON') && !it.labels?.length).map((it) => it.id)";
    assert_eq!(page.browser.script(unnamed), serde_json::json!([]));
}

#[test]
fn it_is_readable_in_the_dark_and_on_a_narrow_screen() {
    let Some(page) = Page::open() else { return };
    // The contrast of each text with what is behind it, where that is less than WCAG's AA asks for.
    let faint = "
        const channels = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = (color) => channels(color).map((it) => it / 255)
            .map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
            .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
        const ground = (it) => {
            for (; it; it = it.parentElement) {
                const color = getComputedStyle(it).backgroundColor;
                if (!/, 0\\)$/.test(color)) return color;
            }
            return 'rgb(255, 255, 255)';
        };
        const texts = [...document.querySelectorAll('body *')].filter((it) => it.checkVisibility()
            && !['SCRIPT', 'STYLE', 'OPTION'].includes(it.tagName)
            && [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
        return texts.map((it) => {
            const [one, other] = [light(getComputedStyle(it).color), light(ground(it))].sort((a, b) => b - a);
            return [it.tagName + '.' + it.className + ' ' + it.textContent.slice(0, 30), (one + 0.05) / (other + 0.05)];
        }).filter(([, contrast]) => contrast < 4.5)";
    let grounds = ["light", "dark"].map(|scheme| {
        page.browser.prefer(scheme);
        for (example, expected) in [("0", "x-tenant: acme"), ("5", "")] {
            page.browser.choose("#example", example);
            page.expect("#result", expected);
            page.expect("#said", if expected.is_empty() { "RF1203" } else { "" });
            assert_eq!(
                page.browser.script(faint),
                serde_json::json!([]),
                "{scheme}"
            );
        }
        page.browser
            .script("return getComputedStyle(document.body).backgroundColor")
    });
    assert_ne!(grounds[0], grounds[1]);

    page.browser.resize(360, 740);
    page.browser.choose("#example", "3");
    page.expect("#result", "ada@example.com, and called +44 20 7946 0958.");
    // What is too wide widens the window of a phone, too.
    let wide = "return [...document.querySelectorAll('body *')].filter((it) => it.checkVisibility()
        && it.getBoundingClientRect().right > 361).map((it) => it.outerHTML.slice(0, 80))";
    assert_eq!(page.browser.script(wide), serde_json::json!([]));
    let (input, result) = ("#text", "#status");
    let left = |css: &str| {
        page.browser.script(&format!(
            "return document.querySelector('{css}').getBoundingClientRect().left"
        ))
    };
    let (input, result) = (
        left(input).as_f64().unwrap(),
        left(result).as_f64().unwrap(),
    );
    assert!(
        (input - result).abs() < 2.0,
        "the columns are not below each other"
    );
    page.assert_is_quiet();
}
