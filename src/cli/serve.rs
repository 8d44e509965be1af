//! `pontoon serve`: the composition root. It alone builds the whole program, in this order: address, log and metrics, private PostgreSQL,
//! schema, both pools behind one flag, preflight, the tasks beside, HTTP. What is built last ends first.

mod address;
mod preflight;
mod private;
mod signals;
mod upkeep;

use super::context::{Context, runtime};
use super::database::{Database, impatient};
use super::exit::{Exit, Failure, Outcome};
use super::print::Printer;
use crate::app::App;
use crate::backend::migrate;
use crate::config::{DatabaseUrl, Settings, parse_duration};
use crate::flags::Flags;
use crate::{http, metrics};
use address::Reserved;
use clap::Args;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use private::Private;
use serde_json::json;
use signals::Signals;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use upkeep::Upkeep;

/// The upper bounds of the histograms, in seconds: from a local round trip to the longest answer.
const BUCKETS: [f64; 16] = [
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
];

/// Serves the HTTP API over both backends; without a database URL on a private PostgreSQL of its own
///
/// Applies missing migrations, compares both backends' sessions, and prints one line when it is ready; with `--json` that line is
/// `{"listening","database","stage"}` on stdout. SIGTERM or Ctrl-C: it accepts nothing more, lets requests finish for 10 s, and closes
/// the pools, which get 5 s. A second one ends it at once. A private PostgreSQL that ends by itself is started again.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address to listen on; port 0 takes any that is free [env: `PONTOON_LISTEN`] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Keeps the private PostgreSQL's data in a temporary folder that ends with it
    #[arg(long, conflicts_with = "data_dir")]
    ephemeral: bool,
    /// Where the private PostgreSQL and the kill file live [env: `PONTOON_DATA_DIR`] [default: `$XDG_DATA_HOME/pontoon`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How long to wait at the start for a database that is not there yet
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    wait: Duration,
}

impl Serve {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        context.start_service_log();
        let settings = context.settings_with(|arguments| {
            arguments.listen.clone_from(&self.listen);
            arguments.data_dir.clone_from(&self.data_dir);
        })?;
        if self.ephemeral && settings.database_url.is_some() {
            let why =
                "--ephemeral starts a private PostgreSQL, and a database URL names another one";
            return Err(Failure::Usage(why.into()));
        }
        address::refuse_open_admin(&settings)?;
        let runtime = runtime()?;
        let reserved = runtime.block_on(async { address::reserve(settings.listen) })?;
        // Counters that were made before the recorder would count for nobody.
        let metrics = recorder()?;
        let signals = runtime.block_on(async { Signals::install() })?;
        let start = || Private::start(self.ephemeral, &settings, context.printer());
        let is_named = settings.database_url.is_some();
        let private = (!is_named).then(start).transpose()?;
        let url = private
            .as_ref()
            .map(Private::url)
            .or(settings.database_url.as_ref().map(DatabaseUrl::expose))
            .unwrap_or_default();
        let program = Program {
            settings: &settings,
            printer: context.printer(),
            url,
            wait: self.wait,
        };
        let served = runtime.block_on(program.run(reserved, metrics, signals));
        runtime.shutdown_timeout(Duration::from_secs(1));
        // The pools are closed: now nobody is left who needs the database.
        if let Some(private) = private {
            private.stop(context.printer());
        }
        served.map(|()| Exit::Done)
    }
}

fn recorder() -> Outcome<PrometheusHandle> {
    let wrong = |error| {
        Failure::System(
            "no recorder of metrics can be installed".into(),
            io::Error::other(error),
        )
    };
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(wrong)?;
    metrics::describe();
    Ok(handle)
}

/// What is served, and how its surroundings are.
struct Program<'a> {
    settings: &'a Settings,
    printer: &'a Printer,
    url: &'a str,
    wait: Duration,
}

impl Program<'_> {
    async fn run(
        &self,
        reserved: Reserved,
        metrics: PrometheusHandle,
        signals: Signals,
    ) -> Outcome<()> {
        let flags = Flags::builder().settings(self.settings).build()?;
        let database = Database::at(self.url, self.settings, flags.clone())?;
        let mut signals = signals;
        tokio::select! {
            made = self.prepare(&database) => made?,
            () = signals.first() => return Ok(()),
        }
        let _watch = flags.watch()?;
        let upkeep = Upkeep::start(&database.bridge, metrics.clone());
        let listener = reserved.listen()?;
        let app = Arc::new(self.app(&database, metrics));
        self.tell_ready(&listener, &database, &flags)?;
        http::serve(listener, app, signals.first_then_hurry()).await?;
        drop(upkeep);
        database.close().await;
        self.printer.note("stopped");
        Ok(())
    }

    /// Brings the schema up to date, and warns of what differs between the backends.
    async fn prepare(&self, database: &Database) -> Outcome<()> {
        let probe = Database::at(self.url, &impatient(self.settings), Flags::in_memory(0))?;
        probe.reach(self.wait, self.printer).await?;
        probe.close().await;
        match self
            .settings
            .direct_url()
            .filter(|_| self.settings.direct_database_url.is_some())
        {
            Some(direct) => {
                let direct = Database::at(direct.expose(), self.settings, Flags::in_memory(0))?;
                migrate::migrate(&direct.bridge).await?;
                direct.close().await;
            }
            None => drop(migrate::migrate(&*database.bridge.serving()).await?),
        }
        preflight::warn_of_differences(&database.backends()).await
    }

    fn app(&self, database: &Database, metrics: PrometheusHandle) -> App {
        let token = self.settings.admin_token.as_ref();
        App::new(database.bridge.clone(), Box::new(move || metrics.render()))
            .with_environment(&self.settings.environment)
            .with_admin_token(token.map(|token| token.expose().to_owned()))
    }

    fn tell_ready(
        &self,
        listener: &TcpListener,
        database: &Database,
        flags: &Flags,
    ) -> Outcome<()> {
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Listen(self.settings.listen, error))?;
        let (listening, stage) = (format!("http://{address}"), flags.snapshot().stage());
        if self.printer.is_json() {
            return self.printer.document(
                &json!({ "listening": listening, "database": database.shown, "stage": stage }),
            );
        }
        self.printer.note(&format!(
            "ready at {listening}, database {}, stage {stage}",
            database.shown
        ));
        Ok(())
    }
}
