use super::*;
use crate::error::ErrorKind;

/// Reads with an environment that is empty but for these variables.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Target> {
    Target::parse_in(text, &|name| {
        let mut found = variables.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| (*value).to_owned())
    })
}

/// Every part with its password, to compare.
fn shown(target: &Target) -> String {
    let (user, host) = (&target.user, target.host());
    let password = target.password.as_deref().unwrap_or("-");
    let (mode, port, database) = (target.mode.as_str(), target.port, &target.database);
    format!("{user} {password} {host} {port} {database} {mode}")
}

#[test]
fn a_url_is_read_as_libpq_reads_it() {
    #[rustfmt::skip]
        let cases = [
            ("postgres://me:pw@host:6000/db", "me pw host 6000 db prefer"),
            ("postgresql://me@host", "me - host 5432 me prefer"),
            ("  postgres://me:@host/  ", "me - host 5432 me prefer"),
            ("postgres:///postgres?host=/dir&port=5432&user=postgres", "postgres - /dir 5432 postgres disable"),
            ("postgres://me@%2Fvar%2Frun/db?sslmode=require", "me - /var/run 5432 db disable"),
            ("postgres://me:p%40s%3As%2Fw%25%23@host/d%C3%A9%20b", "me p@s:s/w%# host 5432 d\u{e9} b prefer"),
            ("postgres://me:a:b#c?d+e@host/db", "me a:b#c?d+e host 5432 db prefer"),
            ("postgres://me@[::1]:6000/db?sslmode=verify-full", "me - ::1 6000 db verify-full"),
            ("postgres://me@[fe80::1]", "me - fe80::1 5432 me prefer"),
            ("postgres://me@host:/db", "me - host 5432 db prefer"),
            ("postgres://x:y@host/db?user=me&password=pw&port=1&dbname=other&host=there", "me pw there 1 other prefer"),
            ("postgres://me@host/db?hostaddr=10.0.0.1", "me - 10.0.0.1 5432 db prefer"),
            ("postgres://host/db?user=me@server&ssl=true", "me@server - host 5432 db require"),
            ("postgres://me@host?sslmode=disable&channel_binding=prefer&target_session_attrs=any", "me - host 5432 me disable"),
            (r"host=h user=me password='a b\'c\\' dbname = 'd b' port=7", r"me a b'c\ h 7 d b prefer"),
            ("user=me password='' host=h", "me - h 5432 me prefer"),
            (r"host=/dir user=me password=p\ w", "me p w /dir 5432 me disable"),
            ("user=me host=h password=", "me - h 5432 me prefer"),
        ];
    for (text, expected) in cases {
        assert_eq!(shown(&read(text, &[]).unwrap()), expected, "{text}");
    }
}

#[test]
fn what_is_refused_says_why_and_never_the_secret() {
    #[rustfmt::skip]
        let cases = [
            ("", "neither a URL"),
            ("hunter2", "neither a URL"),
            ("mysql://me:hunter2@host/db", "not for Postgres"),
            ("postgresql+psycopg2://me:hunter2@host/db", "another program's scheme"),
            ("jdbc:postgresql://me:hunter2@host/db", "another program's scheme"),
            ("postgres://me:hunter2@one,two/db", "several hosts"),
            ("postgres://me:hunter2@one/db?host=one,two", "several hosts"),
            ("postgres://me:hunter2@one:1,two:2/db", "several hosts"),
            ("postgres://me:x@hunter2@host/db", "an @ stands"),
            ("postgres://me:x/hunter2@host/db", "an @ stands"),
            ("postgres://me:12/?hunter=y@host/db", "an @ stands"),
            ("postgres://me:12/?x=y&hunter2@host/db", "an @ stands"),
            ("postgres://me:@?hunter=x@host/db", "an @ stands"),
            ("postgres://me:hunter2/db", "is not a port"),
            ("postgres://me:hunter2:5@host:5a/db", "is not a port"),
            ("postgres://me:hunter2@::1/db", "is not a port"),
            ("postgres://me:hunter2@[::1/db", "no closing ]"),
            ("postgres://me:hunter2@[::1]5/db", "follows the ]"),
            ("postgres://me:hunter2@host:0/db", "1 to 65535"),
            ("postgres://me:hunter2@host:65536/db", "1 to 65535"),
            ("postgres://me:hunter2%@host/db", "hexadecimal"),
            ("postgres://me:hunter2%4@host/db", "hexadecimal"),
            ("postgres://me:hunter2%f\u{e9}@host/db", "hexadecimal"),
            ("postgres://me:hunter2%FF@host/db", "not UTF-8"),
            ("postgres://me:hunter2%00@host/db", "NUL byte"),
            ("postgres://me@host/db?pasword=hunter2", "unknown parameter pasword"),
            ("postgres://me@host/db?hunter2hunter2", "no = after its name"),
            ("postgres://me@host/db?password=a&hunter2!=b", "name is no word"),
            ("user=me password=a hunter2", "a word has no ="),
            ("user=me password=a hunter2 host=h", "a word has no ="),
            ("user=me password='hunter2", "does not end"),
            ("postgres://me:hunter2@host/db?sslmode=hunter2", "sslmode is none"),
            ("postgres://me:hunter2@host/db?sslmode=allow", "allow is not supported"),
            ("postgres://me:hunter2@host/db?connect_timeout=soon", "whole number of seconds"),
            ("postgres://me:hunter2@host/db?hostaddr=host", "not an IP address"),
            ("postgres://me:hunter2@host/db?hostaddr=::1&sslmode=verify-full", "does not go with"),
            ("postgres://me:hunter2@host/db?sslcert=/c", "without sslkey"),
            ("postgres://me:hunter2@host/db?sslkey=/c", "without sslcert"),
            ("postgres://me:hunter2@host/db?sslpassword=hunter2", "sslpassword is not supported"),
            ("postgres://me:hunter2@host/db?keepalives=1", "keepalives is not supported"),
            ("postgres://me:hunter2@host/db?channel_binding=require", "channel_binding can only be"),
            ("postgres://me:hunter2@host/db?target_session_attrs=read-write", "target_session_attrs can only be any"),
            ("postgres://me:hunter2@host/db?sslrootcert=system&sslmode=require", "verify-full alone"),
            ("postgres://me:hunter2@host/db?options=-d%205", "not a list of settings"),
            ("postgres://me:hunter2@%40abstract/db", "abstract sockets"),
        ];
    for (text, expected) in cases {
        let error = read(text, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(error.to_string().contains(expected), "{text}: {error}");
        let all = format!("{error} {error:?} {:?}", error.hint());
        assert!(!all.contains("hunter"), "{text}: {all}");
    }
}

#[test]
fn a_misspelt_word_is_told_the_nearest() {
    for (text, near) in [
        ("postgres://me@h?pasword=x", "did you mean password?"),
        ("postgres://me@h?ssl-mode=require", "did you mean sslmode?"),
        (
            "postgres://me@h?applicationname=x",
            "did you mean application_name?",
        ),
        (
            "postgres://me@h?sslmode=verify_full",
            "did you mean verify-full?",
        ),
        ("postgres://me@h?sslmode=requre", "did you mean require?"),
        ("postgres://me@h?zzzz=1", "known: host, hostaddr,"),
    ] {
        let error = read(text, &[]).unwrap_err();
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains(near), "{text}: {error:?}");
    }
}

#[test]
fn the_environment_fills_in_what_is_left_out() {
    let all = [
        ("PGHOST", "there"),
        ("PGPORT", "6000"),
        ("PGUSER", "you"),
        ("PGPASSWORD", "secret"),
        ("PGDATABASE", "base"),
        ("PGSSLMODE", "require"),
        ("PGAPPNAME", ""),
    ];
    let shown = |text: &str| shown(&read(text, &all).unwrap());
    assert_eq!(shown("postgres://"), "you secret there 6000 base require");
    assert_eq!(
        shown("postgres://me:pw@here:1/db?sslmode=prefer"),
        "me pw here 1 db prefer"
    );
    assert_eq!(
        shown("postgres://me@here"),
        "me secret here 6000 base require"
    );
    for (name, value, expected) in [
        ("PGSERVICE", "x", "the variable PGSERVICE is not supported"),
        ("PGPORT", "x", "port is not a number"),
        ("PGSSLKEY", "", "PGSSLKEY is set to nothing"),
        ("PGREQUIRESSL", "1", "PGREQUIRESSL can only be 0"),
    ] {
        let error = read("postgres://me@here", &[(name, value)]).unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn the_password_file_gives_the_password_that_nothing_else_gave() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".pgpass");
    let lines = "localhost:*:*:me:socket\nhost:5432:db:me:named\n*:*:*:*:any\n";
    std::fs::write(&file, lines).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let home = [("HOME", folder.path().to_str().unwrap())];
    let named = [("PGPASSFILE", file.to_str().unwrap())];
    let password = |text: &str, variables: &[(&str, &str)]| {
        let target = read(text, variables).unwrap();
        target.password.unwrap_or_default()
    };
    assert_eq!(password("postgres://me@host/db", &home), "named");
    let url = "postgres://me@host/db?hostaddr=10.0.0.1";
    assert_eq!(password(url, &named), "named");
    assert_eq!(password("postgres://me@other/db", &named), "any");
    assert_eq!(password("postgres://me@/db?host=/tmp", &named), "socket");
    assert_eq!(password("postgres://me:pw@host/db", &named), "pw");
    let nowhere = [("HOME", "/nowhere")];
    assert_eq!(password("postgres://me@host/db", &nowhere), "");
}

#[test]
fn what_is_shown_reads_back_but_for_the_password() {
    #[rustfmt::skip]
        let cases = [
            ("postgres://me:hunter2@host/db", "postgres://me:***@host:5432/db?sslmode=prefer"),
            ("postgres://m%40e:hunter2@[::1]:1/d%3Fb", "postgres://m%40e:***@[::1]:1/d%3Fb?sslmode=prefer"),
            ("host='/a dir' user=me", "postgres://me@/me?host=/a%20dir&port=5432"),
            (
                "postgres://me@h?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c%26&sslkey=/k",
                "postgres://me@h:5432/me?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c%26&sslkey=/k",
            ),
            ("postgres://me@h?options=-c%20a.b=hunter2", "postgres://me@h:5432/me?sslmode=prefer&options=***"),
        ];
    for (text, expected) in cases {
        let target = read(text, &[]).unwrap();
        assert_eq!(target.redacted(), expected);
        assert_eq!(format!("{target:?}"), format!("Target({expected})"));
        if !expected.contains("options") {
            let mut again = read(expected, &[]).unwrap();
            again.password.clone_from(&target.password);
            assert!(again == target, "{again:?} is not {target:?}");
        }
    }
}
