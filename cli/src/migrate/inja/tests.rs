use super::*;

fn moved_text(text: &str) -> (String, bool, Vec<String>) {
    let mut rewriter = Rewriter::new(false, false);
    let text = rewritten(text, &mut rewriter);
    let lost = rewriter.lost.into_iter().map(|(message, _)| message);
    (text, rewriter.reads_json, lost.collect())
}

#[test]
fn what_both_languages_share_stays_as_it_is() {
    for text in [
        "plain text",
        "{{ header(\"x\") }}",
        "{% if header(\":path\") == \"/a\" and 1 < 2 %} yes {% else %}no{% endif %}",
        "{# a comment with {{ and ## #}",
        "{{ \"}} is no end\" }}",
        "a # b\n # c ## d",
        "{{ unclosed",
    ] {
        assert_eq!(moved_text(text).0, text);
    }
}

#[test]
fn names_functions_and_statements_are_spelled_anew() {
    for (inja, here) in [
        ("{{ items.0.x-y }}", "{{ items[0][\"x-y\"] }}"),
        ("{{ user-id }}", "{{ context()[\"user-id\"] }}"),
        ("{{ a - b }}", "{{ a - b }}"),
        ("{{ upper(a) }}", "{{ (a | upper) }}"),
        (
            "{{ length(split(a + b)) }}",
            "{{ ((split(a + b)) | length) }}",
        ),
        (
            "{{ default(a.b, \"}}\") }}",
            "{{ (a.b | default(\"}}\")) }}",
        ),
        (
            "{% if exists(\"a.b\") %}1{% endif %}",
            "{% if (a.b is defined) %}1{% endif %}",
        ),
        (
            "{% if existsIn(o, \"k\") %}1{% endif %}",
            "{% if (\"k\" in o) %}1{% endif %}",
        ),
        ("{{ isString(a) }}", "{{ (a is string) }}"),
        ("{{ round(1.6, 0) }}", "{{ (1.6 | round | int) }}"),
        ("{{ 2 ^ 3 }}", "{{ 2 ** 3 }}"),
        ("{{ null }}", "{{ none }}"),
        ("{% else if a %}", "{% elif a %}"),
        ("{%- if a -%}", "{%- if a -%}"),
        (
            "## for x in list\n- {{ x }}{{ loop.index1 }}\n## endfor\nend",
            "{% for x in list %}- {{ x }}{{ loop.index }}\n{% endfor %}end",
        ),
        (
            "{% for k, v in o.p %}{{ loop.is_last }}{% endfor %}",
            "{% for k, v in o.p | items %}{{ loop.last }}{% endfor %}",
        ),
        (
            "{{ clusterMetadata(\"a\") }}",
            "{{ cluster_metadata(\"a\") }}",
        ),
    ] {
        assert_eq!(moved_text(inja).0, here, "{inja}");
    }
}

#[test]
fn what_reads_json_is_known() {
    for (text, reads) in [
        ("{{ header(\"a\") }}", false),
        ("{{ body() }}", false),
        ("{{ context() }}", true),
        ("{{ a }}", true),
        ("{% set a = header(\"a\") %}{{ a }}", false),
        (
            "{% for x in split(header(\"a\"), \",\") %}{{ x }}{{ loop.index }}{% endfor %}",
            false,
        ),
        ("{% if true and not false %}{% endif %}", false),
    ] {
        assert_eq!(moved_text(text).1, reads, "{text}");
    }
}

#[test]
fn what_has_no_counterpart_is_told() {
    for text in [
        "{% include \"a\" %}",
        "{{ loop.parent.index }}",
        "{{ data_source(\"a\") }}",
        "{{ exists(header(\"a\")) }}",
        "{% set a.b = 1 %}",
    ] {
        assert_eq!(moved_text(text).2.len(), 1, "{text}");
    }
}

#[test]
fn names_may_be_pointers() {
    let mut rewriter = Rewriter::new(true, false);
    assert_eq!(
        rewritten("{{ time/start/0 }}", &mut rewriter),
        "{{ time.start[0] }}"
    );
}

#[test]
fn the_first_engine_said_where_a_piece_ends() {
    let mut rewriter = Rewriter::new(false, true);
    let text = "{{ substring(\"ENVOY\", 1, 3) }} {{ substring(header(\"a\"), n, m + 1) }}";
    let here = "{{ substring(\"ENVOY\", 1, 2) }} {{ substring(header(\"a\"), n, (m + 1) - n) }}";
    assert_eq!(rewritten(text, &mut rewriter), here);
}
