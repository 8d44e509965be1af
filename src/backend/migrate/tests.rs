use super::*;

const FILES: &[(&str, &str)] = &[
    (
        "0001_one",
        "CREATE TABLE one (a int); -- note;\nCREATE TABLE two (a text DEFAULT '%s;');",
    ),
    ("0002_two", "SELECT 1"),
    ("0003_three", "SELECT 1"),
];

fn applied(known: &[Migration], versions: &[i32]) -> BTreeMap<i32, Applied> {
    let line = |own: &Migration| Applied {
        version: own.step.version,
        name: own.step.name.clone(),
        checksum: own.checksum.clone(),
    };
    let chosen = known
        .iter()
        .filter(|own| versions.contains(&own.step.version));
    chosen.map(|own| (own.step.version, line(own))).collect()
}

#[test]
fn this_build_s_files_load() -> Result<()> {
    let known = known()?;
    assert_eq!(known.len(), super::FILES.len());
    assert!(
        known
            .iter()
            .all(|migration| !migration.statements.is_empty())
    );
    Ok(())
}

#[test]
fn a_file_is_cut_into_named_statements() -> Result<()> {
    let known = load(FILES)?;
    let names: Vec<&str> = known[0]
        .statements
        .iter()
        .map(|query| query.name().as_ref())
        .collect();
    assert_eq!(names, ["migrations/0001_one#1", "migrations/0001_one#2"]);
    assert!(known[0].statements[1].text().ends_with("DEFAULT '%s;')"));
    Ok(())
}

#[test]
fn line_ends_do_not_change_the_checksum() {
    assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
    assert_ne!(checksum("a\nb"), checksum("ab"));
    assert_eq!(checksum("").len(), 32);
}

#[test]
fn what_is_there_and_what_is_not() -> Result<()> {
    let known = load(FILES)?;
    let (present, pending) = compare(&known, &applied(&known, &[1]))?;
    assert_eq!(
        present,
        [Step {
            version: 1,
            name: "one".into()
        }]
    );
    assert_eq!(
        pending
            .iter()
            .map(|next| next.step.version)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    Ok(())
}

#[test]
fn what_this_build_does_not_know_is_refused() -> Result<()> {
    let known = load(FILES)?;
    let refused = |lines: &BTreeMap<i32, Applied>| {
        let error = compare(&known[..2], lines).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.hint().is_some());
        error.to_string()
    };
    assert!(refused(&applied(&known, &[1, 2, 3])).contains("migration 3 (three)"));
    assert!(refused(&applied(&known, &[2])).contains("lacks 1 (one)"));
    let mut edited = applied(&known, &[1]);
    edited.entry(1).and_modify(|line| line.checksum.push('0'));
    assert!(refused(&edited).contains("migrations/0001_one.sql"));
    Ok(())
}

#[test]
fn a_bad_file_is_named() {
    for (files, says) in [
        (
            &[("one", "SELECT 1")][..],
            "migrations/one.sql: its name is not <number>_<what>",
        ),
        (&[("0001_a", "SELECT '")], "migrations/0001_a.sql: 1:8: "),
        (
            &[("0001_a", ""), ("0003_b", "")],
            "migrations/0003_b.sql: number 2 is missing or there twice",
        ),
        (
            &[("0001_a", ""), ("1_b", "")],
            "migrations/1_b.sql: number 2 is missing or there twice",
        ),
    ] {
        let error = load(files).unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}
