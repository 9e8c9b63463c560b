//! `basic_auth_users`: names with bcrypt hashes of their passwords, against the `Authorization` of
//! a request (RFC 7617). Neither a response nor its time says whether a name is known, and no
//! password is kept.
//!
//! bcrypt is slow on purpose: that is what protects a hash that was stolen. So that it takes little
//! time from whatever else the server does, a password that was right is not hashed again, one is
//! hashed at a time, by a thread of its own, and a wrong one is followed by a delay. Whoever
//! guesses holds up others who guess, and those who come for the first time.

use crate::yaml::{Node, Notes};
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
const DELAY: Duration = Duration::from_millis(100);

/// Above this cost a single wrong password takes a processor for many seconds.
const MAX_COST: u32 = 16;

pub(crate) struct User {
    name: String,
    hash: String,
    cost: u32,
}

/// The users that the table names.
pub(crate) fn read(table: &Node<'_>, notes: &mut Notes) -> Vec<User> {
    let mut users = Vec::new();
    for (position, name, value) in table.entries(notes) {
        if name.contains(':') {
            notes.add(position, "no name can have a colon: in a request it ends the name");
        }
        let Some(hash) = value.text(notes) else { continue };
        match hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost()) {
            Ok(cost @ 4..=MAX_COST) => {
                users.push(User { name: name.to_owned(), hash: hash.to_owned(), cost });
            }
            Ok(_) => notes.add(
                value.position,
                format!("the cost of a hash is from 4 to {MAX_COST} here; 10 is usual"),
            ),
            Err(_) => notes.add(value.position, "no bcrypt hash; htpasswd -nBC 10 NAME makes one"),
        }
    }
    users
}

/// Which credentials were right, and whose turn it is to hash. It outlives the file that names the
/// users.
pub(crate) struct CredentialCache {
    /// One permit: whoever has it may hash.
    hashing: Arc<Semaphore>,
    /// By name, what was right last: a keyed digest of the name, its hash, and the password.
    known: Mutex<HashMap<String, u128>>,
    key: (u64, u64),
}

impl CredentialCache {
    /// `key` is 128 random bits.
    pub fn new(key: (u64, u64)) -> Self {
        Self { hashing: Arc::new(Semaphore::new(1)), known: Mutex::default(), key }
    }

    /// SipHash is a keyed function: without the key nobody can make two passwords alike to it.
    fn digest(&self, name: &str, hash: &str, password: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_keys(self.key.0, self.key.1);
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

/// The users who may read.
pub(crate) struct BasicAuth {
    hashes: HashMap<String, String>,
    /// What is hashed for a name that nobody has, so that it takes as long.
    dummy_hash: String,
    cache: Arc<CredentialCache>,
}

impl BasicAuth {
    /// None without users: then no password is asked for.
    pub fn new(users: Vec<User>, cache: Arc<CredentialCache>) -> Option<Self> {
        let dummy_hash = users.iter().max_by_key(|user| user.cost)?.hash.clone();
        let hashes = users.into_iter().map(|user| (user.name, user.hash)).collect();
        Some(Self { hashes, dummy_hash, cache })
    }

    /// Is this header that of a user?
    pub async fn verify(&self, authorization: Option<&[u8]>) -> bool {
        let Some((name, password)) = authorization.and_then(credentials) else { return false };
        let hash = self.hashes.get(&name);
        let is_user = hash.is_some();
        let hash = hash.unwrap_or(&self.dummy_hash).clone();
        let digest = self.cache.digest(&name, &hash, &password);
        if is_user && self.cache.knows(&name, digest) {
            return true;
        }
        let Ok(permit) = self.cache.hashing.clone().acquire_owned().await else { return false };
        // Another request may have had the same credentials while this one waited.
        if is_user && self.cache.knows(&name, digest) {
            return true;
        }
        let hashed = spawn_blocking(move || {
            let right = bcrypt::verify(&password, &hash).is_ok_and(|right| right && is_user);
            if !right {
                thread::sleep(DELAY);
            }
            // Held until here even if whoever asked has gone away.
            drop(permit);
            right
        });
        let right = hashed.await.unwrap_or(false);
        if right {
            self.cache.learn(name, digest);
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

    fn users(list: &[(&str, &str)], cache: &Arc<CredentialCache>) -> BasicAuth {
        let users = list.iter().map(|&(name, password)| {
            let hash = bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string();
            User { name: name.to_owned(), hash, cost: 4 }
        });
        BasicAuth::new(users.collect(), cache.clone()).unwrap()
    }

    #[test]
    fn a_header_holds_name_and_password_or_nothing() {
        let read = |text: &[u8]| credentials(text);
        let both =
            |name: &str, password: &str| Some((name.to_owned(), password.as_bytes().to_vec()));
        assert_eq!(read(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), both("Aladdin", "open sesame"));
        assert_eq!(read(b"bAsIc  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), both("Aladdin", "open sesame"));
        assert_eq!(read(&header("a:b:c")), both("a", "b:c"));
        assert_eq!(read(&header(":")), both("", ""));
        for bad in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic !",
            b"Bearer QTpC",
            b"Basic QQ==",
            b"Basic /zo=",
        ] {
            assert_eq!(read(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[tokio::test]
    async fn only_the_right_password_of_the_right_name_is_admitted() {
        let cache = Arc::new(CredentialCache::new((1, 2)));
        let basic_auth = users(&[("ann", "secret"), ("bob", "other")], &cache);
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
                assert_eq!(basic_auth.verify(Some(&header(text))).await, admitted, "{text}");
            }
        }
        assert!(!basic_auth.verify(None).await);
        assert_eq!(cache.known.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_was_right_is_not_hashed_again_and_not_after_the_hash_changed() {
        let cache = Arc::new(CredentialCache::new((1, 2)));
        assert!(users(&[("ann", "old")], &cache).verify(Some(&header("ann:old"))).await);
        // Nothing can be hashed from now on.
        cache.hashing.close();
        assert!(users(&[("ann", "old")], &cache).verify(Some(&header("ann:old"))).await);
        assert!(!users(&[("ann", "new")], &cache).verify(Some(&header("ann:old"))).await);
        assert!(!users(&[("bob", "old")], &cache).verify(Some(&header("ann:old"))).await);
    }

    #[tokio::test]
    async fn one_is_hashed_at_a_time() {
        let cache = Arc::new(CredentialCache::new((1, 2)));
        let basic_auth = users(&[("ann", "secret")], &cache);
        let permit = cache.hashing.clone().try_acquire_owned().unwrap();
        let header = header("ann:secret");
        let mut asked = std::pin::pin!(basic_auth.verify(Some(&header)));
        assert!(timeout(Duration::from_millis(1), &mut asked).await.is_err());
        drop(permit);
        assert!(asked.await);
        assert_eq!(cache.hashing.available_permits(), 1);
    }

    #[test]
    fn without_users_no_password_is_asked_for() {
        assert!(BasicAuth::new(Vec::new(), Arc::new(CredentialCache::new((1, 2)))).is_none());
    }
}
