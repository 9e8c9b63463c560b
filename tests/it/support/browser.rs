//! Headless Chromium, driven by the DevTools protocol over two pipes, with a fresh profile. It
//! tells every request that a page makes and everything that the browser complains of, and never
//! waits without a deadline.

use crate::support::{TIMEOUT, TempDir, quiet};
use serde_json::{Value, json};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// In which colours and on what screen.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub dark: bool,
    pub width: u32,
}

/// Longer than any step on a machine that is busy with other tests.
const PATIENCE: Duration = TIMEOUT.saturating_mul(6);

pub struct Browser {
    chromium: Child,
    orders: File,
    messages: Receiver<Value>,
    session: Option<Value>,
    last: u64,
    /// What happened so far, by the protocol's names.
    pub events: Vec<Value>,
    _room: TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let temp_dir = TempDir::new("chromium");
        let [orders, answers] = ["orders", "answers"].map(|name| temp_dir.path(name));
        let profile = format!("--user-data-dir={}", temp_dir.path("profile"));
        let shell = r#"mkfifo "$0" "$1"; echo ready; profile=$2; orders=$0; answers=$1
            exec chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
            --disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe "$profile" \
            3<"$orders" 4>"$answers""#;
        let mut command = quiet(Command::new("sh"), &["-ec", shell, &orders, &answers, &profile]);
        let mut chromium = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(chromium.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let orders = OpenOptions::new().write(true).open(orders).unwrap();
        let answers = BufReader::new(File::open(answers).unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            chromium,
            orders,
            messages,
            session: None,
            last: 0,
            events: Vec::new(),
            _room: temp_dir,
        };
        let page = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        browser.session = Some(browser.call("Target.attachToTarget", &attach)["sessionId"].clone());
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Gives an order and waits for its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut order = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            order["sessionId"] = session.clone();
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let message = self.hear(method);
            if message["id"] == self.last {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].clone();
            }
        }
    }

    fn hear(&mut self, what: &str) -> Value {
        let message =
            self.messages.recv_timeout(PATIENCE).unwrap_or_else(|end| panic!("{what}: {end}"));
        if message.get("method").is_some() {
            self.events.push(message.clone());
        }
        message
    }

    /// Waits until something of this name has happened so many times.
    pub fn happened(&mut self, name: &str, times: usize) {
        while self.all(name).count() < times {
            self.hear(name);
        }
    }

    /// Everything of this name that has happened.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events
            .iter()
            .filter(move |event| event["method"] == name)
            .map(|event| &event["params"])
    }

    /// Goes to an address and waits until it is loaded.
    pub fn open(&mut self, address: &str, screen: Screen) {
        let colours = if screen.dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
        let metrics = json!({"width": screen.width, "height": 900, "deviceScaleFactor": 1, "mobile": screen.width < 500});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let loaded = self.all("Page.loadEventFired").count();
        let result = self.call("Page.navigate", &json!({"url": address}));
        assert_eq!(result.get("errorText"), None, "{address}");
        self.happened("Page.loadEventFired", loaded + 1);
    }

    /// What a script gives; the page itself has none.
    pub fn ask(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", &params);
        assert_eq!(result.get("exceptionDetails"), None, "{script}");
        result["result"]["value"].clone()
    }

    /// What the browser complained of: errors and warnings of the console, exceptions, refused
    /// styles and the like.
    pub fn complaints(&self) -> Vec<&Value> {
        [
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Network.loadingFailed",
        ]
        .into_iter()
        .flat_map(|name| self.all(name))
        .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}
