use pontoon::embedded::Embedded;

use crate::support::{self, Database, execute};

#[test]
fn first() {
    let d = Database::create();
    println!("{:?}", d);
    println!("{:?}", execute(&d.url, &["select version()"]));
    println!("{:?}", execute(&d.tcp_url, &["select current_database()"]));
    let _ = (Embedded::options(), support::server());
}
