//! Who may change what of a patch: the answers are those of a real Patchwork to its submitter, its delegate and others.

use kinset::model::{PatchId, UserName};
use kinset::tracker::simulator::World;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::patchwork::{Patchwork, client, small_world};

const POWERLESS: &str = "You do not have permission to perform this action.";
const FOREIGN: &str = "At least one patch is part of a project you are not maintaining.";

/// `sender` sent patch 1 and `helper` is to look after patch 2; neither maintains anything.
fn world() -> World {
    let mut world = small_world(3)
        .with_user("sender", "t-sender", &[])
        .with_user("helper", "t-helper", &[]);
    world.patches[0].submitter = Some(UserName("sender".to_owned()));
    world.patches[1].delegate = Some(UserName("helper".to_owned()));
    world
}

async fn write(patchwork: &Patchwork, method: Method, user: &str, patch: u64, body: &Value) -> (u16, Value) {
    let request = patchwork.request(method, &format!("/api/1.3/patches/{patch}/"));
    let reply = request
        .header("Authorization", format!("Token t-{user}"))
        .json(body)
        .send()
        .await
        .unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test]
async fn a_commit_is_taken_from_submitter_and_delegate_and_a_relation_is_not() {
    let patchwork = Patchwork::start(&world()).await;
    for (user, patch, other) in [("sender", 1, 2), ("helper", 2, 1)] {
        let commit = json!({ "commit_ref": user });
        let (status, body) = write(&patchwork, Method::PATCH, user, patch, &commit).await;
        assert_eq!((status, &body["commit_ref"]), (200, &json!(user)));
        assert_eq!(
            write(&patchwork, Method::PATCH, user, other, &commit).await,
            (403, json!({ "detail": POWERLESS }))
        );
        for body in [
            json!({"related": [3]}),
            json!({"related": []}),
            json!({"commit_ref": "s1", "related": [3]}),
        ] {
            let foreign = (403, json!({ "detail": FOREIGN }));
            assert_eq!(
                write(&patchwork, Method::PATCH, user, patch, &body).await,
                foreign,
                "{user}: {body}"
            );
        }
        // It names no relation, and would leave it.
        let whole = json!({"commit_ref": "s2", "state": "new", "delegate": null});
        let foreign = (403, json!({ "detail": FOREIGN }));
        assert_eq!(write(&patchwork, Method::PUT, user, patch, &whole).await, foreign);
        let too_long = json!({ "commit_ref": "x".repeat(256) });
        assert_eq!(write(&patchwork, Method::PATCH, user, patch, &too_long).await.0, 400);
        assert_eq!(patchwork.json(&format!("/api/1.3/patches/{patch}/")).await["commit_ref"], *user);
    }
    assert!(patchwork.relations().is_empty());
}

#[tokio::test]
async fn a_patch_that_is_delegated_to_nobody_is_its_delegates_no_more() {
    let patchwork = Patchwork::start(&world()).await;
    let body = json!({"commit_ref": "last", "delegate": null});
    let (status, reply) = write(&patchwork, Method::PATCH, "helper", 2, &body).await;
    assert_eq!(
        (status, &reply["commit_ref"], &reply["delegate"]),
        (200, &json!("last"), &Value::Null)
    );
    assert_eq!(write(&patchwork, Method::PATCH, "helper", 2, &body).await.0, 403);
    let delegate = json!({ "delegate": 1 });
    assert_eq!(write(&patchwork, Method::PATCH, "bot", 2, &delegate).await.0, 501);
}

#[tokio::test]
async fn a_patch_shows_whose_it_is_and_its_mail_who_sent_it() {
    let mut world = world();
    let sender = world.users.get_mut(&UserName("sender".to_owned())).unwrap();
    (sender.first_name, sender.last_name) = ("S.".to_owned(), "Ender".to_owned());
    let patchwork = Patchwork::start(&world).await;
    let [first, second, third] = [1, 2, 3].map(|patch| format!("/api/1.3/patches/{patch}/"));
    let first = patchwork.json(&first).await;
    assert_eq!(
        (&first["submitter"]["name"], &first["submitter"]["email"], &first["delegate"]),
        (&json!("S. Ender"), &json!("sender@example.org"), &Value::Null)
    );
    let mail = client()
        .get(first["mbox"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        mail.contains("X-Patchwork-Submitter: \"S. Ender\" <sender@example.org>\n"),
        "{mail}"
    );
    let second = patchwork.json(&second).await;
    assert_eq!(second["delegate"]["username"], "helper");
    assert_eq!(second["submitter"]["name"], "A. Author");
    assert_eq!(patchwork.json(&third).await["delegate"], Value::Null);
}

/// What Python takes for white space.
#[tokio::test]
async fn a_commit_is_kept_without_the_space_around_it() {
    let patchwork = Patchwork::start(&world()).await;
    for (sent, kept) in [
        ("  abc \n", "abc"),
        ("\u{1c}\u{1d}\u{1e}\u{1f}abc\u{1f}", "abc"),
        ("\u{85}abc\u{2003}", "abc"),
        ("\u{1f}", ""),
        ("\u{200b}abc\u{feff}", "\u{200b}abc\u{feff}"),
        ("a\u{1f}b", "a\u{1f}b"),
    ] {
        let (status, body) = write(&patchwork, Method::PATCH, "bot", 1, &json!({ "commit_ref": sent })).await;
        assert_eq!((status, &body["commit_ref"]), (200, &json!(kept)), "{sent:?}");
    }
    let kept = patchwork
        .simulator
        .with_rules(|rules| rules.catalogue().patch(PatchId(1)).unwrap().commit_ref.clone());
    assert_eq!(kept.as_deref(), Some("a\u{1f}b"));
}
