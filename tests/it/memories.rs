use crate::support::Database;
use pontoon::backend::{BackendKind, StorageBackend};
use pontoon::store::memories::{Change, DEFAULT_KIND, Memories, Memory, NewMemory, Page};
use pontoon::{ErrorKind, Result};
use serde_json::value::RawValue;
use std::future::Future;
use std::sync::Arc;
use uuid::Uuid;

/// Runs the test on each backend, each with a database of its own.
async fn on_each<F, T>(test: F)
where
    F: Fn(Arc<dyn StorageBackend>) -> T,
    T: Future<Output = Result<()>>,
{
    for kind in BackendKind::ALL {
        let database = Database::create();
        let backend = database.backend(kind);
        test(Arc::clone(&backend))
            .await
            .unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        backend.close().await;
    }
}

fn said(content: &str) -> NewMemory {
    NewMemory {
        content: content.to_owned(),
        ..NewMemory::default()
    }
}

fn json(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

fn contents(memories: &[Memory]) -> Vec<&str> {
    memories
        .iter()
        .map(|memory| memory.content.as_str())
        .collect()
}

#[tokio::test]
async fn a_memory_is_stored_changed_and_deleted() {
    on_each(|backend| async move {
        let memories = Memories::new(&*backend);
        let made = memories.create(said("  The river is deep.\n")).await?;
        assert_eq!(
            (made.title.as_str(), made.content.as_str()),
            ("The river is deep.", "  The river is deep.\n")
        );
        assert_eq!(
            (made.kind.as_str(), made.tags.len(), made.metadata.get()),
            (DEFAULT_KIND, 0, "{}")
        );
        assert_eq!(
            (made.project_id, made.truncated, made.created_at),
            (None, false, made.updated_at)
        );

        let change = Change {
            tags: Some(vec![
                "water".into(),
                "a,\"b\" {c}".into(),
                "ünï".into(),
                "NULL".into(),
            ]),
            metadata: json(r#"{"n": 12345678901234567890.50, "list": [1, null, "ü"]}"#),
            ..Change::default()
        };
        let changed = memories.update(made.id, change).await?.unwrap();
        assert_eq!(changed.tags, ["water", "a,\"b\" {c}", "ünï", "NULL"]);
        assert_eq!(
            changed.metadata.get(),
            r#"{"n": 12345678901234567890.50, "list": [1, null, "ü"]}"#
        );
        assert_eq!(
            (&changed.title, &changed.content, changed.created_at),
            (&made.title, &made.content, made.created_at)
        );
        assert!(changed.updated_at > made.updated_at);

        let read = memories.get(made.id).await?.unwrap();
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            serde_json::to_string(&changed).unwrap()
        );

        assert!(memories.delete(made.id).await?);
        assert!(!memories.delete(made.id).await?);
        assert!(memories.get(made.id).await?.is_none());
        assert!(memories.update(made.id, Change::default()).await?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_given_id_is_stored_once() {
    on_each(|backend| async move {
        let memories = Memories::new(&*backend);
        let id = Uuid::from_u128(7);
        let memory = NewMemory {
            id: Some(id),
            title: Some("t".into()),
            kind: Some("note".into()),
            ..said("one")
        };
        assert_eq!(memories.create(memory.clone()).await?.id, id);
        let error = memories
            .create(NewMemory {
                content: "two".into(),
                ..memory
            })
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.sqlstate()),
            (ErrorKind::Database, Some("23505"))
        );
        assert_eq!(
            error
                .database()
                .and_then(|report| report.constraint.as_deref()),
            Some("memories_pkey")
        );
        let kept = memories.get(id).await?.unwrap();
        assert_eq!(
            (
                kept.content.as_str(),
                kept.title.as_str(),
                kept.kind.as_str()
            ),
            ("one", "t", "note")
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    on_each(|backend| async move {
        let memories = Memories::new(&*backend);
        for number in 0..7 {
            let kind = Some(if number % 2 == 0 { "even" } else { "odd" }.to_owned());
            let tags = vec![format!("n{number}"), "all".into()];
            memories
                .create(NewMemory {
                    kind,
                    tags,
                    ..said(&number.to_string())
                })
                .await?;
        }
        let mut seen = Vec::new();
        let mut page = Page {
            limit: 3,
            ..Page::default()
        };
        loop {
            let listed = memories.list(page.clone()).await?;
            seen.push(contents(&listed.memories).join(""));
            // A newer memory must not move the pages behind the cursor.
            memories.create(said("later")).await?;
            page.after = listed.next_cursor;
            if page.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["654", "321", "0"]);

        let odd = Page {
            limit: 3,
            kind: Some("odd".into()),
            ..Page::default()
        };
        let listed = memories.list(odd).await?;
        assert_eq!(
            (contents(&listed.memories), listed.next_cursor),
            (vec!["5", "3", "1"], None)
        );
        let tagged = Page {
            limit: 3,
            tag: Some("n4".into()),
            ..Page::default()
        };
        assert_eq!(contents(&memories.list(tagged).await?.memories), ["4"]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_best_match_comes_first_then_the_text_as_it_stands() {
    on_each(|backend| async move {
        let memories = Memories::new(&*backend);
        for content in [
            "a bridge of boats",
            "the footbridge",
            "bridge, bridge and bridge",
            "nothing",
            "50%_off\\now",
            "50x off",
        ] {
            memories
                .create(NewMemory {
                    title: Some("t".into()),
                    ..said(content)
                })
                .await?;
        }
        let tagged = NewMemory {
            tags: vec!["BRIDGE".into(), "bridge".into()],
            ..said("tagged")
        };
        memories.create(tagged).await?;
        let titled = NewMemory {
            title: Some("Bridge".into()),
            ..said("titled")
        };
        memories.create(titled).await?;

        for (text, limit, found) in [
            (
                "bridge",
                10,
                &[
                    "titled",
                    "bridge, bridge and bridge",
                    "a bridge of boats",
                    "tagged",
                    "the footbridge",
                ][..],
            ),
            ("bridge", 2, &["titled", "bridge, bridge and bridge"]),
            (
                "bridge",
                4,
                &[
                    "titled",
                    "bridge, bridge and bridge",
                    "a bridge of boats",
                    "tagged",
                ],
            ),
            ("OTBRI", 10, &["the footbridge"]),
            ("%_o", 10, &["50%_off\\now"]),
            ("f\\n", 10, &["50%_off\\now"]),
            ("\"of boats\"", 10, &["a bridge of boats"]),
            ("boats or nothing", 10, &["nothing", "a bridge of boats"]),
            ("'; DROP TABLE memories; --", 10, &[]),
            ("() & | ! :*", 10, &[]),
        ] {
            assert_eq!(
                contents(&memories.search(text, limit).await?),
                found,
                "{text}"
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_long_text_is_stored_whole_and_listed_in_part() {
    on_each(|backend| async move {
        let memories = Memories::new(&*backend);
        // Distinct words of four-byte letters, joined by hyphens: what takes most room in a tsvector.
        let letter = |number: u32| char::from_u32(0x1_0400 + number % 40).unwrap();
        let word = |number: u32| {
            [number / 64_000, number / 1600, number / 40, number]
                .map(letter)
                .iter()
                .collect::<String>()
        };
        let words: Vec<String> = (0..20_000).map(word).collect();
        for joint in [" ", "-", "/", "@", "."] {
            let content = words.join(joint);
            let made = memories.create(said(&content)).await?;
            assert!(made.content == content, "joined by {joint:?}");
            assert!(made.title.chars().count() <= 100 && content.starts_with(&made.title));
        }
        let listed = memories
            .list(Page {
                limit: 1,
                ..Page::default()
            })
            .await?;
        assert_eq!(
            (
                listed.memories[0].content.chars().count(),
                listed.memories[0].truncated
            ),
            (200, true)
        );
        // Far behind what the full text holds.
        assert_eq!(memories.search(&words[19_000], 10).await?.len(), 5);
        Ok(())
    })
    .await;
}
