//! Chromium through WebDriver: a session of `chromedriver` (W3C WebDriver, with Chromium's own commands).

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Held by the test that has a browser: one is enough for a machine that runs other tests too.
static TURN: Mutex<()> = Mutex::new(());

/// How long a page may take to come to what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window. It ends with its driver.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// A browser; nothing where there is none to drive.
    pub fn start() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--log-level=SEVERE"]);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = spawned else {
            let asked = std::env::var_os("STRATA_BROWSER").is_some();
            assert!(!asked, "chromedriver is not installed");
            eprintln!("skipped: chromedriver is not installed (Debian: chromium-driver)");
            return None;
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            Some(
                line.split_once("successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .to_owned(),
            )
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE * 2))
            .build()
            .new_agent();
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{}/session", port.unwrap()),
            agent,
            _turn: turn,
        };
        let options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-extensions", "--disable-sync", "--disable-background-networking",
            "--disable-component-update", "--no-first-run", "--hide-scrollbars",
            "--disable-search-engine-choice-screen",
        ]});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 60_000},
        }}});
        let made = browser.post("", &wanted);
        browser.session = format!(
            "{}/{}",
            browser.session,
            made["sessionId"].as_str().unwrap()
        );
        Some(browser)
    }

    /// Opens an address.
    pub fn open(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// Runs a script; what it returns.
    pub fn script(&self, script: &str, arguments: Value) -> Value {
        let body = json!({"script": script, "args": arguments});
        self.post("/execute/sync", &body)
    }

    /// Runs a script; what it calls its argument with.
    pub fn script_async(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.post("/execute/async", &body)
    }

    /// Waits until a script returns true.
    pub fn wait(&self, script: &str) {
        let begun = Instant::now();
        while self.script(script, json!([])) != json!(true) {
            let seen = || self.script("return document.body.innerText.slice(0, 2000)", json!([]));
            assert!(
                begun.elapsed() < PATIENCE,
                "{script}\n{}\n{:?}",
                seen(),
                self.complaints()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until what changed is drawn.
    pub fn settle(&self) {
        let drawn = "const done = arguments[0]; document.fonts.ready.then(() => \
                     requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))));";
        self.script_async(drawn);
    }

    /// The size of the window and the scheme of colours.
    pub fn screen(&self, width: u32, height: u32, phone: bool, scheme: &str) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone});
        self.chromium("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.chromium("Emulation.setEmulatedMedia", features);
    }

    /// Presses keys one after the other.
    pub fn keys(&self, keys: &[&str]) {
        let code = |key: &str| match key {
            "Tab" => '\u{E004}',
            "Enter" => '\u{E007}',
            "Escape" => '\u{E00C}',
            "Space" => ' ',
            "ArrowLeft" => '\u{E012}',
            "ArrowUp" => '\u{E013}',
            "ArrowRight" => '\u{E014}',
            "ArrowDown" => '\u{E015}',
            other => other.chars().next().unwrap(),
        };
        let presses = keys.iter().flat_map(|key| {
            let value = code(key).to_string();
            ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": value}))
        });
        let presses: Vec<Value> = presses.collect();
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": presses}]});
        self.post("/actions", &actions);
    }

    /// What has the focus after each of so many presses of Tab from the top: its tag and its name.
    pub fn tab_through(&self, presses: usize) -> Vec<String> {
        self.script("document.activeElement?.blur(); scrollTo(0, 0)", json!([]));
        let mut stops = Vec::new();
        for _ in 0..presses {
            self.keys(&["Tab"]);
            let stop = self.script(
                "const at = document.activeElement; return `${at.tagName.toLowerCase()} \
                 ${at.getAttribute('aria-label') ?? at.textContent.trim().slice(0, 40)}`",
                json!([]),
            );
            stops.push(stop.as_str().unwrap_or_default().to_owned());
        }
        stops
    }

    /// What the window shows, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let answer = self
            .agent
            .get(format!("{}/screenshot", self.session))
            .call();
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        decoded(value["value"].as_str().unwrap())
    }

    /// What the browser's console has said since the last time.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().into_iter().flatten();
        lines.map(|line| line["message"].to_string()).collect()
    }

    fn chromium(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", &body);
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}{what}", self.session);
        let request = self
            .agent
            .post(url)
            .header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{what}: {value}");
        value["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Base 64, as WebDriver writes pictures.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => Some(u32::from(letter - b'A')),
        b'a'..=b'z' => Some(u32::from(letter - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(letter - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(digit).collect();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    out
}
