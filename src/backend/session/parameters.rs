//! The connection parameters that are known: libpq's names and environment variables, and what becomes of each.

use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// What becomes of a parameter.
#[derive(Clone, Copy)]
enum Rule {
    /// Both drivers do it.
    Taken,
    /// Both drivers do what these values say, and nothing else.
    Only(&'static [&'static str], &'static str),
    /// At least one driver cannot; the advice says what to do.
    Refused(&'static str),
}

struct Parameter {
    name: &'static str,
    /// The variable that fills it in when the text leaves it out; empty where there is none.
    variable: &'static str,
    rule: Rule,
}

use Rule::{Only, Refused, Taken};

const ONE_HOST: &str = "only one host is tried; name one, or a proxy that finds the primary";
const KEEPALIVE: &str = "sqlx cannot set it, so it is not settable: the blocking driver probes after 30 s, and a call that gets no answer \
     ends by the answer timeout on both";
const KERBEROS: &str = "neither driver speaks Kerberos";
const REVOCATION: &str = "neither driver reads revocation lists";
const TLS_VERSION: &str = "both drivers speak TLS 1.2 and 1.3; leave it out";

#[rustfmt::skip]
const KNOWN: &[Parameter] = &[
    Parameter { name: "host", variable: "PGHOST", rule: Taken },
    Parameter { name: "hostaddr", variable: "PGHOSTADDR", rule: Taken },
    Parameter { name: "port", variable: "PGPORT", rule: Taken },
    Parameter { name: "user", variable: "PGUSER", rule: Taken },
    Parameter { name: "password", variable: "PGPASSWORD", rule: Taken },
    Parameter { name: "passfile", variable: "PGPASSFILE", rule: Taken },
    Parameter { name: "dbname", variable: "PGDATABASE", rule: Taken },
    Parameter { name: "application_name", variable: "PGAPPNAME", rule: Taken },
    Parameter { name: "fallback_application_name", variable: "", rule: Taken },
    Parameter { name: "options", variable: "PGOPTIONS", rule: Taken },
    Parameter { name: "connect_timeout", variable: "PGCONNECT_TIMEOUT", rule: Taken },
    Parameter { name: "sslmode", variable: "PGSSLMODE", rule: Taken },
    Parameter { name: "sslrootcert", variable: "PGSSLROOTCERT", rule: Taken },
    Parameter { name: "sslcert", variable: "PGSSLCERT", rule: Taken },
    Parameter { name: "sslkey", variable: "PGSSLKEY", rule: Taken },
    Parameter { name: "requiressl", variable: "PGREQUIRESSL", rule: Only(&["0"], "write sslmode=require") },
    Parameter { name: "sslnegotiation", variable: "PGSSLNEGOTIATION", rule: Only(&["postgres"], "sqlx cannot begin with TLS at once") },
    Parameter { name: "channel_binding", variable: "PGCHANNELBINDING", rule: Only(&["disable", "prefer"], "sqlx has none; use sslmode=verify-full against a man in the middle") },
    Parameter { name: "target_session_attrs", variable: "PGTARGETSESSIONATTRS", rule: Only(&["any"], ONE_HOST) },
    Parameter { name: "load_balance_hosts", variable: "", rule: Only(&["disable"], ONE_HOST) },
    Parameter { name: "client_encoding", variable: "", rule: Only(&["utf8", "UTF8", "utf-8", "UTF-8", "auto"], "both drivers speak UTF8") },
    Parameter { name: "gssencmode", variable: "PGGSSENCMODE", rule: Only(&["disable", "prefer"], KERBEROS) },
    Parameter { name: "replication", variable: "", rule: Only(&["false", "off", "no", "0"], "replication is not offered") },
    Parameter { name: "sslcompression", variable: "", rule: Only(&["0"], "neither driver compresses") },
    Parameter { name: "sslsni", variable: "PGSSLSNI", rule: Only(&["1"], "both drivers send the host's name") },
    Parameter { name: "ssl_min_protocol_version", variable: "PGSSLMINPROTOCOLVERSION", rule: Only(&["TLSv1.2"], TLS_VERSION) },
    Parameter { name: "ssl_max_protocol_version", variable: "PGSSLMAXPROTOCOLVERSION", rule: Only(&["TLSv1.3"], TLS_VERSION) },
    Parameter { name: "sslcertmode", variable: "", rule: Only(&["allow"], "the certificate is shown when the server asks; to show none, leave sslcert out") },
    Parameter { name: "sslpassword", variable: "", rule: Refused("neither driver decrypts a key; give sslkey a key without a passphrase") },
    Parameter { name: "sslcrl", variable: "PGSSLCRL", rule: Refused(REVOCATION) },
    Parameter { name: "sslcrldir", variable: "PGSSLCRLDIR", rule: Refused(REVOCATION) },
    Parameter { name: "require_auth", variable: "PGREQUIREAUTH", rule: Refused("neither driver can insist on a way to authenticate; use sslmode=verify-full") },
    Parameter { name: "requirepeer", variable: "PGREQUIREPEER", rule: Refused("neither driver checks who owns the socket; protect its folder") },
    Parameter { name: "krbsrvname", variable: "", rule: Refused(KERBEROS) },
    Parameter { name: "gsslib", variable: "", rule: Refused(KERBEROS) },
    Parameter { name: "gssdelegation", variable: "", rule: Refused(KERBEROS) },
    Parameter { name: "service", variable: "PGSERVICE", rule: Refused("neither driver reads a service file; write its parameters here") },
    Parameter { name: "servicefile", variable: "", rule: Refused("neither driver reads a service file; write its parameters here") },
    Parameter { name: "keepalives", variable: "", rule: Refused(KEEPALIVE) },
    Parameter { name: "keepalives_idle", variable: "", rule: Refused(KEEPALIVE) },
    Parameter { name: "keepalives_interval", variable: "", rule: Refused(KEEPALIVE) },
    Parameter { name: "keepalives_count", variable: "", rule: Refused(KEEPALIVE) },
    Parameter { name: "keepalives_retries", variable: "", rule: Refused(KEEPALIVE) },
    Parameter { name: "tcp_user_timeout", variable: "", rule: Refused(KEEPALIVE) },
];

/// The parameters that were given, by name: each once, the last one wins, an empty one counts as left out.
#[derive(Default)]
pub(super) struct Given(BTreeMap<&'static str, String>);

impl Given {
    /// Keeps a parameter, or says why it cannot be kept. The message never holds the value, which may be a misplaced password.
    pub(super) fn put(&mut self, name: &str, value: String) -> Result<()> {
        // JDBC writes it so, and libpq takes it.
        if name == "ssl" && value == "true" {
            return self.put("sslmode", "require".into());
        }
        let parameter = find(name)?;
        self.keep(parameter, value, parameter.name)
    }

    /// Fills in from the environment what was left out, as libpq does.
    pub(super) fn fill(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        for parameter in KNOWN {
            if parameter.variable.is_empty() || self.0.contains_key(parameter.name) {
                continue;
            }
            if let Some(value) = variable(parameter.variable) {
                self.keep(
                    parameter,
                    value,
                    &format!("the variable {}", parameter.variable),
                )?;
            }
        }
        Ok(())
    }

    /// What was given under a name.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn keep(&mut self, parameter: &Parameter, value: String, called: &str) -> Result<()> {
        if value.is_empty() {
            self.0.remove(parameter.name);
            return Ok(());
        }
        if value.contains('\0') {
            return Err(wrong(format!("{called} holds a NUL byte")));
        }
        match parameter.rule {
            Taken => {
                self.0.insert(parameter.name, value);
                Ok(())
            }
            Only(accepted, _) if accepted.contains(&value.as_str()) => Ok(()),
            Only(accepted, advice) => Err(wrong(format!(
                "{called} can only be {}",
                accepted.join(" or ")
            ))
            .with_hint(advice)),
            Refused(advice) => Err(wrong(format!("{called} is not supported")).with_hint(advice)),
        }
    }
}

/// An error about the connection URL.
pub(super) fn wrong(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("the database URL: {message}"))
}

/// Of `known`, the word that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(word);
    known
        .map(|known| (strsim::damerau_levenshtein(&wanted, &plain(known)), known))
        .min()
        .filter(|&(distance, known)| distance <= 3 && distance * 2 < known.len())
        .map(|(_, known)| known)
}

fn find(name: &str) -> Result<&'static Parameter> {
    if let Some(parameter) = KNOWN.iter().find(|parameter| parameter.name == name) {
        return Ok(parameter);
    }
    let taken = || {
        let taken = KNOWN.iter().filter(|known| matches!(known.rule, Taken));
        taken.map(|known| known.name)
    };
    // A name that no parameter could have is a piece of something else, which may be secret.
    let nameable = name.len() <= 40
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte));
    if !nameable {
        return Err(wrong("a parameter's name is no word")
            .with_hint("write & only between parameters, and %26 for one inside a value"));
    }
    let error = wrong(format!("unknown parameter {name}"));
    Err(match nearest(name, KNOWN.iter().map(|known| known.name)) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error.with_hint(format!("known: {}", taken().collect::<Vec<_>>().join(", "))),
    })
}
