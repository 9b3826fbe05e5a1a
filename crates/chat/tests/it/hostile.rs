//! Templates written to crash, hang or fill the memory: each ends with an error, soon.

use std::time::{Duration, Instant};

use chat::{Appending, Error, Limits, Moment, Template};
use serde_json::{Map, Value, json};

const NOW: Moment = Moment { year: 2026, month: 10, day: 3, hour: 14, minute: 5, second: 9 };

fn render(source: &str, vars: Value) -> Result<String, Error> {
    let Value::Object(vars) = vars else { panic!("variables are an object") };
    // A tenth of what is allowed by default, as these templates use it up in a build without optimization.
    let limits = Limits { fuel: 500_000, time: Duration::from_secs(100), ..Limits::default() };
    Template::strict(source, &limits)?.render_raw(vars, NOW)
}

/// Fails with a message that holds `expect`, in less time than the limit allows.
fn check(name: &str, source: &str, expect: &str) {
    let start = Instant::now();
    let error = render(source, json!({})).expect_err(name).to_string();
    assert!(error.contains(expect), "{name}: expected `{expect}`, found `{error}`");
    assert!(start.elapsed() < Duration::from_secs(60), "{name} took {:?}", start.elapsed());
}

#[test]
fn long_chains_are_refused_before_they_are_compiled() {
    for link in [
        ".b",
        "|upper",
        "+1",
        "*2",
        "~a",
        "[0]",
        "(1)",
        " and a",
        " or a",
        " is defined",
        " == 1",
        "**2",
        " if a",
    ] {
        check(link, &format!("{{{{ a{} }}}}", link.repeat(10_000)), "links, the limit is 500");
    }
    for link in ["-", "not ", "(", "[", "{1:", "a if a else ", "f(", "a.b[", "1+(", "[[a,b],"] {
        check(link, &format!("{{{{ {}a }}}}", link.repeat(10_000)), "links, the limit is 500");
        check(link, &format!("{{% set x = {}a %}}", link.repeat(10_000)), "links, the limit is 500");
        check(link, &format!("{{% if {}a %}}{{% endif %}}", link.repeat(10_000)), "links, the limit is 500");
    }
    check(
        "elif",
        &format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(10_000)),
        "links, the limit is 500",
    );
    check("size", &" ".repeat(300_000), "300000 bytes, the limit is 262144");
}

#[test]
fn nested_statements_are_refused() {
    for tag in ["if a", "for x in a", "filter upper", "with", "macro f()", "call f()", "set x"] {
        check(tag, &format!("{{% {tag} %}}").repeat(5000), "not valid");
    }
}

#[test]
fn the_limits_do_not_touch_long_lists() {
    let items = vec!["'<|im_start|>'"; 5000].join(", ");
    let text = render(&format!("{{{{ [{items}]|length }}}}"), json!({})).expect("a list has no depth");
    assert_eq!(text, "5000");
    let sums = "{{ 1 + 1 }}".repeat(5000);
    assert_eq!(render(&sums, json!({})).expect("each expression is short").len(), 5000);
}

#[test]
fn a_namespace_cannot_hold_a_namespace() {
    let held = "a namespace cannot be stored in a namespace";
    check("itself", "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", held);
    check("in a list", "{% set ns = namespace() %}{% set ns.x = [1, {'a': ns}] %}{{ ns }}", held);
    check("in a tuple", "{% set ns = namespace() %}{% set ns.x = 1, ns %}{{ ns }}", held);
    check("both", "{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{{ a == b }}", held);
    check("two targets", "{% set ns = namespace() %}{% set x, ns.x = 1, ns %}{{ ns }}", held);
    check("whitespace", "{% set ns = namespace() %}{%- set ns . x= ns -%}{{ ns }}", held);
}

#[test]
fn values_cannot_nest_without_end() {
    let deep =
        "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}";
    check("list", deep, "nested more than 256 deep");
    let deep =
        "{% set ns = namespace(x={}) %}{% for i in range(100000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}";
    check("dictionary", deep, "nested more than 256 deep");

    let nested = (0..1000).fold(json!(1), |value, _| json!([value]));
    let error = render("{{ x }}", json!({ "x": nested })).expect_err("messages are limited too").to_string();
    assert!(error.contains("nested 1001 deep, the limit is 128"), "{error}");
    // Dropping it one level a time keeps the test itself from overflowing.
    let text = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    check("from_json", &format!("{{{{ '{text}'|from_json }}}}"), "from_json");
}

#[rustfmt::skip]
const BOMBS: &[(&str, &str)] = &[
    ("% width", "{{ '%2000000000d'|format(1) }}"),
    ("% precision", "{{ '%.2000000000f'|format(1.5) }}"),
    ("format width", "{{ '{:2000000000}'.format(1) }}"),
    ("format precision", "{{ '{:.2000000000f}'.format(1.5) }}"),
    ("ljust", "{{ 'a'.ljust(2000000000) }}"),
    ("zfill", "{{ 'a'.zfill(2000000000) }}"),
    ("center", "{{ 'a'.center(2000000000) }}"),
    ("center filter", "{{ 'a'|center(2000000000) }}"),
    ("indent", "{{ 'a\nb'|indent(2000000000) }}"),
    ("tojson indent", "{{ [1]|tojson(indent=2000000000) }}"),
    ("repeat", "{{ 'a' * 2000000000 }}"),
    ("repeat a list", "{{ [1] * 2000000000 }}"),
    ("range", "{{ range(2000000000)|list }}"),
    ("replace", "{{ ('a' * 60000)|replace('a', 'b' * 60000) }}"),
    ("replace method", "{{ ('a' * 60000).replace('a', 'b' * 60000) }}"),
    ("replace nothing", "{{ ('a' * 60000).replace('', 'b' * 60000) }}"),
    ("join", "{{ range(90000)|join('b' * 60000) }}"),
    ("join method", "{{ ('b' * 60000).join(('a ' * 60000).split()) }}"),
    ("indent text", "{{ ('\n' * 60000)|indent('b' * 60000, blank=true) }}"),
    ("batch", "{{ [1]|batch(2000000000, 0) }}"),
    ("slice", "{{ [1]|slice(2000000000) }}"),
    ("power", "{{ 10 ** 2000000000 }}"),
    ("doubling", "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}"),
    ("doubling by +", "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}"),
    ("doubling by format", "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = '{}{}'.format(ns.s, ns.s) %}{% endfor %}{{ ns.s }}"),
    ("doubling a list", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}"),
    ("doubling a tree", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}"),
    ("macro", "{% macro f(x) %}{{ x }}{{ x }}{% endmacro %}{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = f(ns.s) %}{% endfor %}"),
];

/// Uses of `x`, a list that holds itself twice, sixty times over: few bytes, and a text of 2^60.
#[rustfmt::skip]
const TREES: &[(&str, &str)] = &[
    ("a tree by hand", "{{ x }}"),
    ("a tree as JSON", "{{ x|tojson }}"),
    ("a tree joined", "{{ x ~ 'a' }}"),
    ("a tree in capitals", "{{ x|upper }}"),
    ("a tree replaced", "{{ x|replace('a', x) }}"),
    ("a tree formatted", "{{ '%s'|format(x) }}"),
    ("a tree split", "{{ 'a'.split(x) }}"),
    ("a tree raised", "{{ raise_exception(x) }}"),
    ("a tree sorted", "{{ [x, x]|sort|length }}{{ x|string }}"),
];

#[test]
fn memory_bombs_run_out_of_fuel_or_room() {
    for (name, source) in BOMBS {
        fails_soon(name, source);
    }
    for (name, usage) in TREES {
        fails_soon(name, &format!("{{% set x = [1] %}}{}{usage}", "{% set x = [x, x] %}".repeat(60)));
    }
}

fn fails_soon(name: &str, source: &str) {
    let start = Instant::now();
    let result = render(source, json!({}));
    assert!(result.is_err(), "{name}: {} bytes", result.map_or(0, |text| text.len()));
    assert!(start.elapsed() < Duration::from_secs(60), "{name} took {:?}", start.elapsed());
}

#[test]
fn loops_and_recursion_end() {
    let nested = "{% for a in range(10000) %}".repeat(20) + "x" + &"{% endfor %}".repeat(20);
    check("loops", &nested, "was stopped");
    check("macro", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion limit");
    check(
        "caller",
        "{% macro f() %}{{ caller is defined }}{% call f() %}x{% endcall %}{% endmacro %}{{ f() }}",
        "recursion limit",
    );
    let recursive = "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}";
    check("recursive loop", recursive, "recursion limit");
    let twice = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}";
    check("exponential", twice, "was stopped");
    let compare = "{% set a = range(90000)|list %}{% set b = range(90000)|list %}\
                   {% for i in range(90000) %}{% if a == b %}{% endif %}{% endfor %}";
    check("comparisons", compare, "was stopped");
}

#[test]
fn output_is_limited() {
    let limits = Limits { output_bytes: 1000, ..Limits::default() };
    let template = Template::strict("{{ 'a' * 1001 }}", &limits).expect("it compiles");
    let error = template.render_raw(Map::new(), NOW).expect_err("too long").to_string();
    assert_eq!(error, "the template wrote more than 1000 bytes and was stopped");
}

#[test]
fn time_is_limited() {
    let limits = Limits { time: Duration::from_millis(50), fuel: 50_000_000, ..Limits::default() };
    let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
    let template = Template::strict(source, &limits).expect("it compiles");
    let error = template.render_raw(Map::new(), NOW).expect_err("too slow").to_string();
    assert_eq!(error, "the template took longer than 50ms and was stopped");
}

#[test]
fn nothing_outside_can_be_reached() {
    for source in [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{{ [].append(1) }}",
        "{{ {}.update(a=1) }}",
    ] {
        assert!(render(source, json!({ "x": 1 })).is_err(), "{source}");
    }
}

#[test]
fn broken_templates_are_errors() {
    for source in [
        "{{",
        "{%",
        "{#",
        "{{ '",
        "{% if",
        "{% if a %}",
        "{{ a }",
        "{% endif %}",
        "{{ \\ }}",
        "{% raw %}",
        "{{ 'é\\",
        "{% set é.ü = 'ö",
    ] {
        assert!(render(source, json!({})).is_err(), "{source}");
    }
}

#[test]
fn append_is_allowed_only_where_asked() {
    assert_ne!(Appending::default(), Appending::Refused);
    check("append", "{% set l = [] %}{% set _ = l.append(1) %}", "cannot be changed");
}
