//! Who asks.

use super::Reply;
use crate::tracker::simulator::catalogue::{Catalogue, Token, User};

pub(super) const ANONYMOUS: &str = "Authentication credentials were not provided.";
pub(super) const POWERLESS: &str = "You do not have permission to perform this action.";

/// The user whose token the header carries; `None` where it carries no credentials, or of a kind that Patchwork does not know.
///
/// Wrong credentials spoil every request, reads included. Everything that is wrong with them is a 403.
pub(super) fn authenticate<'a>(catalogue: &'a Catalogue, authorization: Option<&str>) -> Result<Option<&'a User>, Reply> {
    let mut words = authorization.unwrap_or_default().split_ascii_whitespace();
    let scheme = words.next().unwrap_or_default().to_ascii_lowercase();
    let refuse = |detail: &str| Err(Reply::detail(403, detail));
    match (scheme.as_str(), words.next(), words.next()) {
        ("token", None, _) => refuse("Invalid token header. No credentials provided."),
        ("token", Some(_), Some(_)) => refuse("Invalid token header. Token string should not contain spaces."),
        ("token", Some(token), None) => match catalogue.user_with(&Token(token.to_owned())) {
            Some(user) => Ok(Some(user)),
            None => refuse("Invalid token."),
        },
        ("basic", None, _) => refuse("Invalid basic header. No credentials provided."),
        // Simulated users have no passwords, so none is right.
        ("basic", Some(_), _) => refuse("Invalid username/password."),
        _ => Ok(None),
    }
}
