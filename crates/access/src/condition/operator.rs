//! The operators, by AWS's names.

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compares {
    /// Character by character.
    Exactly,
    /// Without regard to the case of letters.
    IgnoringCase,
    /// With wildcards.
    Like,
    /// As whole or decimal numbers.
    Numbers(Order),
    /// As moments.
    Dates(Order),
    /// As truths.
    Truths,
    /// As addresses, in ranges of them.
    Addresses,
    /// As ARNs: with wildcards, between colons.
    Arns,
}

/// What a request's value must be to the one in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds<T: PartialOrd>(self, said: &T, wanted: &T) -> bool {
        match self {
            Order::Equal => said == wanted,
            Order::Less => said < wanted,
            Order::LessOrEqual => said <= wanted,
            Order::Greater => said > wanted,
            Order::GreaterOrEqual => said >= wanted,
        }
    }
}

/// An operator, without what stands around its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) compares: Compares,
    pub(crate) negated: bool,
}

impl Operator {
    pub(crate) fn named(name: &str) -> Option<Self> {
        use Compares::*;
        let (compares, negated) = match name {
            "StringEquals" => (Exactly, false),
            "StringNotEquals" => (Exactly, true),
            "StringEqualsIgnoreCase" => (IgnoringCase, false),
            "StringNotEqualsIgnoreCase" => (IgnoringCase, true),
            "StringLike" => (Like, false),
            "StringNotLike" => (Like, true),
            "NumericEquals" => (Numbers(Order::Equal), false),
            "NumericNotEquals" => (Numbers(Order::Equal), true),
            "NumericLessThan" => (Numbers(Order::Less), false),
            "NumericLessThanEquals" => (Numbers(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Numbers(Order::Greater), false),
            "NumericGreaterThanEquals" => (Numbers(Order::GreaterOrEqual), false),
            "DateEquals" => (Dates(Order::Equal), false),
            "DateNotEquals" => (Dates(Order::Equal), true),
            "DateLessThan" => (Dates(Order::Less), false),
            "DateLessThanEquals" => (Dates(Order::LessOrEqual), false),
            "DateGreaterThan" => (Dates(Order::Greater), false),
            "DateGreaterThanEquals" => (Dates(Order::GreaterOrEqual), false),
            "Bool" => (Truths, false),
            "IpAddress" => (Addresses, false),
            "NotIpAddress" => (Addresses, true),
            "ArnEquals" | "ArnLike" => (Arns, false),
            "ArnNotEquals" | "ArnNotLike" => (Arns, true),
            _ => return None,
        };
        Some(Operator { compares, negated })
    }
}
