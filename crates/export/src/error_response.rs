//! How a request ends that gets no answer: with a status and a line that says why.

use axum::http::StatusCode;

/// An error, and why, in one line.
pub type ErrorResponse = (StatusCode, String);

pub fn internal_error(error: impl std::error::Error) -> ErrorResponse {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}
