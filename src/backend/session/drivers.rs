//! What each driver is given: every value explicitly, from the one [`Target`] and the one [`Settings`].

use super::parameters::wrong;
use super::target::{Address, Mode, Target};
use super::{setup, tls, values};
use crate::backend::{BackendKind, Settings};
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// The longest name that the server keeps, in bytes.
const LONGEST_NAME: usize = 63;

impl Target {
    /// How long opening a connection may take: the URL's `connect_timeout`, or what the settings say.
    pub(crate) fn open_timeout(&self, settings: &Settings) -> Duration {
        self.connect_timeout.unwrap_or(settings.open_timeout)
    }

    /// What `postgres` connects with.
    ///
    /// Certificates are read now; a connection that is opened later uses what was read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when a certificate or key cannot be used, or the settings and the URL's `options` contradict each other.
    #[cfg(feature = "blocking")]
    pub(crate) fn blocking(&self, settings: &Settings) -> Result<(postgres::Config, tls::Tls)> {
        use postgres::config::{ChannelBinding, SslMode};
        self.check(settings)?;
        let mut config = postgres::Config::new();
        match &self.address {
            Address::Tcp(host) => config.host(host),
            Address::Socket(folder) => config.host_path(folder),
        };
        config
            .port(self.port)
            .user(&self.user)
            // Without one, the driver would not even ask the server, which sqlx does.
            .password(self.password.as_deref().unwrap_or_default())
            .dbname(&self.database)
            .application_name(&self.application_name(settings, BackendKind::Blocking))
            .connect_timeout(self.open_timeout(settings))
            .channel_binding(ChannelBinding::Disable)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(60))
            .ssl_mode(match self.mode {
                Mode::Disable => SslMode::Disable,
                Mode::Prefer => SslMode::Prefer,
                Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
            });
        if let Some(options) = self.startup_options() {
            config.options(&options);
        }
        let material = tls::Material::load(self)?;
        Ok((config, tls::Tls::new(material.config)))
    }

    /// What `sqlx` connects with.
    ///
    /// # Errors
    /// As [`blocking`](Self::blocking).
    #[cfg(feature = "async")]
    pub(crate) fn asynchronous(
        &self,
        settings: &Settings,
    ) -> Result<sqlx::postgres::PgConnectOptions> {
        use sqlx::ConnectOptions;
        use sqlx::postgres::{PgConnectOptions, PgSslMode};
        self.check(settings)?;
        // It begins with what the environment says; each value is then replaced, except PGOPTIONS, which can only be added to.
        let base = PgConnectOptions::new_without_pgpass();
        if base.get_options() != self.inherited_options.as_deref() {
            return Err(wrong("PGOPTIONS has changed since it was read"));
        }
        let cache = if settings.session.transaction_pooler {
            0
        } else {
            settings.statement_cache
        };
        let material = tls::Material::load(self)?;
        let mut options = base
            .host(&self.host())
            .port(self.port)
            .username(&self.user)
            .password(self.password.as_deref().unwrap_or_default())
            .database(&self.database)
            .application_name(&self.application_name(settings, BackendKind::Async))
            .extra_float_digits(None)
            .statement_cache_capacity(cache)
            .ssl_root_cert_from_pem(material.roots)
            .ssl_mode(match self.mode {
                Mode::Disable => PgSslMode::Disable,
                Mode::Prefer => PgSslMode::Prefer,
                Mode::Require => PgSslMode::Require,
                Mode::VerifyCa => PgSslMode::VerifyCa,
                Mode::VerifyFull => PgSslMode::VerifyFull,
            })
            .disable_statement_logging();
        if !self.options.is_empty() {
            options = options.options(self.options.iter().map(|(name, value)| (name, value)));
        }
        if let Some((certificate, key)) = material.client {
            options = options
                .ssl_client_cert_from_pem(certificate)
                .ssl_client_key_from_pem(key);
        }
        if self.mode == Mode::VerifyCa {
            tls::settle_process_default();
        }
        Ok(options)
    }

    /// Refuses settings that would not be what they say once a connection is open.
    fn check(&self, settings: &Settings) -> Result<()> {
        let session = &settings.session;
        let texts = [
            Some(&session.timezone),
            session.search_path.as_ref(),
            Some(&session.application_name),
        ];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(Error::new(
                ErrorKind::Config,
                "a session setting holds a NUL byte",
            ));
        }
        if session.transaction_pooler
            && (self.inherited_options.is_some() || !self.options.is_empty())
        {
            return Err(wrong("options and PGOPTIONS do not pass a pooler")
                .with_hint("leave them out, and use ALTER ROLE ... SET"));
        }
        let decided = setup::decided(settings);
        let inherited = values::options(self.inherited_options.as_deref().unwrap_or_default())?;
        let names = inherited.iter().chain(&self.options).map(|(name, _)| name);
        match names
            .into_iter()
            .find(|name| decided.iter().any(|word| word.eq_ignore_ascii_case(name)))
        {
            Some(name) => Err(wrong(format!(
                "options sets {name}, which the session's settings decide"
            ))
            .with_hint("set it there, and take it out of options and PGOPTIONS")),
            None => Ok(()),
        }
    }

    /// The name that the server shows: the URL's or the settings', cut so that the backend's word fits.
    fn application_name(&self, settings: &Settings, kind: BackendKind) -> String {
        let name = self
            .application_name
            .as_ref()
            .unwrap_or(&settings.session.application_name);
        let mark = format!(" ({kind})");
        let end = name.floor_char_boundary(LONGEST_NAME - mark.len());
        format!("{}{mark}", &name[..end])
    }

    #[cfg(feature = "blocking")]
    fn startup_options(&self) -> Option<String> {
        let mut all = self.inherited_options.clone().unwrap_or_default();
        for (name, value) in &self.options {
            let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
            let space = if all.is_empty() { "" } else { " " };
            all.push_str(&format!("{space}-c {name}={value}"));
        }
        (!all.is_empty()).then_some(all)
    }
}
