//! The HTTP API: the routes, what each takes and answers, and how a failure is told.
//!
//! [`ROUTES`] is the list: the router is built from it, and `docs/HTTP.md` is written from it.
//!
//! Adding a route: a handler in its resource's file, and its entry in `routes.rs`.

mod admin;
mod body;
mod document;
mod error;
mod health;
mod memory;
mod query;
mod request;
mod routes;
mod serve;

pub use document::document;
pub use error::{Code, PROBLEM_JSON, Problem};
pub use request::{REQUEST_ID, SESSION, TENANT};
pub use routes::{Field, ROUTES, Route};
pub use serve::serve;

use crate::app::App;
use admin::Access;
use axum::Router;
use axum::middleware::from_fn_with_state;
use std::sync::Arc;

/// What every handler has.
#[derive(Debug, Clone)]
struct Service {
    app: Arc<App>,
    access: Arc<Access>,
}

fn router(service: Service) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| {
        router.route(route.path, (route.handler)())
    });
    routes
        .fallback(request::no_such_route)
        .layer(from_fn_with_state(service.clone(), request::guard))
        .with_state(service)
}
