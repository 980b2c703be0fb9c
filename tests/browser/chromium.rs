//! Chromium, driven through the protocol of its developers' tools over its pipe: JSON, each message with a zero byte behind it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page.
pub(crate) struct Chromium {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    /// What was said on the page's console, and what the browser refused to do for it.
    pub(crate) complaints: Vec<String>,
}

impl Chromium {
    /// Starts one, which keeps what it keeps in this folder.
    pub(crate) fn start(program: &str, folder: &Path) -> Self {
        // It reads what it is told from 3 and answers on 4; a shell makes those of what a process has.
        let start = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;
        let mut process = Command::new("sh")
            .args(["-c", start, program])
            .args([
                "--headless=new",
                "--no-sandbox",
                "--remote-debugging-pipe",
                "--no-first-run",
                "--disable-gpu",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--hide-scrollbars",
                "--force-device-scale-factor=1",
            ])
            .arg(format!("--user-data-dir={}", folder.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut chromium = Self {
            process,
            asks,
            answers: BufReader::new(answers),
            session: None,
            last: 0,
            complaints: Vec::new(),
        };
        let targets = chromium.call("Target.getTargets", &json!({}));
        let targets = targets["targetInfos"].as_array().unwrap();
        let page = targets.iter().find(|target| target["type"] == "page").unwrap();
        let attached = chromium.call("Target.attachToTarget", &json!({"targetId": page["targetId"], "flatten": true}));
        chromium.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Audits"] {
            chromium.call(&format!("{domain}.enable"), &json!({}));
        }
        chromium
    }

    /// Has something done, and waits until it is.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.attempt(method, params).unwrap_or_else(|refusal| panic!("{method}: {refusal}"))
    }

    /// The same, where the browser may refuse.
    fn attempt(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.asks.write_all(format!("{message}\0").as_bytes()).unwrap();
        self.asks.flush().unwrap();
        loop {
            let mut message = self.read();
            if message["id"] == self.last {
                return match message.get("error") {
                    Some(refusal) => Err(refusal.clone()),
                    None => Ok(message["result"].take()),
                };
            }
            self.hear(&message);
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "chromium ended");
        serde_json::from_slice(&message).unwrap()
    }

    fn hear(&mut self, message: &Value) {
        let params = &message["params"];
        let complaint = match message["method"].as_str().unwrap_or_default() {
            "Log.entryAdded" => Some(params["entry"]["text"].to_string()),
            "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
            // That a script goes on to the next page is no fault of the page.
            "Audits.issueAdded" => Some(params["issue"].to_string()).filter(|issue| !issue.contains("NavigationEntryMarkedSkippable")),
            _ => None,
        };
        self.complaints.extend(complaint);
    }

    /// Does something that leads to another page, and waits until that is there.
    pub(crate) fn leading(&mut self, act: impl FnOnce(&mut Self)) {
        self.evaluate("window.stays = true");
        act(self);
        loop {
            let there = "!window.stays && document.readyState === 'complete' && location.href !== 'about:blank'";
            let asked = json!({"expression": there, "returnByValue": true});
            // While one page makes room for the next there is none to be asked.
            if let Ok(answer) = self.attempt("Runtime.evaluate", &asked)
                && answer["result"]["value"] == true
            {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// Opens a page.
    pub(crate) fn open(&mut self, address: &str) {
        self.leading(|browser| {
            let went = browser.call("Page.navigate", &json!({"url": address}));
            assert!(went.get("errorText").is_none(), "{address}: {went}");
        });
    }

    /// The value of an expression.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let result = self.call(
            "Runtime.evaluate",
            &json!({"expression": expression, "awaitPromise": true, "returnByValue": true}),
        );
        if result.get("exceptionDetails").is_some() {
            return Value::String(format!("exception: {}", result["exceptionDetails"]));
        }
        result["result"]["value"].clone()
    }

    /// Makes the window so wide, and its surroundings light or dark.
    pub(crate) fn dress(&mut self, width: u32, scheme: &str) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}),
        );
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        let text = match key {
            "Enter" => "\r",
            _ => "",
        };
        let down = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call("Input.dispatchKeyEvent", &down);
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &up);
    }

    /// Goes from one thing to the next with the key for that, until the focus is on what a selector names.
    pub(crate) fn tab_to(&mut self, selector: &str) {
        for _ in 0..200 {
            self.press("Tab", 9);
            if self.evaluate(&format!("document.activeElement.matches({selector:?})")) == true {
                return;
            }
        }
        panic!("{selector} cannot be reached with the keyboard");
    }

    /// Types a text.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// What the page looks like, from its top to its end, as PNG in base64.
    pub(crate) fn picture(&mut self) -> String {
        let shot = self.call("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true}));
        shot["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}
