//! The simulator as a responder of wiremock, for tests that count or match requests there.

use std::sync::Arc;

use kinset::tracker::simulator::{Delivery, Headers, Reply, Request, Simulator};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate, matchers};

/// Answers every request that no other mock takes. Faults that break connections need the simulator's own server.
pub(crate) struct Mounted(Arc<Simulator>);

impl Mounted {
    pub(crate) async fn on(server: &MockServer, simulator: Arc<Simulator>) {
        Mock::given(matchers::any()).respond_with(Self(simulator)).mount(server).await;
    }
}

impl Respond for Mounted {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let Reply {
            status,
            headers,
            body,
            delivery,
        } = self.0.handle(&Request {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            headers: Headers {
                authorization: header("Authorization"),
                accept: header("Accept"),
                content_type: header("Content-Type"),
                host: header("Host"),
            },
            body: request.body.clone().into(),
        });
        let template = headers.into_iter().fold(ResponseTemplate::new(status), |template, (name, value)| {
            template.insert_header(name, value)
        });
        let template = template.set_body_bytes(body.to_vec());
        match delivery {
            Delivery::Whole => template,
            Delivery::After(duration) => template.set_delay(duration),
            Delivery::Late { .. } | Delivery::Dripping(_) | Delivery::Truncated | Delivery::Reset => {
                panic!("wiremock cannot answer by parts or break a connection: serve the simulator itself")
            }
        }
    }
}
