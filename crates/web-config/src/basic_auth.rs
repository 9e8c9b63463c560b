//! Passwords. In: who may read, with bcrypt hashes, and the `Authorization` of a request (RFC 7617). Out: yes or no.
//! It never says whether a name is known, by answer or by time, and never keeps a password.
//!
//! bcrypt is slow on purpose: that is what protects a hash that was stolen. So that it takes no time from probes, a
//! password that was right is not hashed again, one is hashed at a time, by a thread of its own, and after a wrong one
//! comes a rest. Whoever guesses holds up others who guess, and those who come for the first time.

use base64::{Engine, engine::general_purpose::STANDARD};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// After a wrong password nothing is hashed for so long.
const REST: Duration = Duration::from_millis(100);

/// Above this a single wrong password takes a processor for many seconds.
pub(super) const DEAREST: u32 = 16;

/// What outlives the file that says who may read.
pub(super) struct Vault {
    /// One place: whoever has it may hash.
    gate: Arc<Semaphore>,
    /// What was right last, by name: a keyed digest of the name, its hash, and the password.
    known: Mutex<HashMap<String, u128>>,
    keys: (u64, u64),
}

impl Vault {
    /// `keys` are 128 bits of chance.
    pub fn new(keys: (u64, u64)) -> Self {
        Self { gate: Arc::new(Semaphore::new(1)), known: Mutex::default(), keys }
    }

    /// SipHash is a keyed function; that two passwords are alike to it is a matter of 128 bits of luck.
    fn digest(&self, name: &str, hash: &str, password: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_keys(self.keys.0, self.keys.1);
        (name, hash, password).hash(&mut hasher);
        hasher.finish128().as_u128()
    }

    fn knows(&self, name: &str, digest: u128) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name) == Some(&digest)
    }

    fn learn(&self, name: String, digest: u128) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name, digest);
    }
}

/// Who may read: names, and bcrypt hashes of their passwords.
pub(super) struct Passwords {
    hashes: HashMap<String, String>,
    /// What is hashed for a name that nobody has, so that it takes as long.
    decoy: String,
    vault: Arc<Vault>,
}

impl Passwords {
    /// Each with the cost of its hash. None if there is nobody: then no password is asked for.
    pub fn new(users: Vec<(String, String, u32)>, vault: Arc<Vault>) -> Option<Self> {
        let decoy = users.iter().max_by_key(|(_, _, cost)| *cost)?.1.clone();
        let hashes = users.into_iter().map(|(name, hash, _)| (name, hash)).collect();
        Some(Self { hashes, decoy, vault })
    }

    /// May whoever sends this header read?
    pub async fn admit(&self, authorization: Option<&[u8]>) -> bool {
        let Some((name, password)) = authorization.and_then(credentials) else { return false };
        let hash = self.hashes.get(&name);
        let is_guest = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).clone();
        let digest = self.vault.digest(&name, &hash, &password);
        if is_guest && self.vault.knows(&name, digest) {
            return true;
        }
        let Ok(place) = self.vault.gate.clone().acquire_owned().await else { return false };
        // Somebody may have said the same while we waited.
        if is_guest && self.vault.knows(&name, digest) {
            return true;
        }
        let hashed = spawn_blocking(move || {
            let right = bcrypt::verify(&password, &hash).is_ok_and(|right| right && is_guest);
            if !right {
                thread::sleep(REST);
            }
            // Held until here even if whoever asked has gone away.
            drop(place);
            right
        });
        let right = hashed.await.unwrap_or(false);
        if right {
            self.vault.learn(name, digest);
        }
        right
    }
}

/// Name and password (RFC 7617 §2). None if it is anything else.
fn credentials(authorization: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, rest) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut name = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = name.iter().position(|&byte| byte == b':')?;
    let password = name.split_off(colon + 1);
    name.pop();
    Some((String::from_utf8(name).ok()?, password))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn header(text: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(text)).into_bytes()
    }

    fn users(list: &[(&str, &str)], vault: &Arc<Vault>) -> Passwords {
        let users = list.iter().map(|&(name, password)| {
            (name.to_owned(), bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string(), 4)
        });
        Passwords::new(users.collect(), vault.clone()).unwrap()
    }

    #[test]
    fn a_header_holds_name_and_password_or_nothing() {
        let read = |text: &[u8]| credentials(text);
        let both = |name: &str, password: &str| Some((name.to_owned(), password.as_bytes().to_vec()));
        assert_eq!(read(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), both("Aladdin", "open sesame"));
        assert_eq!(read(b"bAsIc  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), both("Aladdin", "open sesame"));
        assert_eq!(read(&header("a:b:c")), both("a", "b:c"));
        assert_eq!(read(&header(":")), both("", ""));
        for bad in [&b""[..], b"Basic", b"Basic ", b"Basic !", b"Bearer QTpC", b"Basic QQ==", b"Basic /zo="] {
            assert_eq!(read(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[tokio::test]
    async fn the_right_password_of_the_right_name_alone_is_let_in() {
        let vault = Arc::new(Vault::new((1, 2)));
        let door = users(&[("ann", "secret"), ("bob", "other")], &vault);
        for _ in 0..2 {
            for (text, admitted) in [
                ("ann:secret", true),
                ("bob:other", true),
                ("ann:other", false),
                ("ann:", false),
                ("eve:secret", false),
                ("eve:other", false),
                ("Ann:secret", false),
            ] {
                assert_eq!(door.admit(Some(&header(text))).await, admitted, "{text}");
            }
        }
        assert!(!door.admit(None).await);
        assert_eq!(vault.known.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_was_right_is_not_hashed_again_and_not_after_the_hash_changed() {
        let vault = Arc::new(Vault::new((1, 2)));
        assert!(users(&[("ann", "old")], &vault).admit(Some(&header("ann:old"))).await);
        // Nothing can be hashed from now on.
        vault.gate.close();
        assert!(users(&[("ann", "old")], &vault).admit(Some(&header("ann:old"))).await);
        assert!(!users(&[("ann", "new")], &vault).admit(Some(&header("ann:old"))).await);
        assert!(!users(&[("bob", "old")], &vault).admit(Some(&header("ann:old"))).await);
    }

    #[tokio::test]
    async fn one_is_hashed_at_a_time() {
        let vault = Arc::new(Vault::new((1, 2)));
        let door = users(&[("ann", "secret")], &vault);
        let place = vault.gate.clone().try_acquire_owned().unwrap();
        let header = header("ann:secret");
        let mut asked = std::pin::pin!(door.admit(Some(&header)));
        assert!(timeout(Duration::from_millis(1), &mut asked).await.is_err());
        drop(place);
        assert!(asked.await);
        assert_eq!(vault.gate.available_permits(), 1);
    }

    #[test]
    fn nobody_is_no_password() {
        assert!(Passwords::new(Vec::new(), Arc::new(Vault::new((1, 2)))).is_none());
    }
}
