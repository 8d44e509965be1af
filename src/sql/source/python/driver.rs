//! Which drivers a module imports.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use ruff_python_ast::Stmt;

use super::looks::search;

/// The drivers of a module, and what it calls psycopg's and `SQLAlchemy`'s functions.
#[derive(Debug, Default)]
pub(super) struct Drivers<'a> {
    pub(super) psycopg: bool,
    pub(super) asyncpg: bool,
    /// Drivers of other databases.
    pub(super) others: bool,
    /// Local names of `sqlalchemy.text`, and of modules that have it.
    text: Vec<&'a str>,
    text_modules: Vec<&'a str>,
    /// Local names of `psycopg2.sql`'s classes, with their own.
    composables: Vec<(&'a str, &'a str)>,
    sql_modules: Vec<&'a str>,
}

/// Packages that speak to PostgreSQL with placeholders that begin with `%`.
const PSYCOPG: &[&str] = &[
    "psycopg",
    "psycopg2",
    "psycopg2cffi",
    "psycopg_pool",
    "aiopg",
    "pg8000",
    "pgdb",
    "psycopg2_pool",
    "momoko",
    "psycogreen",
];

/// Packages that speak to another database.
const OTHERS: &[&str] = &[
    "sqlite3",
    "aiosqlite",
    "pysqlite2",
    "apsw",
    "sqlcipher3",
    "MySQLdb",
    "pymysql",
    "aiomysql",
    "asyncmy",
    "mysql",
    "cx_Oracle",
    "oracledb",
    "pyodbc",
    "aioodbc",
    "pymssql",
    "duckdb",
    "snowflake",
    "clickhouse_driver",
    "cassandra",
];

impl<'a> Drivers<'a> {
    /// Whether a file has the name of a driver that is known to speak to PostgreSQL, seen from its bytes alone.
    pub(super) fn may_be_named(source: &[u8]) -> bool {
        static NAMES: LazyLock<AhoCorasick> =
            LazyLock::new(|| search(PSYCOPG.iter().chain(&["asyncpg"])));
        NAMES.is_match(source)
    }

    /// Reads an import statement.
    pub(super) fn import(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let module = alias.name.as_str();
                    self.package(module);
                    let name = alias.asname.as_ref().map_or(module, |name| name.as_str());
                    self.module(module, name);
                }
            }
            Stmt::ImportFrom(import) => {
                let Some(module) = import.module.as_ref().filter(|_| import.level == 0) else {
                    return;
                };
                self.package(module.as_str());
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.member(module.as_str(), alias.name.as_str(), name);
                }
            }
            _ => {}
        }
    }

    fn package(&mut self, module: &str) {
        let package = module.split('.').next().unwrap_or(module);
        self.psycopg |= PSYCOPG.contains(&package);
        self.asyncpg |= package == "asyncpg";
        self.others |= OTHERS.contains(&package);
    }

    fn module(&mut self, module: &str, name: &'a str) {
        match module {
            "sqlalchemy" | "sqlalchemy.sql" | "sqlmodel" => self.text_modules.push(name),
            "psycopg2.sql" | "psycopg.sql" => self.sql_modules.push(name),
            _ => {}
        }
    }

    fn member(&mut self, module: &str, member: &'a str, name: &'a str) {
        match (module, member) {
            (
                "sqlalchemy" | "sqlalchemy.sql" | "sqlalchemy.sql.expression" | "sqlmodel",
                "text",
            ) => self.text.push(name),
            ("sqlalchemy", "sql") => self.text_modules.push(name),
            ("psycopg2" | "psycopg", "sql") => self.sql_modules.push(name),
            ("psycopg2.sql" | "psycopg.sql", _) => self.composables.push((name, member)),
            _ => {}
        }
    }

    /// Whether every driver that the module names is another database's.
    pub(super) fn foreign(&self) -> bool {
        self.others
            && !self.psycopg
            && !self.asyncpg
            && self.text.is_empty()
            && self.text_modules.is_empty()
    }

    /// Whether `module.name` or `name` is `SQLAlchemy`'s `text`.
    pub(super) fn is_text(&self, module: Option<&str>, name: &str) -> bool {
        match module {
            Some(module) => name == "text" && self.text_modules.contains(&module),
            None => self.text.contains(&name),
        }
    }

    /// The class of `psycopg.sql` that `module.name` or `name` is.
    pub(super) fn composable<'n>(&self, module: Option<&str>, name: &'n str) -> Option<&'n str>
    where
        'a: 'n,
    {
        match module {
            Some(module) => (self.sql_modules.contains(&module)
                || module.rsplit('.').next() == Some("sql"))
            .then_some(name),
            None => self
                .composables
                .iter()
                .find(|(local, _)| *local == name)
                .map(|(_, own)| *own),
        }
    }
}
