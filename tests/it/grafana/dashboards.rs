//! The dashboards of deploy/grafana: Grafana's own schema knows every word in them, and a real
//! Prometheus that scraped lifesign in December 2014 has something to draw for each of their
//! queries.

use crate::support::scraped::{BEGIN, END, MINUTE, at, rules};
use crate::support::{
    TempDir, done,
    prometheus::{Line, Prometheus, escaped},
    quiet,
};
use lifesign_core::{judge::State, time::Time};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The day that is looked at.
const FROM: &str = "2014-12-22T00:00:00Z";
const TO: &str = "2014-12-23T00:00:00Z";

/// The dashboards, each with the path of its file.
fn dashboards() -> Vec<(PathBuf, Value)> {
    let entries = fs::read_dir(Path::new(ROOT).join("deploy/grafana/dashboards")).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.clone(), serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(found.len(), 4);
    found
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Every expression that a dashboard asks for.
fn expressions(dashboard: &Value) -> Vec<String> {
    let panels = list(dashboard, "panels").iter().flat_map(|panel| list(panel, "targets"));
    let marks = list(&dashboard["annotations"], "list");
    let asked = panels.chain(marks).map(|one| text(one, "expr").to_owned());
    let variables = list(&dashboard["templating"], "list").iter();
    asked
        .chain(variables.filter_map(|one| Some(one["query"]["query"].as_str()?.to_owned())))
        .collect()
}

#[test]
fn every_metric_that_a_dashboard_asks_for_is_documented_or_recorded() {
    let known = fs::read_to_string(Path::new(ROOT).join("docs/metrics.md")).unwrap()
        + &fs::read_to_string(Path::new(ROOT).join("deploy/prometheus/lifesign-rules.yml"))
            .unwrap();
    let mut asked = BTreeSet::new();
    for (_, dashboard) in dashboards() {
        for expression in expressions(&dashboard) {
            let words =
                expression.split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
            asked.extend(words.filter(|word| word.contains("lifesign_")).map(str::to_owned));
        }
    }
    assert!(asked.len() > 20, "{asked:?}");
    asked.retain(|name| {
        let name = name.trim_end_matches("_bucket");
        !known.contains(&format!("| `{name}` |")) && !known.contains(&format!("record: {name}\n"))
    });
    assert_eq!(asked, BTreeSet::new());
}

#[test]
fn every_panel_says_what_it_shows_and_has_a_place_of_its_own() {
    for (path, dashboard) in dashboards() {
        let mut cells = BTreeSet::new();
        for panel in list(&dashboard, "panels") {
            let title = text(panel, "title");
            assert!(
                !title.is_empty() && !text(panel, "description").is_empty(),
                "{}: {panel}",
                path.display()
            );
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24, "{title} is too wide");
            for (x, y) in (0..at("w")).flat_map(|x| (0..at("h")).map(move |y| (x, y))) {
                assert!(cells.insert((at("x") + x, at("y") + y)), "{title} lies on another panel");
            }
        }
    }
}

#[test]
fn whatever_draws_states_knows_each_of_them() {
    let mut drawn = 0;
    for (path, dashboard) in dashboards() {
        for panel in list(&dashboard, "panels") {
            let asked = list(panel, "targets").iter().map(|target| text(target, "expr"));
            for expression in asked.filter(|expression| expression.contains(r#"state="outage"} *"#))
            {
                let known: BTreeSet<String> = list(&panel["fieldConfig"]["defaults"], "mappings")
                    .iter()
                    .flat_map(|mapping| mapping["options"].as_object().unwrap().values())
                    .map(|option| text(option, "text").to_owned())
                    .collect();
                for state in State::ALL {
                    let title = format!("{}, {}", path.display(), text(panel, "title"));
                    assert!(known.contains(state.label()), "{title}: {state} is not mapped");
                    let part = format!("state=\"{state}\"}} *");
                    assert!(expression.contains(&part), "{title}: {state} is not asked for");
                }
                drawn += 1;
            }
        }
    }
    assert!(drawn >= 4, "{drawn}");
}

/// Every link on a value, with the panel that has it.
fn links(dashboard: &Value) -> Vec<(&Value, &str)> {
    let panels = list(dashboard, "panels").iter();
    panels
        .flat_map(|panel| {
            let links = list(&panel["fieldConfig"]["defaults"], "links");
            links.iter().map(move |link| (panel, text(link, "url")))
        })
        .collect()
}

#[test]
fn links_lead_from_countries_to_blocks_to_hosts_and_to_the_incident() {
    let all = dashboards();
    let find =
        |uid: &str| all.iter().find(|(_, one)| text(one, "uid") == uid).map(|found| &found.1);
    let mut led = BTreeSet::new();
    for (_, dashboard) in &all {
        for (panel, url) in links(dashboard) {
            let title = text(panel, "title");
            // What is named is there: the labels of a series are written in its legend, or those of
            // a metric of ours.
            let asked = list(panel, "targets")
                .iter()
                .map(|target| [text(target, "legendFormat"), text(target, "expr")].join(" "));
            let asked = asked.collect::<String>();
            for label in url.split("${__field.labels.").skip(1) {
                let label = label.split('}').next().unwrap();
                let is_known =
                    asked.contains(&format!("{{{{{label}}}}}")) || asked.contains("seconds{");
                assert!(is_known, "{title}: no {label} in {asked}");
            }
            let Some(path) = url.strip_prefix("/d/") else {
                assert_eq!(url, "http://${__field.labels.instance}/${__field.labels.country}");
                continue;
            };
            let (uid, query) = path.split_once('?').unwrap();
            let there = find(uid).unwrap_or_else(|| panic!("{title}: no dashboard {uid}"));
            let variables: BTreeSet<&str> =
                list(&there["templating"], "list").iter().map(|one| text(one, "name")).collect();
            for part in query.split('&') {
                let given = part
                    .strip_prefix("var-")
                    .map(|part| part.split('=').next().unwrap())
                    .or_else(|| part.strip_prefix("${")?.strip_suffix(":queryparam}"));
                assert!(given.is_none_or(|name| variables.contains(name)), "{title}: {part}");
            }
            led.insert((text(dashboard, "uid"), uid, query.contains("from=${__value.raw}")));
        }
    }
    for (from, to, to_incident) in [
        ("lifesign-countries", "lifesign-country", false),
        ("lifesign-countries", "lifesign-block", false),
        ("lifesign-country", "lifesign-block", false),
        ("lifesign-country", "lifesign-country", true),
    ] {
        assert!(led.contains(&(from, to, to_incident)), "{from} to {to}: {led:?}");
    }
}

#[test]
fn states_have_the_colours_of_the_page() {
    let style = fs::read_to_string(Path::new(ROOT).join("crates/page/src/light.css")).unwrap();
    let mut seen = BTreeSet::new();
    for (_, dashboard) in dashboards() {
        for panel in list(&dashboard, "panels") {
            let mappings = list(&panel["fieldConfig"]["defaults"], "mappings").iter();
            for option in mappings.flat_map(|one| one["options"].as_object().unwrap().values()) {
                let Some(state) = State::ALL.iter().find(|one| one.label() == text(option, "text"))
                else {
                    continue;
                };
                let colour = text(option, "color");
                let names = [format!("--{state}: {colour};"), format!("--{state}-fill: {colour};")];
                assert!(names.iter().any(|name| style.contains(name)), "{state} is {colour}");
                seen.insert(*state);
            }
        }
    }
    assert_eq!(seen.len(), State::ALL.len());
}

/// On import Grafana asks for the data source, and puts its name in the place of the input's.
#[test]
fn an_import_asks_for_the_data_source_and_provisioning_takes_no_name_of_another() {
    for (path, dashboard) in dashboards() {
        let [input] = list(&dashboard, "__inputs") else { panic!("{}", path.display()) };
        let name = format!("${{{}}}", text(input, "name"));
        let source = &list(&dashboard["templating"], "list")[0];
        assert_eq!(text(source, "type"), "datasource");
        assert_eq!(source["current"], json!({"text": name, "value": name}));
    }
    let provisioned = Path::new(ROOT).join("deploy/grafana/provisioning/datasources/lifesign.yml");
    let text = fs::read_to_string(provisioned).unwrap();
    for line in [
        "  - name: Prometheus for lifesign",
        "    uid: lifesign-prometheus",
        "    isDefault: false",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}");
    }
}

/// The Python in which tests/run put Grafana's foundation SDK.
fn python() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("grafana-sdk/bin/python3")
}

#[test]
fn states_have_the_colours_of_the_pages() {
    let script = fs::read_to_string(Path::new(ROOT).join("deploy/grafana/dashboards.py")).unwrap();
    let states = script.split("STATES = {").nth(1).unwrap().split('}').next().unwrap();
    for state in State::ALL {
        let colour = states.split(&format!("\"{state}\": (\"")).nth(1).unwrap();
        // Their areas would be too pale for a line.
        let name = match state {
            State::Flapping | State::Unknown => state.label().to_owned(),
            _ => format!("{state}-fill"),
        };
        assert_eq!(colour.split('"').next(), lifesign_page::light(&name), "{state}");
    }
}

#[test]
#[ignore = "needs python and grafana-foundation-sdk; run by tests/run"]
fn dashboards_are_as_their_script_writes_them_and_as_grafana_reads_them() {
    let script = Path::new(ROOT).join("deploy/grafana/dashboards.py");
    assert_eq!(done(quiet(Command::new(script), &["--check"])), (0, String::new(), String::new()));
    let check = format!("{ROOT}/tests/data/grafana/check.py");
    let made = dashboards();
    let files: Vec<&str> = made.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    let run =
        |files: &[&str]| done(quiet(Command::new(python()), &[&[check.as_str()], files].concat()));
    assert_eq!(run(&files), (0, String::new(), String::new()));

    // The check itself: it finds one wrong word, one wrong type, one wrong choice, each by its
    // place.
    let temp_dir = TempDir::new("grafana-check");
    let good = fs::read_to_string(&made[2].0).unwrap();
    for (right, wrong, place) in [
        ("\"rowHeight\":", "\"rowHeigth\":", "options.rowHeigth"),
        ("\"fillOpacity\": 85", "\"fillOpacity\": \"much\"", "fill_opacity"),
        ("\"alignValue\": \"left\"", "\"alignValue\": \"west\"", "align_value"),
        ("\"legendFormat\":", "\"legend\":", "targets[0].legend"),
        ("\"pluginId\": \"prometheus\"", "\"pluginId\": \"loki\"", "__inputs"),
        ("\"type\": \"heatmap\"", "\"type\": \"hotmap\"", "no panel hotmap"),
    ] {
        assert!(good.contains(right), "{right}");
        let (code, _, said) = run(&[&temp_dir.put("wrong.json", good.replace(right, wrong))]);
        assert!(code == 1 && said.contains(place), "{wrong}: {code} {said}");
    }
}

/// The country, or `country block`, or vantage that a line of alerts is about.
fn subject(line: &Line) -> String {
    let names = ["country", "network", "block", "vantage"].map(|name| line.label(name));
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

/// When an alert begins to fire, for each of its subjects: as Prometheus has it, the expression
/// must hold for `duration`, and the alert goes on until it has not held for `keepFiringFor`.
fn firings(server: &Prometheus, rule: &Value) -> Vec<(String, Time)> {
    let seconds = |key: &str| rule[key].as_f64().unwrap_or_default();
    let mut found = Vec::new();
    for line in server.range(text(rule, "query"), at(BEGIN), at(END), MINUTE).unwrap() {
        let mut began = f64::NAN;
        let mut fires = false;
        let mut last = f64::NAN;
        for &(time, _) in &line.points {
            let calm = time - last;
            if calm.is_nan()
                || calm > if fires { seconds("keepFiringFor") } else { MINUTE.as_secs_f64() }
            {
                (began, fires) = (time, false);
            }
            last = time;
            if !fires && time - began >= seconds("duration") {
                fires = true;
                found.push((subject(&line), Time::from_nanos((time * 1e9) as u64)));
            }
        }
    }
    found
}

/// What a panel is asked at, as a person would look at the day of the darkness.
struct DashboardView<'a> {
    server: &'a Prometheus<'a>,
    country: &'a str,
    /// The block that is looked at, or all of them.
    block: &'a str,
}

impl DashboardView<'_> {
    /// The query with Grafana's variables put in, as Grafana does with "All" vantages chosen.
    fn filled(&self, query: &str) -> String {
        let filled = query
            .replace("$__rate_interval", "4m")
            .replace("$__range", "86400s")
            .replace("$country", self.country)
            .replace("$vantage", ".*")
            .replace("$block", self.block);
        assert!(!filled.contains('$'), "a variable that nobody knows: {filled}");
        filled
    }

    /// The values that a variable offers.
    fn offered(&self, query: &str) -> Vec<String> {
        let inner =
            query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (series, label) = inner.rsplit_once(", ").unwrap();
        let [from, to] = [FROM, TO].map(|time| at(time).as_secs_f64());
        let series = escaped(&self.filled(series));
        let data = self
            .server
            .api(&format!("label/{label}/values?match[]={series}&start={from}&end={to}"));
        data.unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect()
    }

    fn lines(&self, query: &Value) -> Vec<Line> {
        let expr = self.filled(text(query, "expr"));
        let found = if query["instant"] == true {
            self.server.at(&expr, Some(at(TO)))
        } else {
            self.server.range(&expr, at(FROM), at(TO), 2 * MINUTE)
        };
        found.unwrap_or_else(|error| panic!("{expr}: {error}"))
    }
}

/// Is this what a panel of its kind draws? Gives the values, each once.
fn drawn(panel: &Value, query: &Value, lines: &[Line]) -> Vec<f64> {
    let title = text(panel, "title");
    let defaults = &panel["fieldConfig"]["defaults"];
    assert!(!lines.is_empty(), "{title}: nothing to draw for {query}");
    for part in text(query, "legendFormat").split("{{").skip(1) {
        let label = part.split("}}").next().unwrap();
        assert!(
            lines.iter().all(|line| !line.label(label).is_empty()),
            "{title}: a series without {label}"
        );
    }
    let mut values: Vec<f64> =
        lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
    // A quantile or a quotient of nothing is no number; Grafana leaves a gap.
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    values.dedup();
    assert!(!values.is_empty(), "{title}: no number for {query}");
    let lowest = values[0];
    let highest = values[values.len() - 1];
    let within = |low: f64, high: f64| lowest >= low && highest <= high;
    if let Some(mapping) = list(defaults, "mappings").first() {
        let known = |value: &f64| mapping["options"].get(value.to_string()).is_some();
        assert!(values.iter().all(known), "{title}: {values:?} are not all mapped");
    }
    match text(defaults, "unit") {
        // A quotient of sums may be wrong in its last digit.
        "percentunit" => assert!(within(0.0, 1.0 + 1e-9), "{title}: {lowest} to {highest}"),
        // Milliseconds; the process itself was started today.
        "dateTimeAsIso" => {
            assert!(within(at(BEGIN).as_secs_f64() * 1e3, 4e12), "{title}: {lowest} to {highest}");
        }
        "s" => assert!(within(0.0, 86_401.0), "{title}: {lowest} to {highest}"),
        _ => assert!(within(0.0, f64::MAX), "{title}: {lowest} to {highest}"),
    }
    match text(panel, "type") {
        // A cell for each point, so there must be a point nearly everywhere.
        "state-timeline" | "status-history" => {
            let longest = lines.iter().map(|line| line.points.len()).max();
            assert!(longest > Some(150), "{title}: {longest:?} points in a day");
        }
        "timeseries" => {
            assert!(lines.iter().any(|line| line.points.len() > 150), "{title}: few points");
        }
        "stat" => assert_ne!(query["instant"], true, "{title} reduces a range"),
        "table" => assert_eq!(
            (&query["instant"], text(query, "format")),
            (&json!(true), "table"),
            "{title}"
        ),
        "heatmap" => {
            let bounds: BTreeSet<&str> = lines.iter().map(|line| line.label("le")).collect();
            assert!(
                bounds.len() == lines.len() && bounds.len() > 10 && bounds.contains("+Inf"),
                "{bounds:?}"
            );
            assert_eq!(text(query, "format"), "heatmap");
            assert!(values.len() > 20, "{title}: only {values:?}");
        }
        kind => panic!("{title}: no test knows what {kind} draws"),
    }
    values
}

#[test]
#[ignore = "needs prometheus and promtool; run by tests/run"]
fn december_2014_is_drawn_by_every_panel_and_pages_few_times() {
    let temp_dir = TempDir::new("grafana");
    let server = crate::support::scraped::scraped(&temp_dir);
    let mut drawn_values = BTreeMap::new();
    let view = |block| DashboardView { server: &server, country: "KP", block };
    for (path, dashboard) in dashboards() {
        let is_of_one = text(&dashboard, "uid") == "lifesign-block";
        let view = view(if is_of_one { "127.45.176.0/24" } else { ".*" });
        for variable in list(&dashboard["templating"], "list") {
            let offered = match variable["query"]["query"].as_str() {
                Some(query) => view.offered(query),
                None => vec![text(variable, "query").to_owned()],
            };
            let wanted: &[&str] = match text(variable, "name") {
                "datasource" => &["prometheus"],
                "vantage" => &["berlin", "lab"],
                "country" => &["KP", "XX"],
                _ => &["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"],
            };
            assert_eq!(offered, wanted, "{}: {variable}", path.display());
        }
        for panel in list(&dashboard, "panels") {
            assert!(!list(panel, "targets").is_empty());
            for query in list(panel, "targets") {
                let values = drawn(panel, query, &view.lines(query));
                drawn_values.insert(
                    (text(&dashboard, "uid").to_owned(), text(panel, "title").to_owned()),
                    values,
                );
            }
        }
        for mark in list(&dashboard["annotations"], "list") {
            let lines = view.lines(mark);
            assert!(!lines.is_empty(), "{mark} marks nothing");
            for line in &lines {
                let names = [text(mark, "titleFormat"), text(mark, "textFormat")].join(" ");
                for part in names.split("{{").skip(1) {
                    assert!(
                        !line.label(part.split("}}").next().unwrap()).is_empty(),
                        "{mark}: {}",
                        line.labels
                    );
                }
                if text(mark, "useValueForTime") == "on" {
                    let begin = at(BEGIN).as_secs_f64() * 1e3;
                    let end = at(END).as_secs_f64() * 1e3;
                    assert!(
                        line.points.iter().all(|&(_, value)| value >= begin && value <= end),
                        "{mark}"
                    );
                }
            }
        }
    }
    // Up, flapping and outage; and the agreement is the one vantage's.
    for panel in ["Agreed by the vantages", "Each vantage"] {
        let values = &drawn_values[&("lifesign-countries".into(), panel.to_owned())];
        assert!([1.0, 5.0, 6.0].iter().all(|code| values.contains(code)), "{panel}: {values:?}");
    }

    // The darkness is marked to the second, and not when it was found.
    let made = dashboards();
    let outages = &made[1].1["annotations"]["list"][0];
    let marks: Vec<f64> = view(".*")
        .lines(outages)
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.1)
        .collect();
    let dark = at("2014-12-22T16:15:00Z").as_secs_f64() * 1e3;
    assert!(marks.iter().any(|mark| (mark - dark).abs() < 6e3), "{marks:?}");

    // What a probe was sent for is told of it 150 s later, whether it was answered or lost: no
    // darkness begins with a hole or a hill. Scrapes a minute apart are no finer than this.
    let outcomes = list(&made[2].1, "panels").iter().find(|one| text(one, "title") == "Outcomes");
    let told = text(&list(outcomes.unwrap(), "targets")[0], "expr");
    let sent = r#"sum(rate(lifesign_probes_total{country="KP"}[4m] offset 150s))"#;
    let ratio = format!("sum({}) / {sent}", view(".*").filled(told));
    let around = [at("2014-12-22T16:05:00Z"), at("2014-12-22T16:35:00Z")];
    for line in server.range(&ratio, around[0], around[1], MINUTE).unwrap() {
        assert!(line.points.len() > 25, "{line:?}");
        assert!(line.points.iter().all(|&(_, ratio)| (0.8..1.25).contains(&ratio)), "{line:?}");
    }

    let alerts = rules(&server, "alerting");
    let fired =
        |name: &str| firings(&server, alerts.iter().find(|rule| rule["name"] == name).unwrap());
    let outages = r#"lifesign_country_state_changes_total{country="KP",state="outage"}"#;
    let outages = server.at(outages, Some(at(END))).unwrap();
    assert!(outages[0].value() > 100.0, "a night without much ado: {:?}", outages[0].points);
    // For each darkness that Dyn wrote of, and for none of those within the flapping.
    let pages = fired("CountryOutage");
    let dark = ["2014-12-22T16:15:00Z", "2014-12-23T07:55:00Z", "2014-12-23T15:41:00Z"];
    assert_eq!(pages.len(), dark.len(), "{pages:?}");
    for ((subject, time), dark) in pages.iter().zip(dark) {
        assert!(subject == "KP" && time.since(at(dark)) < 12 * MINUTE, "{subject} {time}");
    }
    let unstable = fired("CountryUnstable");
    let begin = at("2014-12-21T14:00:00Z");
    assert!(
        matches!(&*unstable, [(subject, time)] if subject == "KP" && time.since(begin) < 60 * MINUTE),
        "{unstable:?}"
    );
    let parts = fired("Flapping");
    // A block, and the network of it alone, may go on where its country pauses, but not again and
    // again.
    assert!(parts.len() <= 2, "{parts:?}");
    // Whatever lasts is told of the country, and not of its blocks once more.
    for silent in ["BlockOutage", "Degraded", "VantagePath", "VantagesDisagree"] {
        assert_eq!(fired(silent), [], "{silent}");
    }
    let blind = fired("VantageBlind");
    assert!(!blind.is_empty() && blind.iter().all(|(subject, _)| subject == "berlin"), "{blind:?}");
}
