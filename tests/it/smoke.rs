use crate::support::Database;
use futures_util::StreamExt;
use pontoon::backend::{
    Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, Target, TransactionOptions,
};
use pontoon::sql::Query;
use pontoon::{Result, params};
use std::sync::Arc;

#[tokio::test]
async fn smoke() -> Result<()> {
    let db = Database::create();
    let target = Target::parse(&db.url)?;
    let budget = Budget::new(10);
    let backends: Vec<Arc<dyn StorageBackend>> = vec![
        Arc::new(R2d2Backend::new(
            &target,
            Settings::default(),
            Arc::clone(&budget),
        )?),
        Arc::new(SqlxBackend::new(&target, Settings::default(), budget)?),
    ];
    for b in &backends {
        let q = Query::new("q", "SELECT %s::int8 AS a, %s::text AS b")?;
        let row = b.fetch_optional(&q, params![7, "x"]).await?.unwrap();
        assert_eq!(
            (row.get::<i64>("a")?, row.get::<String>("b")?),
            (7, "x".to_string())
        );
        let t = Query::numbered("t", "CREATE TABLE t (id int primary key)")?;
        println!("{:?}", b.execute(&t, params![]).await);
        let i = Query::new("i", "INSERT INTO t VALUES (%s)")?;
        let mut tx = b.begin(TransactionOptions::default()).await?;
        println!("{:?}", tx.execute(&i, params![1]).await);
        println!("{:?}", tx.execute(&i, params![1]).await);
        println!("{:?}", tx.commit().await);
        let mut tx = b.begin(TransactionOptions::default()).await?;
        println!("{:?}", tx.execute(&i, params![1]).await);
        drop(tx);
        let mut tx = b.begin(TransactionOptions::default()).await?;
        println!("{:?}", tx.execute(&i, params![1]).await);
        println!("{:?}", tx.commit().await);
        println!(
            "{:?}",
            b.execute(&Query::numbered("d", "DROP TABLE t")?, params![])
                .await
        );
        let g = Query::new("g", "SELECT g FROM generate_series(1, %s) g")?;
        let mut s = b.fetch(&g, params![1000]).await?;
        let mut n = 0;
        while let Some(r) = s.next().await {
            n += r?.get::<i32>("g")?;
        }
        assert_eq!(n, 500_500);
        println!("{:?} {}", b.pool_status(), b.keep_alive().await);
        println!(
            "{:?}",
            b.fetch_all(&Query::numbered("bad", "SELECT nope")?, params![])
                .await
                .map(drop)
        );
    }
    for b in &backends {
        b.close().await;
        println!("{:?} {:?}", b.pool_status(), b.ping().await);
    }
    Ok(())
}
