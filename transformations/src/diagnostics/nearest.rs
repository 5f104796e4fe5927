//! Finds the known name that a misspelt one most likely meant.

use strsim::osa_distance;

/// The candidate with the smallest edit distance to `name`, if it is near enough to be a guess
/// worth printing: at most one edit (insert, delete, replace, swap of neighbours) for each three
/// characters of the name. Upper and lower case are the same; characters beyond the 64th do not
/// count, so that the cost of a guess has a bound.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    let name = folded(name);
    candidates
        .into_iter()
        .map(|candidate| (osa_distance(&name, &folded(candidate)), candidate))
        .filter(|(edits, _)| *edits <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> String {
    name.chars().take(64).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word() {
        let known = ["header", "request_header", "substring", "body"];
        assert_eq!(nearest("heder", known), Some("header"));
        assert_eq!(nearest("haeder", known), Some("header"));
        assert_eq!(nearest("HEADER", known), Some("header"));
        assert_eq!(nearest("sub_string", known), Some("substring"));
        assert_eq!(nearest("completely_else", known), None);
        assert_eq!(nearest("", known), None);
    }
}
