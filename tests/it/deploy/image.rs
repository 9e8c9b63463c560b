//! The image and the stack of deploy/compose, as far as that can be said without a registry.

use crate::support::{
    TempDir, done,
    golden::{path, text},
    quiet,
};
use std::{fs, os::unix::fs::symlink, process::Command};

/// What is wrong with compose.yml, by a word of what check.py says.
const WRONG: [(&str, &str, &str); 14] = [
    ("    cap_drop: [ALL]\n", "", "cap_drop"),
    ("    cap_add: [NET_RAW]\n", "", "cap_add"),
    ("cap_add: [NET_RAW]", "cap_add: [NET_RAW, SYS_ADMIN]", "cap_add"),
    ("cap_add: [NET_RAW]\n    read_only: true", "cap_add: [NET_RAW]", "lifesign: read_only"),
    ("    image: lifesign\n", "    image: lifesign\n    privileged: true\n", "privileged"),
    ("    image: lifesign\n", "    image: lifesign\n    user: root\n", "user"),
    ("on-failure:3", "on-failure", "restart"),
    ("      - state:/var/lib/lifesign\n", "", "state is not mounted"),
    ("      - samples:/prometheus\n", "", "samples is not mounted"),
    ("v2.53.3\n    network_mode: host\n", "v2.53.3\n", "prometheus: network_mode"),
    ("9090\n    read_only: true\n", "9090\n", "prometheus: read_only"),
    ("      GF_SERVER_HTTP_ADDR: 127.0.0.1\n", "", "GF_SERVER_HTTP_ADDR"),
    ("      - ../grafana/provisioning:/etc/grafana/provisioning:ro\n", "", "provisioning"),
    ("../grafana/dashboards:/usr/share", "../grafana/dashboards:/usr/lib", "dashboards"),
];

#[test]
#[ignore = "needs Python with yaml and jsonschema; run by tests/run"]
fn a_stack_that_lacks_what_it_needs_is_refused() {
    let temp_dir = TempDir::new("compose");
    fs::create_dir_all(temp_dir.join("deploy/compose")).unwrap();
    for linked in ["targets.toml", "deploy/prometheus", "deploy/grafana"] {
        symlink(path(linked), temp_dir.join(linked)).unwrap();
    }
    for copied in ["deploy/compose/check.py", "deploy/compose/Containerfile"] {
        temp_dir.put(copied, text(copied));
    }
    // The schema of Compose has deploy/release.
    let schema = temp_dir.put("schema.json", "{}");
    let check = temp_dir.path("deploy/compose/check.py");
    let checked = |stack: &str| {
        temp_dir.put("deploy/compose/compose.yml", stack);
        done(quiet(Command::new("python3"), &[&check, &schema]))
    };
    let stack = text("deploy/compose/compose.yml");
    assert_eq!(checked(&stack), (0, "compose.yml is well".to_owned(), String::new()));
    for (right, wrong, why) in WRONG {
        assert_eq!(stack.matches(right).count(), 1, "{right}");
        let (code, _, said) = checked(&stack.replace(right, wrong));
        let last = said.lines().last().unwrap_or_default();
        assert!(code == 1 && last.contains(why), "{right} → {wrong}: {code} {said}");
    }
}

/// What one builds by the Containerfile is what a release has.
#[test]
fn both_images_start_alike() {
    let built = text("deploy/compose/Containerfile");
    let of = |key: &str| {
        let line = built.lines().rfind(|line| line.starts_with(key)).expect(key);
        line.trim_start_matches(key).trim().to_owned()
    };
    let words = |list: &str| -> Vec<String> {
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let released = text("deploy/image/layout.py");
    let listed = |key: &str| {
        let (_, rest) = released.split_once(&format!("\"{key}\": [")).expect(key);
        words(rest.split(']').next().unwrap_or_default())
    };
    assert_eq!(words(&of("CMD")), listed("Cmd"));
    assert_eq!(words(&of("ENTRYPOINT")), listed("Entrypoint"));
    let user = released.lines().find_map(|line| line.strip_prefix("USER = ")).expect("the user");
    assert_eq!(of("USER"), format!("{user}:{user}"));
    assert!(released.contains("\"User\": f\"{USER}:{USER}\""));
    assert!(released.contains(&format!("\"Volumes\": {{\"{}\": {{}}}}", of("VOLUME"))));
    assert!(released.contains(&format!("\"ExposedPorts\": {{\"{}/tcp\": {{}}}}", of("EXPOSE"))));
}
