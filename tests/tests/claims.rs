//! What other filters know of a request: the claims of a token that Envoy's own filter verified, and
//! dynamic metadata of every kind, read without a line in Envoy's log for each request.

use rustformations_tests::differences::METADATA_HOLDS_LISTS;
use rustformations_tests::{EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

/// The key below, which signs the token and nothing else.
const KEY: &str = "YSBrZXkgdGhhdCBvbmx5IHRoaXMgdGVzdCBoYXMgZXZlciB1c2Vk";

/// `{"iss":"lab.test","sub":"user-7","roles":["ops","dev"],"org":{"id":42},"exp":4102444800}`
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImxhYiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJsYWIudGVzdCIsInN1YiI6InVzZXItNyIsInJvbGVzIjpbIm9wcyIsImRldiJdLCJvcmciOnsiaWQiOjQyfSwiZXhwIjo0MTAyNDQ0ODAwfQ.jI43qT87MWVpxCLUTyMnwPN5PiAvikt241Or-rZxaEQ";

/// Envoy's filter that verifies tokens, and lets them pass on.
fn verifier() -> Value {
    let keys = json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "lab", "k": KEY}]});
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"lab": {
                "issuer": "lab.test",
                "forward": true,
                "local_jwks": {"inline_string": keys.to_string()},
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "lab"}}],
        },
    })
}

/// Envoy's filter that writes metadata of any shape.
fn writer(value: &Value) -> Value {
    json!({
        "name": "envoy.filters.http.set_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
            "metadata": [{"metadata_namespace": "lab.test", "value": value}],
        },
    })
}

on_every_envoy! {
    fn the_claims_of_a_verified_token_are_read(envoy) {
        let claims = "jwt_payload(header('authorization'))";
        let rules = json!({"request": {"set": [
            {"name": "x-user", "value": format!("{{{{ {claims}.sub }}}}")},
            {"name": "x-roles", "value": format!("{{{{ {claims}.roles | tojson }}}}")},
            {"name": "x-org", "value": format!("{{{{ {claims}.org.id }}}}")},
            {"name": "x-plan", "value": format!("{{{{ {claims}.plan | default('free') }}}}")},
        ]}});
        let config = EnvoyConfig::new()
            .filter_before(verifier())
            .route(Route::at("/").transform(rules));
        let lab = Lab::start(envoy, &config);
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(lab.get("/").header("authorization", &bearer).send().status, 200);
        let received = lab.origin().last();
        let read = ["x-user", "x-roles", "x-org", "x-plan"].map(|name| received.header(name));
        assert_eq!(read, ["user-7", r#"["ops","dev"]"#, "42", "free"]);
        let forged = bearer.replace(".jI43", ".jI44");
        assert_eq!(lab.get("/").header("authorization", &forged).send().status, 401);
    }

    fn metadata_of_any_kind_is_read_without_a_line_for_each_request(envoy) {
        let lists = METADATA_HOLDS_LISTS.is_in(envoy.version());
        let mut value = json!({"text": "gold", "number": 7, "fraction": 0.5});
        let mut rows = vec![
            ("text", "{{ metadata('lab.test', 'text') }}", "gold"),
            ("number", "{{ metadata('lab.test', 'number') + 1 }}", "8"),
            ("operator", "%DYNAMIC_METADATA(lab.test:number)%", "7"),
            ("fraction", "{{ dynamic_metadata('fraction', 'lab.test') }}", "0.5"),
            ("none", "[{{ metadata('lab.test', 'none') }}]", "[]"),
            ("elsewhere", "[{{ metadata('other.test', 'none') }}]", "[]"),
        ];
        if lists {
            value["flag"] = json!(true);
            value["texts"] = json!(["ops", "dev"]);
            value["numbers"] = json!([1, 2.5]);
            value["flags"] = json!([false]);
            value["empty"] = json!([]);
            rows.extend([
                ("flag", "{{ metadata('lab.test', 'flag') }}", "true"),
                ("texts", "{{ metadata('lab.test', 'texts') | join(',') }}", "ops,dev"),
                ("numbers", "{{ metadata('lab.test', 'numbers') | sum }}", "3.5"),
                ("flags", "{{ metadata('lab.test', 'flags') | tojson }}", "[false]"),
                ("empty", "{{ metadata('lab.test', 'empty') | tojson }}", "[]"),
            ]);
        }
        let set: Vec<Value> = rows
            .iter()
            .map(|(name, template, _)| json!({"name": format!("x-{name}"), "value": template}))
            .collect();
        let config = EnvoyConfig::new()
            .filter_before(writer(&value))
            .route(Route::at("/").transform(json!({"request": {"set": set}})));
        let lab = Lab::start(envoy, &config);
        let ask = || {
            assert_eq!(lab.get("/").send().status, 200);
            let received = lab.origin().last();
            for (name, _, expected) in &rows {
                assert_eq!(received.header(&format!("x-{name}")), *expected, "{name}");
            }
            lab.logs().matches("[error]").count()
        };
        let after_the_first = ask();
        let after_more = (0..5).map(|_| ask()).max();
        assert_eq!(after_more, Some(after_the_first), "{}", lab.logs());
    }
}
