//! The secret that a tracker knows a user by.

use std::{
    env,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use reqwest::header::HeaderValue;
use secrecy::SecretString;

use crate::http::Scrubber;

use crate::remedy::Remedy;

/// The directory that systemd puts a service's credentials in, named by this environment variable (`systemd.exec(5)`, *Credentials*).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where systemd takes a credential from that a unit names without a path, in this order: what the machine itself was handed, then the stores
/// (`systemd.exec(5)`, `LoadCredential=`; `systemd.system-credentials(7)`).
const STORES: [&str; 4] = ["/run/credentials/@system", "/etc/credstore", "/run/credstore", "/usr/lib/credstore"];

/// No token is longer; Patchwork's have 40 characters.
const MOST_BYTES: u64 = 4096;

/// What a file with a token must not grant to its group or to others.
const SHARED_BITS: u32 = 0o077;

/// A Patchwork API token. It prints as `***`, whatever it is printed with.
pub struct Token {
    secret: SecretString,
    authorization: HeaderValue,
}

impl Token {
    /// Reads a token from a file that only its owner may read. One newline at the end is not part of the token.
    ///
    /// # Errors
    /// When the file cannot be read, when its group or others may read it, or when it holds no token.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let origin = TokenOrigin::File(path.to_owned());
        let unreadable = |source| TokenError::Unreadable {
            origin: origin.clone(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & SHARED_BITS != 0 {
            return Err(TokenError::Shared {
                path: path.to_owned(),
                mode,
            });
        }
        let text = read_text(file).map_err(unreadable)?;
        Self::parse(&text, &origin)
    }

    /// Reads a token from an environment variable. One newline at the end is not part of the token.
    ///
    /// # Errors
    /// When the variable is not set or holds no token.
    pub fn from_env(variable: &str) -> Result<Self, TokenError> {
        let origin = TokenOrigin::Environment(variable.to_owned());
        let value = env::var_os(variable).ok_or_else(|| TokenError::NotSet {
            variable: variable.to_owned(),
        })?;
        match value.to_str() {
            Some(text) => Self::parse(text, &origin),
            None => Err(TokenError::NotAscii { origin }),
        }
    }

    /// Reads a token from the systemd credential `name`. One newline at the end is not part of the token.
    ///
    /// A process that systemd handed no credentials takes it from where systemd would have: beside the service there is somebody who tries the
    /// configuration and plans by hand. That takes root.
    ///
    /// The file's mode is not looked at: systemd keeps the directory to the service, and where it uses access control lists the mode of
    /// the file shows the list's mask.
    ///
    /// # Errors
    /// When there is no credential of that name, when it cannot be read, or when it holds no token.
    pub fn from_credential(name: &str) -> Result<Self, TokenError> {
        Self::from_credential_in(env::var_os(CREDENTIALS_DIRECTORY).as_deref(), &STORES, name)
    }

    fn from_credential_in(directory: Option<&OsStr>, stores: &[&str], name: &str) -> Result<Self, TokenError> {
        let origin = TokenOrigin::Credential(name.to_owned());
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(TokenError::BadCredentialName { name: name.to_owned() });
        }
        let file = match directory {
            Some(directory) => File::open(Path::new(directory).join(name)),
            None => match open_first(stores, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(TokenError::NoCredentials { name: name.to_owned() });
                }
                Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(TokenError::OfTheService {
                        name: name.to_owned(),
                        source,
                    });
                }
                opened => opened,
            },
        };
        let text = file.and_then(read_text).map_err(|source| TokenError::Unreadable {
            origin: origin.clone(),
            source,
        })?;
        Self::parse(&text, &origin)
    }

    /// Takes `text`, less one newline at its end, for a token.
    ///
    /// # Errors
    /// When it is empty, holds white space, or holds anything but printable ASCII.
    pub fn parse(text: &str, origin: &TokenOrigin) -> Result<Self, TokenError> {
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        let origin = || origin.clone();
        if text.trim().is_empty() {
            return Err(TokenError::Empty { origin: origin() });
        }
        if text.contains(char::is_whitespace) {
            return Err(TokenError::WhiteSpace { origin: origin() });
        }
        if !text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(TokenError::NotAscii { origin: origin() });
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Token {text}")).map_err(|_invalid| TokenError::NotAscii { origin: origin() })?;
        authorization.set_sensitive(true);
        Ok(Self {
            secret: SecretString::from(text),
            authorization,
        })
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// What takes this token out of any text.
    pub(super) fn scrubber(&self) -> Scrubber {
        Scrubber::of(self.secret.clone())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Opens the file of that name in the first of the folders that has it.
fn open_first(folders: &[&str], name: &str) -> io::Result<File> {
    for folder in folders {
        match File::open(Path::new(folder).join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn read_text(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than {MOST_BYTES} bytes, which no token is"),
        ));
    }
    Ok(text)
}

/// Where a token was to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A credential of this systemd service.
    Credential(String),
}

impl fmt::Display for TokenOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Environment(variable) => write!(f, "the environment variable {variable}"),
            Self::Credential(name) => write!(f, "the systemd credential {name}"),
        }
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file is there for others to read as well.
    #[error("the token in {} can be read by others: its mode is {mode:04o}, wanted is 0600", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file or the credential cannot be read.
    #[error("cannot read a token from {origin}")]
    Unreadable {
        /// Where it was to come from.
        origin: TokenOrigin,
        /// Why not.
        source: io::Error,
    },
    /// The environment variable is not set.
    #[error("the environment variable {variable} is not set")]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// This process was not started by systemd with credentials, and there is none where systemd would take it from.
    #[error("there is no systemd credential {name}: systemd handed this process none, and there is no such file in {}", STORES.join(", "))]
    NoCredentials {
        /// The credential that was asked for.
        name: String,
    },
    /// This process was not started by systemd with credentials, and may not take it from where systemd would.
    #[error("the systemd credential {name} is out of reach")]
    OfTheService {
        /// The credential that was asked for.
        name: String,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// A credential's name is one file name.
    #[error("{name:?} cannot be the name of a systemd credential")]
    BadCredentialName {
        /// The name that was asked for.
        name: String,
    },
    /// Nothing, or nothing but white space.
    #[error("the token in {origin} is empty")]
    Empty {
        /// Where it came from.
        origin: TokenOrigin,
    },
    /// More than one word, or more than one line.
    #[error("the token in {origin} holds white space")]
    WhiteSpace {
        /// Where it came from.
        origin: TokenOrigin,
    },
    /// Something that no token can hold.
    #[error("the token in {origin} holds something else than printable ASCII")]
    NotAscii {
        /// Where it came from.
        origin: TokenOrigin,
    },
}

impl Remedy for TokenError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Shared { path, .. } => format!(
                "run `chmod 600 {}`; if others have read it, have Patchwork make a new token",
                path.display()
            ),
            Self::Unreadable {
                origin: TokenOrigin::File(path),
                ..
            } => {
                format!(
                    "check `token_file` in the configuration, and that the user kinset runs as may read {}",
                    path.display()
                )
            }
            Self::OfTheService { .. } => "systemd hands it to the service alone; beside the service, run this as root".to_owned(),
            Self::Unreadable { .. } | Self::NoCredentials { .. } => {
                "put the token into a file of that name in /etc/credstore, for root alone, and have `LoadCredential=NAME` in the service's unit, see \
                 systemd.exec(5); with `LoadCredential=NAME:/path/to/file` only the service has it"
                    .to_owned()
            }
            Self::NotSet { variable } => format!("set {variable}, or name another variable with `token_env` in the configuration"),
            Self::BadCredentialName { .. } => "name the credential as in `LoadCredential=NAME:…`: a file name without slashes".to_owned(),
            Self::Empty { .. } | Self::WhiteSpace { .. } | Self::NotAscii { .. } => {
                "put nothing but the token there, on one line: Patchwork shows it on the page of your profile".to_owned()
            }
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, fs::Permissions, os::unix::fs::PermissionsExt, path::Path};

    use secrecy::ExposeSecret;

    use super::{Token, TokenError, TokenOrigin};
    use crate::remedy::Remedy;

    fn file_with(bytes: &[u8], mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        directory
    }

    fn read(directory: &tempfile::TempDir) -> Result<Token, TokenError> {
        Token::from_file(&directory.path().join("token"))
    }

    fn parse(text: &str) -> Result<Token, TokenError> {
        Token::parse(text, &TokenOrigin::Environment("TOKEN".to_owned()))
    }

    #[test]
    fn a_token_prints_as_stars() {
        let token = parse("s3cret").unwrap();
        assert_eq!(format!("{token} {token:?} {:?}", token.authorization()), "*** *** Sensitive");
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_token() {
        for text in ["s3cret", "s3cret\n", "s3cret\r\n"] {
            assert_eq!(parse(text).unwrap().secret.expose_secret(), "s3cret");
        }
        assert!(matches!(parse("s3cret\n\n"), Err(TokenError::WhiteSpace { .. })));
    }

    #[test]
    fn what_can_be_no_token_is_refused_without_being_shown() {
        assert_eq!(
            parse("\n").unwrap_err().to_string(),
            "the token in the environment variable TOKEN is empty"
        );
        assert_eq!(
            parse(" ").unwrap_err().to_string(),
            "the token in the environment variable TOKEN is empty"
        );
        assert_eq!(
            parse("s3 cret").unwrap_err().to_string(),
            "the token in the environment variable TOKEN holds white space"
        );
        for text in ["s3crét", "s3cret\0", "s3cret\u{7f}"] {
            let message = parse(text).unwrap_err().to_string();
            assert_eq!(
                message,
                "the token in the environment variable TOKEN holds something else than printable ASCII"
            );
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        for mode in [0o640, 0o604, 0o644, 0o660, 0o610] {
            let directory = file_with(b"s3cret\n", mode);
            let error = read(&directory).unwrap_err();
            let path = directory.path().join("token");
            assert_eq!(
                error.to_string(),
                format!(
                    "the token in {} can be read by others: its mode is {mode:04o}, wanted is 0600",
                    path.display()
                )
            );
            assert!(error.remedy().unwrap().contains(&format!("`chmod 600 {}`", path.display())));
        }
    }

    #[test]
    fn a_file_of_ones_own_is_read() {
        for mode in [0o600, 0o400] {
            assert_eq!(read(&file_with(b"s3cret\n", mode)).unwrap().secret.expose_secret(), "s3cret");
        }
    }

    #[test]
    fn a_file_that_is_missing_binary_or_far_too_long_is_named() {
        let missing = Token::from_file(Path::new("/nonexistent/token")).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read a token from the file /nonexistent/token");
        assert!(missing.remedy().unwrap().contains("`token_file`"));
        assert!(matches!(read(&file_with(b"\xff\xfe", 0o600)), Err(TokenError::Unreadable { .. })));
        assert!(matches!(read(&file_with(&[b'a'; 5000], 0o600)), Err(TokenError::Unreadable { .. })));
    }

    #[test]
    fn an_environment_variable_is_read_or_named() {
        assert_eq!(Token::from_env("CARGO_PKG_NAME").unwrap().secret.expose_secret(), "kinset");
        let error = Token::from_env("KINSET_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error.to_string(), "the environment variable KINSET_NO_SUCH_VARIABLE is not set");
    }

    #[test]
    fn a_systemd_credential_is_a_file_in_the_credentials_directory() {
        let directory = file_with(b"s3cret\n", 0o440);
        let path = Some(directory.path().as_os_str());
        assert_eq!(
            Token::from_credential_in(path, &[], "token").unwrap().secret.expose_secret(),
            "s3cret"
        );
        assert_eq!(
            Token::from_credential_in(path, &[], "other").unwrap_err().to_string(),
            "cannot read a token from the systemd credential other"
        );
        assert!(matches!(
            Token::from_credential_in(path, &[], "../token"),
            Err(TokenError::BadCredentialName { .. })
        ));
    }

    #[test]
    fn beside_the_service_a_credential_is_a_file_in_the_first_store_that_has_it() {
        let (empty, first) = (tempfile::tempdir().unwrap(), file_with(b"s3cret\n", 0o600));
        let second = file_with(b"other\n", 0o600);
        let stores = [empty.path(), first.path(), second.path()].map(|store| store.to_str().unwrap());
        let read = |directory, name| Token::from_credential_in(directory, &stores, name);
        assert_eq!(read(None, "token").unwrap().secret.expose_secret(), "s3cret");
        // A service has what it was handed, and nothing else.
        assert!(matches!(
            read(Some(empty.path().as_os_str()), "token"),
            Err(TokenError::Unreadable { .. })
        ));
        assert_eq!(
            read(None, "missing").unwrap_err().to_string(),
            "there is no systemd credential missing: systemd handed this process none, and there is no such file in /run/credentials/@system, \
             /etc/credstore, /run/credstore, /usr/lib/credstore"
        );
    }
}
