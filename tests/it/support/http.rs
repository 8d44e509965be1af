//! The program's HTTP server on a loopback port, and a client that takes every answer as it is.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use pontoon::app::App;
use pontoon::backend::BackendKind;
use pontoon::{Bridge, Flags, http};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::Database;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) app: Arc<App>,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<pontoon::Result<()>>>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

/// A bridge on the database whose every unit of work runs on `kind`.
pub(crate) fn bridge(database: &Database, kind: BackendKind) -> Bridge {
    Bridge::builder(&database.url)
        .flags(Flags::fixed(kind))
        .budget(8)
        .build()
        .unwrap()
}

impl Server {
    /// Serves `database` on `kind`.
    pub(crate) fn start(database: &Database, kind: BackendKind) -> Self {
        Self::of(App::new(
            bridge(database, kind),
            Box::new(|| "# none\n".to_owned()),
        ))
    }

    /// Serves that app.
    pub(crate) fn of(app: App) -> Self {
        let app = Arc::new(app);
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let served = Arc::clone(&app);
        let running = thread::spawn(move || {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                http::serve(listener, served, async { drop(stopped.await) }).await
            })
        });
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true);
        Self {
            address: told.recv().unwrap(),
            app,
            agent: config.build().into(),
            stop: Some(stop),
            running: Some(running),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// Sends JSON.
    pub(crate) fn json(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(
            method,
            path,
            &[("content-type", "application/json")],
            Some(body.as_bytes()),
        )
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer
                .body_mut()
                .with_config()
                .limit(64 << 20)
                .read_to_string()
                .unwrap(),
        }
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stores a memory of this content and gives its id.
    pub(crate) fn stored(&self, content: &str) -> String {
        let body = serde_json::json!({ "content": content }).to_string();
        let answer = self.json("POST", "/memory", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["memory_id"].as_str().unwrap().to_owned()
    }

    /// Waits until it has stopped, and gives what it returned.
    pub(crate) fn stopped(mut self) -> pontoon::Result<()> {
        self.stop();
        self.running.take().unwrap().join().unwrap()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's code and field, `code field`; empty where it is no problem.
    pub(crate) fn problem(&self) -> String {
        if self.header("content-type") != http::PROBLEM_JSON {
            return String::new();
        }
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        let code = problem["code"].as_str().unwrap();
        format!("{code} {}", problem["field"].as_str().unwrap_or_default())
            .trim_end()
            .to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if let Some(running) = self.running.take() {
            let ended = running.join();
            if !thread::panicking() {
                ended.unwrap().unwrap();
            }
        }
    }
}
