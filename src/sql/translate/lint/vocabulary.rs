//! The words that decide what a placeholder's neighbours are.
//!
//! Looked up once for each name in a text that has placeholders, hence the table: no copy, no allocation, and letter
//! case does not matter.

use std::sync::LazyLock;

/// A word of the lists below.
#[derive(Debug)]
pub(super) struct Word {
    /// In lower case; empty for every word that is on no list.
    pub(super) text: &'static str,
    classes: u32,
}

/// A list, as a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u32);

/// Stands for every word that is on no list.
pub(super) static UNLISTED: Word = Word {
    text: "",
    classes: 0,
};

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident $bit:literal = $words:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: Class = Class(1 << $bit);)*
        const LISTS: &[(Class, &str)] = &[$(($name, $words)),*];
    };
}

classes! {
    /// Words that end no operand and name nothing.
    KEYWORD 0 = "
        select where and or not on having when then else case set in any all some like ilike similar between limit
        offset by returning values using distinct from to for if filter over as is null end within at collate with
        recursive escape first next rows row only default array exists into update insert delete join left right inner
        outer full cross natural union intersect except order group window partition range groups preceding following
        asc desc nulls last do nothing conflict constraint lateral ordinality tablesample overlaps symmetric asymmetric
        isnull notnull both leading trailing placing variadic set reset show notify listen create alter drop grant
        revoke copy truncate vacuum analyze begin commit rollback table view index on off true false zone cast extract
        position substring overlay trim xmlparse call do explain fetch move close declare execute prepare password
        database role user schema";
    /// Words behind which a name stands.
    BEFORE_NAME 1 = "
        join into update table only index view schema database sequence role user extension type column constraint
        function trigger procedure owner listen unlisten notify truncate analyze vacuum reindex cluster savepoint close
        deallocate reset show language tablespace publication subscription policy rule server domain collation
        aggregate operator as rename collate";
    /// Types that can stand before a literal.
    TYPE 2 = "
        date time timetz timestamp timestamptz interval json jsonb uuid inet cidr macaddr float4 float8 float real
        numeric decimal int int2 int4 int8 integer bigint smallint bool boolean bytea text varchar char bpchar name
        point line lseg box path polygon circle tsvector tsquery xml money bit varbit regclass regtype regproc regrole
        oid xid int4range int8range numrange tsrange tstzrange daterange hstore geometry geography vector ltree citext
        jsonpath pg_lsn precision";
    /// Words that begin a statement which takes parameters.
    STATEMENT 3 = "select insert update delete merge values with table explain declare call";
    /// Functions that do not tell the server their argument's type, or have more than one of that name.
    POLYMORPHIC 4 = "
        concat concat_ws format jsonb_build_object json_build_object jsonb_build_array json_build_array to_json
        to_jsonb row num_nulls num_nonnulls pg_typeof count json_agg jsonb_agg array_agg unnest array_length
        array_upper array_lower cardinality generate_series date_trunc date_part to_char age sum avg mod
        json_object_agg jsonb_object_agg row_to_json array_to_string array_to_json generate_subscripts max min
        quote_nullable first_value any_value extract xmlelement to_hex pg_size_pretty pg_column_size isfinite isempty
        bit_count range_agg lower_inc lower_inf upper_inc upper_inf int2 int4 int8 float4 float8";
    /// Functions whose arguments all get one type.
    ONE_TYPE 5 = "coalesce greatest least nullif";
    /// Words before a parenthesis that call nothing.
    NO_CALL 6 = "
        in values any all some and or not where on using from as exists select by when then else over filter conflict
        returning having union except intersect join with set limit offset between like ilike";
    /// Words that may follow an operand, beyond the keywords.
    AFTER_OPERAND 7 = "
        as is in not like ilike similar between and or collate at asc desc end rows preceding following day hour minute
        second month year overlaps isnull notnull percent with fetch window for";
    /// Words behind a key of `ORDER BY` or `GROUP BY`.
    AFTER_KEY 8 = "asc desc nulls limit offset order having for fetch union returning window";
    /// Words behind an item of a `SELECT` list.
    AFTER_ITEM 9 = "as from union where order limit intersect except into";
    /// Words that begin a clause.
    CLAUSE 10 = "
        select where values set returning limit offset window on using from union intersect except insert update delete
        order group partition by having join";
    /// Functions that write `FROM` between their arguments.
    FROM_INSIDE 11 = "extract substring trim overlay";
    /// Functions of which the result is a point in time.
    TIME_FUNCTION 12 = "
        now clock_timestamp date_trunc to_timestamp statement_timestamp transaction_timestamp make_timestamp make_timestamptz
        timezone date make_date to_date";
    /// Words that are a point in time.
    TIME_WORD 13 = "current_date current_timestamp localtimestamp";
    /// Statements in which `ON` and `TO` are followed by a name.
    NAMES_OBJECTS 14 = "grant revoke alter create drop comment";
    /// Fields of an interval.
    FIELD 15 = "day hour minute second month year to";
    /// Words behind which a condition stands.
    BEFORE_CONDITION 16 = "where and or on having when not";
    /// Functions of numbers that take a lone parameter for a float8, whatever it is.
    FLOAT_FUNCTION 17 = "abs round ceil ceiling floor sign trunc sqrt power pow exp ln log log10";
    /// Words that other databases know.
    FOREIGN 18 = "duplicate ignore replace connect regexp rlike div mod xor order limit using any all some";
    /// Reserved words that cannot be a statement's last.
    UNFINISHED 20 = "
        and or not where on having when then else case from join in like ilike union intersect except returning order
        group using as limit offset into";
    /// Words that are compared elsewhere.
    KNOWN 19 = "
        btrim make_interval operator materialized local session without double key translate convert none transaction characteristics
        rollup cube grouping sets null materialized only";
    /// Words before the first key of `ORDER BY` or `GROUP BY`.
    BEFORE_KEY 22 = "by distinct all";
    /// Types that are the number of an object, and are written as its name.
    OBJECT_TYPE 23 = "
        regclass regtype regproc regprocedure regoper regoperator regrole regnamespace regconfig regdictionary regcollation";
    /// Functions of which the first argument is a `regclass`.
    OF_RELATION 24 = "
        nextval currval setval pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size";
    /// Functions of which the first of two arguments is a `regconfig`.
    OF_CONFIGURATION 25 = "to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery";
    /// Words that end the expression before them.
    AFTER_EXPRESSION 21 = "
        and or then else when end where group order limit offset having union intersect except returning window for fetch
        on join left right inner full cross natural asc desc nulls as";
}

impl Word {
    pub(super) fn has(&self, class: Class) -> bool {
        self.classes & class.0 != 0
    }
}

/// The table of all words.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Vec<(u128, Word)>,
    /// Where in `words` a word of that hash is, plus one; 0 where a slot is free. Small, so that it stays close to the
    /// processor: most names are on no list, and one look here tells.
    slots: Vec<u16>,
}

const SLOTS: usize = 2048;

impl Vocabulary {
    /// The one table.
    pub(super) fn get() -> &'static Self {
        static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::read);
        &VOCABULARY
    }

    fn read() -> Self {
        let mut words: Vec<(u128, Word)> = Vec::new();
        for &(class, list) in LISTS {
            for text in list.split_ascii_whitespace() {
                match words.iter_mut().find(|(_, word)| word.text == text) {
                    Some((_, word)) => word.classes |= class.0,
                    None => words.push((
                        key(text),
                        Word {
                            text,
                            classes: class.0,
                        },
                    )),
                }
            }
        }
        let mut slots = vec![0; SLOTS];
        for (place, (key, _)) in (1..).zip(&words) {
            let mut slot = hash(*key);
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = place;
        }
        Self { words, slots }
    }

    /// The word that the name is, in any letter case.
    pub(super) fn word(&self, name: &str) -> &Word {
        let key = key(name);
        let mut slot = hash(key);
        loop {
            let Some(place) = self.slots[slot].checked_sub(1) else {
                return &UNLISTED;
            };
            let (found, word) = &self.words[usize::from(place)];
            if *found == key && (name.len() <= KEY || word.text.eq_ignore_ascii_case(name)) {
                return word;
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// The bytes of a word that its key holds.
const KEY: usize = 16;

/// The first bytes of the word, with the bit set that tells a small letter from a capital.
///
/// No byte of a name becomes another word's by that, and none is zero: the key of a short word is the word.
fn key(word: &str) -> u128 {
    const SMALL: u128 = u128::from_le_bytes([b' '; KEY]);
    let bytes = word.as_bytes();
    let key = match bytes.len() {
        16.. => bytes
            .first_chunk()
            .map_or(0, |first| u128::from_le_bytes(*first)),
        8.. => ends(bytes, u64::from_le_bytes),
        4.. => ends(bytes, u32::from_le_bytes),
        _ => bytes
            .iter()
            .rev()
            .fold(0, |key, &byte| key << 8 | u128::from(byte)),
    };
    key | SMALL
}

/// The bytes of a word from both of its ends, which share those in its middle.
fn ends<const N: usize, T: Into<u128>>(word: &[u8], number: fn([u8; N]) -> T) -> u128 {
    let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) else {
        return 0;
    };
    number(*first).into() | number(*last).into() << ((word.len() - N) * 8)
}

fn hash(key: u128) -> usize {
    let bytes = key.to_le_bytes();
    let (low, high) = bytes.split_at(KEY / 2);
    let half = |half: &[u8]| half.try_into().map_or(0, u64::from_le_bytes);
    let mixed = (half(low) ^ half(high).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (u64::BITS - SLOTS.ilog2())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_letter_case() {
        let vocabulary = Vocabulary::get();
        for &(class, list) in LISTS {
            for text in list.split_ascii_whitespace() {
                for spelled in [text.to_owned(), text.to_ascii_uppercase()] {
                    let word = vocabulary.word(&spelled);
                    assert_eq!(word.text, text);
                    assert!(word.has(class), "{text}");
                }
                assert_eq!(vocabulary.word(&format!("{text}_x")).text, "", "{text}");
            }
        }
    }

    #[test]
    fn a_long_word_is_compared_to_its_end() {
        let vocabulary = Vocabulary::get();
        assert_eq!(
            vocabulary.word("Current_TimeStamp").text,
            "current_timestamp"
        );
        assert_eq!(vocabulary.word("current_timestamq").text, "");
        assert_eq!(vocabulary.word("").text, "");
        assert!(vocabulary.words.len() * 4 < SLOTS);
    }
}
