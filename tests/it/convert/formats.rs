//! How findings are written, and the list of hazards.

use super::*;
use std::collections::BTreeSet;

fn sample() -> Folder {
    Folder::with(&[
        ("a.sql", "SELECT 1\n\tWHERE 'é' IN %s;\n"),
        ("b.sql", "SELECT a FROM t LIMIT %s"),
    ])
}

#[test]
fn people_see_the_line_and_what_to_do() {
    let ran = sample().run(&["convert", "."]);
    assert!(ran.out.starts_with("error[in-tuple]: "), "{ran:?}");
    assert!(ran.out.contains("--> a.sql:2:"), "{ran:?}");
    assert!(ran.out.contains("\n2 |     WHERE 'é' IN %s;\n"), "{ran:?}");
    assert!(ran.out.contains("= help: "), "{ran:?}");
    assert!(ran.out.contains("note[limit-param]: "), "{ran:?}");
    assert!(
        ran.out
            .trim_end()
            .ends_with("hazards: 1 error, 0 warnings, 1 note"),
        "{ran:?}"
    );
    assert!(!ran.out.contains('\u{1b}'));
    let ran = sample().run(&["convert", ".", "--color", "always"]);
    assert!(ran.out.contains('\u{1b}'));
}

#[test]
fn programs_get_one_document_or_lines() {
    let ran = sample().run(&["convert", ".", "--json"]);
    assert_eq!(
        ran.out,
        sample().run(&["convert", ".", "--format", "json"]).out
    );
    let document = ran.json();
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["file"], &finding["line"], &finding["code"]),
        (&"a.sql".into(), &2.into(), &"in-tuple".into())
    );
    assert!(finding["message"].is_string() && finding["suggestion"].is_string());
    assert_eq!(document["summary"]["hazards"]["note"], 1);
    let lines = sample().run(&["convert", ".", "--format", "jsonl"]).lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(&lines[0], finding);
    let empty = Folder::new().run(&["convert", ".", "--json"]);
    assert_eq!(
        (
            empty.code,
            empty.json()["findings"].as_array().unwrap().len()
        ),
        (0, 0)
    );
}

#[test]
fn code_scanning_gets_sarif_with_rules_places_and_fixes() {
    let ran = sample().run(&["convert", ".", "--format", "sarif"]);
    assert_eq!(ran.code, 1);
    let log = ran.json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let rules: BTreeSet<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(rules.contains(result["ruleId"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let region = &result["locations"][0]["physicalLocation"]["region"];
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[key].as_u64().unwrap() >= 1);
        }
    }
    let change = &results[0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "a.sql");
    let replacement = &change["replacements"][0];
    assert!(
        replacement["insertedContent"]["text"]
            .as_str()
            .unwrap()
            .contains("ANY($1)")
    );
    assert_eq!(replacement["deletedRegion"]["startLine"], 2);
}

#[test]
fn a_workflow_gets_annotations() {
    let ran = sample().run(&["convert", ".", "--format", "github"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(
        lines[0].starts_with("::error file=a.sql,line=2,endLine=2,col="),
        "{ran:?}"
    );
    assert!(lines[0].contains("title=in-tuple::"), "{ran:?}");
    assert!(
        lines[1].starts_with("::notice file=b.sql,line=1,"),
        "{ran:?}"
    );
}

#[test]
fn hazards_are_listed_and_explained() {
    let folder = Folder::new();
    let list = folder.run(&["hazards"]);
    assert_eq!(list.code, 0);
    let document = folder.run(&["hazards", "--json"]).json();
    let hazards = document["hazards"].as_array().unwrap();
    assert!(hazards.len() > 20);
    for hazard in hazards {
        let code = hazard["code"].as_str().unwrap();
        assert!(list.out.contains(code), "{code}");
        let one = folder.run(&["hazards", code]);
        assert_eq!(one.code, 0);
        assert!(
            one.out.contains(hazard["title"].as_str().unwrap()),
            "{one:?}"
        );
        assert!(one.out.contains("\nExample\n"), "{one:?}");
    }
    assert_eq!(folder.run(&["hazards", "IN_TUPLE"]).code, 0);
    let ran = folder.run(&["hazards", "in-tupl"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("the nearest is `in-tuple`"), "{ran:?}");
}
