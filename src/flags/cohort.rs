//! Who is in: a key's bucket, and whether it lies below the share.
//!
//! `bucket = (xxh3_64(key, seed) * 10000) >> 64` in 128-bit arithmetic, which has no modulo's bias, where
//! `seed = xxh3_64(length of id as 8 bytes, little endian ++ id ++ salt)`. A key is in when its bucket lies below the share in basis points.
//! The bucket knows nothing of the share, so a raise only adds keys. This mapping is `xxh3-64/v1`: it is the same on every machine and in
//! every version, and the golden values below hold it.

use crate::config::{KeyPart, Migration, Share};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Who a unit of work is for. Borrowed, so that deciding copies nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Key<'a> {
    tenant: Option<&'a str>,
    session: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// A key with what is known. An empty text is as absent.
    pub fn new(tenant: Option<&'a str>, session: Option<&'a str>) -> Self {
        let given = |text: &&str| !text.is_empty();
        Self {
            tenant: tenant.filter(given),
            session: session.filter(given),
        }
    }

    /// The key of a tenant.
    pub fn tenant(tenant: &'a str) -> Self {
        Self::new(Some(tenant), None)
    }

    /// The key of a session.
    pub fn session(session: &'a str) -> Self {
        Self::new(None, Some(session))
    }

    /// What is known, tenant first.
    pub(crate) fn parts(self) -> impl Iterator<Item = &'a str> {
        [self.tenant, self.session].into_iter().flatten()
    }

    fn part(&self, part: KeyPart) -> Option<&'a str> {
        match part {
            KeyPart::Tenant => self.tenant,
            KeyPart::Session => self.session,
        }
    }
}

/// A bucket of keys, 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Bucket(u16);

impl Bucket {
    /// Whether the bucket is in at `share`.
    pub fn is_in(self, share: Share) -> bool {
        self.0 < share.as_basis_points()
    }

    /// The bucket's number.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// How keys fall into buckets: the migration's id and salt, and which part of a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cohort {
    seed: u64,
    /// The parts in the order in which the first present wins.
    order: [Option<KeyPart>; 2],
}

impl Cohort {
    /// The cohort of a migration.
    pub fn new(migration: &Migration) -> Self {
        let length = u64::try_from(migration.id.len()).unwrap_or(u64::MAX);
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(migration.id.as_bytes());
        bytes.extend_from_slice(migration.salt.as_bytes());
        let mut parts = migration.key.iter().copied();
        Self {
            seed: xxh3_64(&bytes),
            order: [parts.next(), parts.next()],
        }
    }

    /// Whether the key has a part that counts.
    pub(crate) fn counts(&self, key: &Key<'_>) -> bool {
        self.text(key).is_some()
    }

    fn text<'a>(&self, key: &Key<'a>) -> Option<&'a str> {
        let mut parts = self.order.iter().flatten();
        parts.find_map(|part| key.part(*part))
    }

    /// The key's bucket; `None` where the key has none of the parts that count.
    pub fn bucket(&self, key: &Key<'_>) -> Option<Bucket> {
        let text = self.text(key)?;
        let hash = xxh3_64_with_seed(text.as_bytes(), self.seed);
        let bucket = (u128::from(hash) * u128::from(Share::ALL.as_basis_points())) >> 64;
        // The product of a 64-bit number and 10000, shifted by 64 bits, lies below 10000.
        u16::try_from(bucket).ok().map(Bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cohort(id: &str, salt: &str, key: &[KeyPart]) -> Cohort {
        Cohort::new(&Migration {
            id: id.into(),
            salt: salt.into(),
            key: key.to_vec(),
            ..Migration::default()
        })
    }

    fn sample() -> Cohort {
        cohort(
            "async-db",
            "2026-11-a",
            &[KeyPart::Tenant, KeyPart::Session],
        )
    }

    /// Computed with another implementation of XXH3. They are part of the contract: a change of any moves people between backends in a running migration.
    #[test]
    fn golden_buckets() {
        let long = "k".repeat(1000);
        let golden = [
            ("a", 6861),
            ("tenant-1", 3436),
            ("tenant-2", 2205),
            ("2f6e1c1e-9c55-4f3c-8f0a-0d2f6e1c1e9c", 6681),
            ("Zoë \u{1f309}", 3808),
            (long.as_str(), 6746),
        ];
        for (key, bucket) in golden {
            assert_eq!(
                sample().bucket(&Key::tenant(key)),
                Some(Bucket(bucket)),
                "{key}"
            );
        }
    }

    #[test]
    fn the_first_part_present_wins() {
        let both = Key::new(Some("t"), Some("s"));
        let tenant = sample().bucket(&Key::tenant("t"));
        let session = sample().bucket(&Key::session("s"));
        assert_ne!(tenant, session);
        assert_eq!(sample().bucket(&both), tenant);
        let turned = cohort(
            "async-db",
            "2026-11-a",
            &[KeyPart::Session, KeyPart::Tenant],
        );
        assert_eq!(turned.bucket(&both), session);
        assert_eq!(turned.bucket(&Key::tenant("t")), tenant);
        let sessions = cohort("async-db", "2026-11-a", &[KeyPart::Session]);
        assert_eq!(sessions.bucket(&Key::tenant("t")), None);
        assert_eq!(sample().bucket(&Key::new(Some(""), None)), None);
    }

    #[test]
    fn id_and_salt_do_not_run_together() {
        let key = Key::tenant("tenant-1");
        let split = cohort("async-d", "b2026-11-a", &[KeyPart::Tenant]);
        assert_ne!(sample().bucket(&key), split.bucket(&key));
    }

    #[test]
    fn a_million_keys_never_leave_when_the_share_grows() {
        let steps = [1, 5, 10, 25, 50, 75, 99, 100].map(Share::percent);
        let mut inside = [0_u32; 8];
        for number in 0..1_000_000 {
            let key = format!("tenant-{number}");
            let bucket = sample().bucket(&Key::tenant(&key)).unwrap();
            let mut was_in = false;
            for (count, step) in inside.iter_mut().zip(steps) {
                let is_in = bucket.is_in(step);
                assert!(is_in || !was_in, "{key} left at {step}");
                was_in = is_in;
                *count += u32::from(is_in);
            }
        }
        for (count, step) in inside.iter().zip(steps) {
            let got = f64::from(*count) / 10_000.0;
            assert!((got - step.as_percent()).abs() < 0.2, "{step}: {got}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_one_bucket_in_range(text in "\\PC{1,300}", low in 0_u16..=10_000, more in 0_u16..=10_000) {
            let bucket = sample().bucket(&Key::session(&text)).unwrap();
            prop_assert!(bucket.number() < 10_000);
            prop_assert_eq!(Some(bucket), sample().bucket(&Key::session(&text)));
            let (low, high) = (Share::basis_points(low), Share::basis_points(low.max(more)));
            prop_assert!(!bucket.is_in(low) || bucket.is_in(high));
            prop_assert!(!bucket.is_in(Share::NONE) && bucket.is_in(Share::ALL));
        }
    }
}
