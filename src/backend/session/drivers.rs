//! What each driver is given: every value explicitly, from the one [`Target`] and the one [`Settings`].

use super::parameters::wrong;
#[cfg(feature = "blocking")]
use super::target::Address;
use super::target::{Mode, Target};
use super::{setup, tls, values};
use crate::backend::{BackendKind, Settings};
use crate::error::{Error, ErrorKind, Result};

/// The longest name that the server keeps, in bytes.
const LONGEST_NAME: usize = 63;

impl Target {
    /// The settings with what the URL says of them: its `connect_timeout` is how long opening a connection may take.
    pub(crate) fn settle(&self, settings: Settings) -> Settings {
        let open_timeout = self.connect_timeout.unwrap_or(settings.open_timeout);
        Settings {
            open_timeout,
            ..settings
        }
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
        use std::time::Duration;
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
            .connect_timeout(settings.open_timeout)
            .channel_binding(ChannelBinding::Disable)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_mins(1))
            .ssl_mode(match self.mode {
                Mode::Disable => SslMode::Disable,
                Mode::Prefer => SslMode::Prefer,
                Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
            });
        if let Some(options) = self.startup_options() {
            config.options(&options);
        }
        let tls = tls::Tls::new(tls::Files::read(self)?.configure(self)?);
        Ok((config, tls))
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
        // Without a cache sqlx names each statement that it prepares all the same, and never closes it.
        let cache = settings.statement_cache.max(1);
        let files = tls::Files::read(self)?;
        files.configure(self)?;
        let mut options = base
            .host(&self.host())
            .port(self.port)
            .username(&self.user)
            .password(self.password.as_deref().unwrap_or_default())
            .database(&self.database)
            .application_name(&self.application_name(settings, BackendKind::Async))
            .extra_float_digits(None)
            .statement_cache_capacity(cache)
            .ssl_root_cert_from_pem(files.roots)
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
        if let Some((certificate, key)) = files.client {
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

    /// The name that the server shows: the URL's or the settings', cut alike for every backend so that the longest word fits.
    fn application_name(&self, settings: &Settings, kind: BackendKind) -> String {
        let name = self
            .application_name
            .as_ref()
            .unwrap_or(&settings.session.application_name);
        let word = kind.as_str();
        let end = name.floor_char_boundary(LONGEST_NAME - " (blocking)".len());
        format!("{} ({word})", &name[..end])
    }

    #[cfg(feature = "blocking")]
    fn startup_options(&self) -> Option<String> {
        let mut all = self.inherited_options.clone().unwrap_or_default();
        for (name, value) in &self.options {
            let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
            let space = if all.is_empty() { "" } else { " " };
            all.extend([space, "-c ", name, "=", &value]);
        }
        (!all.is_empty()).then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, options: Option<&str>) -> Target {
        Target::parse_in(url, &|name| {
            let found = options.filter(|_| name == "PGOPTIONS");
            found.map(str::to_owned)
        })
        .unwrap()
    }

    #[test]
    fn a_name_keeps_its_word_when_it_is_cut() {
        let mut settings = Settings::default();
        let plain = target("postgres://me@h", None);
        let named = target("postgres://me@h?application_name=mine", None);
        assert_eq!(
            plain.application_name(&settings, BackendKind::Async),
            "pontoon (async)"
        );
        assert_eq!(
            named.application_name(&settings, BackendKind::Blocking),
            "mine (blocking)"
        );
        settings.session.application_name = "\u{e9}".repeat(40);
        let cut = plain.application_name(&settings, BackendKind::Blocking);
        assert_eq!(cut, format!("{} (blocking)", "\u{e9}".repeat(26)));
        assert!(cut.len() <= LONGEST_NAME);
    }

    #[test]
    fn contradictions_are_refused() {
        let mut settings = Settings::default();
        for (url, inherited) in [
            ("postgres://me@h?options=-c%20TIMEZONE=CET", None),
            ("postgres://me@h", Some("--statement-timeout=5")),
        ] {
            let error = target(url, inherited).check(&settings).unwrap_err();
            assert!(error.to_string().contains("decide"), "{error}");
        }
        let path = target("postgres://me@h?options=-c%20search_path=app", None);
        assert!(path.check(&settings).is_ok());
        settings.session.search_path = Some("other".into());
        assert!(path.check(&settings).is_err());
        settings.session.transaction_pooler = true;
        for (url, inherited) in [
            ("postgres://me@h?options=-c%20work_mem=5MB", None),
            ("postgres://me@h", Some("")),
        ] {
            let error = target(url, inherited).check(&settings).unwrap_err();
            assert!(
                error.to_string().contains("do not pass a pooler"),
                "{error}"
            );
        }
        settings.session.timezone = "UTC\0".into();
        assert!(target("postgres://me@h", None).check(&settings).is_err());
    }

    #[cfg(feature = "blocking")]
    #[test]
    fn the_blocking_driver_is_given_everything() {
        use postgres::config::{Host, SslMode};
        use std::time::Duration;
        let url = "postgres://me:p%40w@h:6000/db?options=-c%20a.b=c%5C%20d&connect_timeout=7&sslmode=verify-full";
        let target = target(url, Some("-c geqo=off"));
        let settings = target.settle(Settings::default());
        let (config, _) = target.blocking(&settings).unwrap();
        assert_eq!(config.get_hosts(), [Host::Tcp("h".into())]);
        assert_eq!(config.get_ports(), [6000]);
        assert_eq!(config.get_user(), Some("me"));
        assert_eq!(config.get_password(), Some(&b"p@w"[..]));
        assert_eq!(config.get_dbname(), Some("db"));
        assert_eq!(config.get_options(), Some("-c geqo=off -c a.b=c\\ d"));
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(30));
    }

    #[cfg(feature = "async")]
    #[test]
    fn the_async_driver_is_given_everything() {
        let url = "postgres://me:p%40w@h:6000/db?options=-c%20a.b=c%5C%20d&sslmode=verify-full";
        // PGOPTIONS cannot be taken from sqlx, so that the test's own has to be what the process has.
        let own = std::env::var("PGOPTIONS").ok();
        let options = target(url, own.as_deref())
            .asynchronous(&Settings::default())
            .unwrap();
        assert_eq!(options.get_host(), "h");
        assert_eq!(options.get_port(), 6000);
        assert_eq!(options.get_username(), "me");
        assert_eq!(options.get_database(), Some("db"));
        assert!(
            options
                .get_options()
                .is_some_and(|text| text.ends_with("-c a.b=c\\ d"))
        );
        assert!(matches!(
            options.get_ssl_mode(),
            sqlx::postgres::PgSslMode::VerifyFull
        ));
        assert_eq!(options.get_application_name(), Some("pontoon (async)"));
        let error = target(url, Some("-c jit=off"))
            .asynchronous(&Settings::default())
            .err()
            .unwrap();
        assert!(error.to_string().contains("has changed"), "{error}");
    }
}
