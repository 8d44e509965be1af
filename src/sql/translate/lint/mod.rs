//! Hazards: what psycopg2's client-side values allow and the server's parameters do not.
//!
//! [`inspect`](inspect()) converts a text as [`translate`](super::translate()) does, and instead of refusing at the first thing in the way it tells
//! all of them, each with the place and, where one is known, a rewrite.
//!
//! `context` holds what `reader` learned of the converted text in one pass; a `Spot` is a placeholder in it with its neighbours; each
//! hazard asks the spot what it needs to know. `convert` makes the fixes that somebody chose, and numbers the placeholders afterwards.
//!
//! Adding a hazard: a file with its `HAZARD` and its table of texts, its `mod` line, and its line in [`HAZARDS`].

mod context;
mod convert;
mod finding;
mod hazard;
mod ignore;
mod inspect;
mod literal;
mod reader;
mod spot;
mod statement;
#[cfg(test)]
mod table;
mod token;
mod type_name;
mod vocabulary;

mod after_ident;
mod after_operand;
mod array_elem;
mod at_time_zone;
mod before_operand;
mod case_result;
mod coalesce_arg;
mod division;
mod existing_dollar;
mod extract_field;
mod glued;
mod group_by_expr;
mod group_by_param;
mod identifier;
mod in_comment;
mod in_dollar;
mod in_qident;
mod in_string;
mod in_tuple;
mod incomplete;
mod interval_arith;
mod interval_literal;
mod is_param;
mod json_op_param;
mod like_literal;
mod limit_param;
mod multi_stmt;
mod named_reuse;
mod not_in_tuple;
mod order_by_param;
mod other_dialect;
mod other_style;
mod param_is_null;
mod param_op_param;
mod param_vanishes;
mod reg_param;
mod row_compare;
mod select_untyped;
mod stray_sign;
mod substring_arg;
mod template;
mod time_arith;
mod too_many_params;
mod touching_keyword;
mod typed_literal;
mod typmod;
mod unary_op_param;
mod untyped_func_arg;
mod utility_stmt;
mod values_tuple;
mod values_untyped;

pub use convert::{Bound, Conversion};
pub use finding::{Finding, Fix, FixKind};
pub use hazard::{Hazard, Severity};
#[cfg(feature = "convert")]
pub(crate) use ignore::ignored_codes;
pub use inspect::{Inspection, inspect};

/// Every hazard, in the order of their codes.
pub static HAZARDS: &[Hazard] = &[
    after_ident::HAZARD,
    after_operand::HAZARD,
    array_elem::HAZARD,
    at_time_zone::HAZARD,
    before_operand::HAZARD,
    case_result::HAZARD,
    coalesce_arg::HAZARD,
    division::HAZARD,
    existing_dollar::HAZARD,
    extract_field::HAZARD,
    glued::HAZARD,
    group_by_expr::HAZARD,
    group_by_param::HAZARD,
    identifier::HAZARD,
    in_comment::HAZARD,
    in_dollar::HAZARD,
    in_qident::HAZARD,
    in_string::HAZARD,
    in_tuple::HAZARD,
    incomplete::HAZARD,
    interval_arith::HAZARD,
    interval_literal::HAZARD,
    is_param::HAZARD,
    json_op_param::HAZARD,
    like_literal::HAZARD,
    limit_param::HAZARD,
    multi_stmt::HAZARD,
    named_reuse::HAZARD,
    not_in_tuple::HAZARD,
    order_by_param::HAZARD,
    other_dialect::HAZARD,
    other_style::HAZARD,
    param_is_null::HAZARD,
    param_op_param::HAZARD,
    param_vanishes::HAZARD,
    reg_param::HAZARD,
    row_compare::HAZARD,
    select_untyped::HAZARD,
    stray_sign::HAZARD,
    substring_arg::HAZARD,
    template::HAZARD,
    time_arith::HAZARD,
    too_many_params::HAZARD,
    touching_keyword::HAZARD,
    typed_literal::HAZARD,
    typmod::HAZARD,
    unary_op_param::HAZARD,
    untyped_func_arg::HAZARD,
    utility_stmt::HAZARD,
    values_tuple::HAZARD,
    values_untyped::HAZARD,
];
