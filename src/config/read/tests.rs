use super::*;
use crate::config::{Action, Share, Stage};
use proptest::prelude::*;

const SAMPLE: &str = include_str!("../../../flags.toml");

fn read(text: &str) -> Result<FlagsFile> {
    read_flags_file(Path::new("flags.toml"), text)
}

/// What the reader says of the sample with one place replaced, without the file and the line, which is the place's.
fn said_of(line: &str, instead: &str) -> String {
    assert!(SAMPLE.contains(line), "{line} is not in the sample");
    let error = read(&SAMPLE.replacen(line, instead, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let number = 1 + SAMPLE.split(line).next().unwrap().matches('\n').count();
    let place = format!("flags.toml:{number}: ");
    let said = error.message().strip_prefix(&place);
    said.unwrap_or_else(|| panic!("not at {place}{error}"))
        .to_owned()
}

#[test]
fn the_sample_is_the_documented_plan() {
    let file = read(SAMPLE).unwrap();
    assert_eq!(file.environments["production"].max_stage, Stage::Full);
    assert_eq!(
        file.environments["production"].approve,
        [Share::percent(25), Share::ALL]
    );
    assert_eq!(file.shadow.ignore[0].until.to_string(), "2027-01-31");
    assert_eq!(file.triggers.mismatch.action, Action::Pause);
    // What is left out means what the sample says.
    let defaults = FlagsFile::default();
    assert_eq!(
        (file.plan, file.triggers, file.detector),
        (defaults.plan, defaults.triggers, defaults.detector)
    );
    assert_eq!(
        (file.budget, file.session),
        (defaults.budget, defaults.session)
    );
    assert_eq!(read("schema = 1").unwrap(), FlagsFile::default());
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_known() {
    assert_eq!(
        said_of("salt =", "salts ="),
        "unknown key \"salts\"; did you mean \"salt\"?"
    );
    assert_eq!(
        said_of("[detector]", "[detectors]")
            .split(": ")
            .last()
            .unwrap(),
        "unknown key \"detectors\"; did you mean \"detector\"?"
    );
    assert!(said_of("max_stage", "maxstage").ends_with("did you mean \"max_stage\"?"));
    assert!(said_of("min_calls", "mincalls").ends_with("did you mean \"min_calls\"?"));
    assert!(said_of("owner", "ownr").ends_with("did you mean \"owner\"?"));
    assert!(said_of("for = ", "fro = ").ends_with("did you mean \"for\"?"));
    assert!(said_of("timezone", "xyzzy").ends_with("known here are timezone, statement_timeout, lock_timeout, idle_in_transaction_timeout, search_path"));
}

#[test]
fn every_unknown_key_is_told_in_the_order_of_the_lines() {
    let error = read("schema = 1\n[zzz]\na = 1\n[budget]\ntotl = 1\n").unwrap_err();
    let lines: Vec<_> = error
        .message()
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(lines, ["flags.toml:2", "flags.toml:5"]);
}

#[test]
fn a_wrong_type_or_word_is_told_with_its_line_and_key() {
    for (line, instead, start, end) in [
        (
            "total = 20",
            "total = \"20\"",
            "budget.total: invalid type: string \"20\"",
            "",
        ),
        (
            "total = 20",
            "total = -1",
            "budget.total: invalid value: integer `-1`",
            "",
        ),
        (
            "max_stage = \"full\"",
            "max_stage = \"fulll\"",
            "environments.production.max_stage: \"fulll\" is no stage",
            "",
        ),
        (
            "bake = \"10m\"",
            "bake = \"10 m\"",
            "plan.step[0].bake: \"10 m\" is no duration",
            "",
        ),
        (
            "read = 5\n",
            "read = 500\n",
            "plan.step[1].read: \"500\" is no percentage",
            "",
        ),
        ("read = 5\n", "read = -0.5\n", "plan.step[1].read: ", ""),
        (
            "xxh3-64/v1",
            "murmur3",
            "migration.hash: unknown variant `murmur3`",
            "`xxh3-64/v1`",
        ),
        (
            "\"tenant\", ",
            "\"tenants\", ",
            "migration.key: unknown variant `tenants`",
            "",
        ),
        (
            "2027-01-31",
            "2027-02-31",
            "shadow.ignore[0].until: \"2027-02-31\" is no day",
            "",
        ),
        (
            "within:2s",
            "about:2s",
            "shadow.ignore[0].rule: \"about:2s\" is no rule",
            "",
        ),
        (
            "staging:full:24h",
            "staging:24h",
            "environments.production.requires_evidence: \"staging:24h\" is no evidence",
            "",
        ),
        (
            "action = \"pause\"",
            "action = \"stop\"",
            "triggers.mismatch.action: unknown variant `stop`",
            "",
        ),
        (
            "use_async_db = \"auto\"",
            "use_async_db = \"maybe\"",
            "environments.local.use_async_db: \"maybe\" is not understood",
            "",
        ),
        ("[session]  ", "session = 1 #", "", ""),
    ] {
        let said = said_of(line, instead);
        assert!(
            said.starts_with(start) && said.ends_with(end),
            "{instead}: {said}"
        );
    }
}

#[test]
fn a_value_out_of_bounds_is_told_with_its_line() {
    for (line, instead, start) in [
        ("schema = 1", "schema = 2", "schema: 2 is not known"),
        (
            "write = 1\n",
            "write = 6\n",
            "plan.step[1].write: 6% of writes is more than 5% of reads",
        ),
        (
            "read = 10\n",
            "read = 3\n",
            "plan.step[2].read: a step raises",
        ),
        (
            "blocking_floor = 2 ",
            "blocking_floor = 21",
            "budget.blocking_floor: 21 connections",
        ),
        (
            "shadow_max_share = 0.10",
            "shadow_max_share = 1.5",
            "budget.shadow_max_share: 1.5 is no share",
        ),
        (
            "sample = 0.01",
            "sample = nan",
            "shadow.sample: NaN is no share",
        ),
        (
            "over = 0.05",
            "over = 5.0",
            "triggers.errors.over: 5 is no share",
        ),
        (
            "factor = 2.0",
            "factor = 0.5",
            "triggers.relative_p95.factor: 0.5",
        ),
        (
            "id = \"async-db\"",
            "id = \"\"",
            "migration.id: it must be a text",
        ),
        (
            "[\"tenant\", \"session\"]",
            "[\"tenant\", \"tenant\"]",
            "migration.key: it must name",
        ),
        (
            "staging:full:24h",
            "stage:full:24h",
            "environments.production.requires_evidence: \"stage\" is no other",
        ),
    ] {
        let said = said_of(line, instead);
        assert!(said.starts_with(start), "{instead}: {said}");
    }
}

#[test]
fn what_a_file_must_say_is_told_when_it_is_missing() {
    let said = |text: &str| read(text).unwrap_err().message().to_owned();
    assert_eq!(said(""), "flags.toml:1: missing field `schema`");
    assert_eq!(
        said("schema = 1\n\n[environments.local]\nuse_async_db = \"on\"\n"),
        "flags.toml:3: environments.local: missing field `max_stage`"
    );
    assert_eq!(
        said("schema = 1\n[migration]\nid = \"m\"\n"),
        "flags.toml:2: migration: missing field `salt`"
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let at = |text: &str| {
        read(text)
            .unwrap_err()
            .message()
            .split(": ")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(at("schema = 1\n[budget]\ntotal = = 20\n"), "flags.toml:3");
    assert_eq!(at("schema = 1\n[budget\ntotal = 20\n"), "flags.toml:2");
    assert_eq!(at("schema = 1\nschema = 1\n"), "flags.toml:2");
}

#[test]
fn only_what_is_near_is_offered() {
    assert_eq!(nearest("salts", ["id", "salt", "key"]), Some("salt"));
    assert_eq!(nearest("SALT", ["id", "salt", "key"]), Some("salt"));
    assert_eq!(nearest("sa", ["id", "salt"]), Some("salt"));
    assert_eq!(nearest("xyzzy", ["id", "salt", "key"]), None);
    assert_eq!(nearest("", ["id"]), None);
}

proptest! {
    #[test]
    fn a_file_that_was_cut_or_garbled_never_panics_and_names_a_line(at in 0..SAMPLE.len(), with in "\\PC{0,4}") {
        let at = (0..=at).rev().find(|at| SAMPLE.is_char_boundary(*at)).unwrap_or(0);
        for text in [format!("{}{with}", &SAMPLE[..at]), format!("{}{with}{}", &SAMPLE[..at], &SAMPLE[at..])] {
            if let Err(error) = read(&text) {
                for line in error.message().lines() {
                    let number = line.strip_prefix("flags.toml:").and_then(|rest| rest.split(':').next());
                    prop_assert!(number.is_some_and(|n| n.parse::<usize>().is_ok()), "{}", line);
                }
            }
        }
    }
}
