use proptest::prelude::*;

use super::*;
use TokenKind::{
    Assign, BitString, BlockComment, Cast, Colon, DollarString, EscapeString, Identifier,
    LineComment, Number, Operator, Other, Parameter, Punctuation, QuotedIdentifier, Space,
    String as Text, UnicodeString,
};

/// The tokens of a text that are not white space.
fn tokens(sql: &str) -> Vec<(TokenKind, &str)> {
    let tokens =
        Scanner::new(sql).map(|token| token.unwrap_or_else(|error| panic!("{sql}: {error:?}")));
    tokens
        .filter(|token| token.kind != Space)
        .map(|token| (token.kind, token.text(sql)))
        .collect()
}

#[test]
fn a_token_that_fills_the_text() {
    let whole = [
        ("'it''s'", Text),
        (r"'a\'", Text),
        ("N'a'", Text),
        ("''", Text),
        (r"E'it\'s'", EscapeString),
        (r"e'\\'", EscapeString),
        (r"U&'\0061'", UnicodeString),
        ("b'01'", BitString),
        ("X'1f'", BitString),
        ("'a'\n'b'", Text),
        ("'a' \t\r\n -- it's\n\n 'b'", Text),
        ("'a' -- it's\n 'b'", Text),
        ("E'a'\n'\\'b'", EscapeString),
        ("$$it's$$", DollarString),
        ("$a$ $$ $b$ $a $a$", DollarString),
        ("$_é1$ $ $_é1$", DollarString),
        ("$a$x$a$", DollarString),
        ("\"a\"\"b\"", QuotedIdentifier),
        (r#"u&"d\0061t""#, QuotedIdentifier),
        ("a$b$c", Identifier),
        ("_é9$", Identifier),
        ("données", Identifier),
        ("$12", Parameter),
        ("-- it's", LineComment),
        ("/* a /* b */ ' */", BlockComment),
        ("/**/", BlockComment),
        ("/*/ */", BlockComment),
        ("/***/", BlockComment),
        ("0", Number),
        ("1.5e-3", Number),
        (".5", Number),
        ("1.", Number),
        ("0x1F", Number),
        ("1_000", Number),
        ("::", Cast),
        (":=", Assign),
        (":", Colon),
        ("->>", Operator),
        ("@-", Operator),
        ("?|", Operator),
        ("*/", Operator),
        ("\\", Other),
    ];
    for (sql, kind) in whole {
        assert_eq!(tokens(sql), [(kind, sql)], "{sql}");
    }
}

#[test]
fn where_one_token_ends_and_the_next_begins() {
    let texts: [(&str, &[(TokenKind, &str)]); 21] = [
        (
            "a=-1",
            &[
                (Identifier, "a"),
                (Operator, "="),
                (Operator, "-"),
                (Number, "1"),
            ],
        ),
        (
            "a@-1",
            &[(Identifier, "a"), (Operator, "@-"), (Number, "1")],
        ),
        ("+--x", &[(Operator, "+"), (LineComment, "--x")]),
        (
            "1 */*c*/ 2",
            &[
                (Number, "1"),
                (Operator, "*"),
                (BlockComment, "/*c*/"),
                (Number, "2"),
            ],
        ),
        ("<+-", &[(Operator, "<"), (Operator, "+"), (Operator, "-")]),
        ("xE'a'", &[(Identifier, "xE"), (Text, "'a'")]),
        ("X'1''2'", &[(BitString, "X'1'"), (Text, "'2'")]),
        ("'a' 'b'", &[(Text, "'a'"), (Text, "'b'")]),
        ("'a' -- c\n", &[(Text, "'a'"), (LineComment, "-- c")]),
        ("'a'\n-- c 'b'", &[(Text, "'a'"), (LineComment, "-- c 'b'")]),
        (
            "'a'\n/**/'b'",
            &[(Text, "'a'"), (BlockComment, "/**/"), (Text, "'b'")],
        ),
        (
            "\"a\"\n\"b\"",
            &[(QuotedIdentifier, "\"a\""), (QuotedIdentifier, "\"b\"")],
        ),
        ("-- a\rb", &[(LineComment, "-- a"), (Identifier, "b")]),
        ("a$1", &[(Identifier, "a$1")]),
        ("$1a", &[(Parameter, "$1"), (Identifier, "a")]),
        (
            "$a b",
            &[(Other, "$"), (Identifier, "a"), (Identifier, "b")],
        ),
        ("1..2", &[(Number, "1"), (Punctuation, ".."), (Number, "2")]),
        ("1e", &[(Number, "1"), (Identifier, "e")]),
        ("0xg", &[(Number, "0"), (Identifier, "xg")]),
        (
            "a[1:2]",
            &[
                (Identifier, "a"),
                (Punctuation, "["),
                (Number, "1"),
                (Colon, ":"),
                (Number, "2"),
                (Punctuation, "]"),
            ],
        ),
        (":::=", &[(Cast, "::"), (Assign, ":=")]),
    ];
    for (sql, expected) in texts {
        assert_eq!(tokens(sql), expected, "{sql}");
    }
}

#[test]
fn what_is_opened_and_never_closed() {
    use TranslateErrorKind::{
        UnterminatedComment, UnterminatedDollarQuote, UnterminatedIdentifier, UnterminatedString,
    };
    let texts = [
        ("a 'b", UnterminatedString, 2),
        ("a 'b''", UnterminatedString, 2),
        (r"E'\'", UnterminatedString, 0),
        (r"E'\", UnterminatedString, 0),
        ("'a'\n'b", UnterminatedString, 0),
        ("U&'", UnterminatedString, 0),
        ("é \"b", UnterminatedIdentifier, 3),
        ("$$ $a$", UnterminatedDollarQuote, 0),
        ("$a$ $A$", UnterminatedDollarQuote, 0),
        ("/* /* */", UnterminatedComment, 0),
    ];
    for (sql, kind, offset) in texts {
        let last = Scanner::new(sql).last();
        assert_eq!(last, Some(Err(Unterminated { kind, offset })), "{sql}");
    }
}

proptest! {
    #[test]
    fn tokens_cover_every_byte_once(sql in "(['\"$aeEuU&/*\\-\n \\\\é1x.:%?+=(\\[]|\\$a\\$|.){0,40}") {
        let mut end = 0;
        for token in Scanner::new(&sql) {
            match token {
                Ok(token) => {
                    prop_assert_eq!(token.start, end);
                    prop_assert!(token.end > token.start && sql.is_char_boundary(token.end));
                    end = token.end;
                }
                Err(error) => {
                    prop_assert_eq!(error.offset, end);
                    end = sql.len();
                }
            }
        }
        prop_assert_eq!(end, sql.len());
    }

    #[test]
    fn landmarks_are_the_tokens_that_show_where_code_is(
        sql in "(['\"$aeEuU&/*\\-\n \\\\é1x.:%?+=(\\[]|\\$a\\$|E'|1e|--|\\$1|.){0,40}",
    ) {
        let shows = |token: &Result<Token, _>| token.is_err() || token.is_ok_and(|token| landmarks::shows(token.kind));
        let every = Scanner::new(&sql).filter(shows).collect::<Vec<_>>();
        prop_assert_eq!(Landmarks::new(&sql).collect::<Vec<_>>(), every);
    }
}
