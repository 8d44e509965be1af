//! What a load balancer, a dashboard and Prometheus ask.

use super::Service;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(super) async fn health(State(service): State<Service>) -> impl IntoResponse {
    let health = service.app.health().await;
    (well(health.status != "down"), Answer(health))
}

pub(super) async fn ready(State(service): State<Service>) -> impl IntoResponse {
    let readiness = service.app.ready().await;
    (well(readiness.ready), Answer(readiness))
}

pub(super) async fn stats(State(service): State<Service>) -> impl IntoResponse {
    Answer(service.app.stats())
}

pub(super) async fn metrics(State(service): State<Service>) -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, service.app.metrics())
}

fn well(well: bool) -> StatusCode {
    if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
