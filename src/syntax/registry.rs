//! The languages that there are.

use super::language::Language;

/// Names each language's folder, its grammar, and the folders whose patterns it
/// uses (its own first: the first pattern that matches a node names it).
macro_rules! languages {
    ($($folder:literal: $grammar:expr, [$($patterns:literal),+];)+) => {
        pub(super) static LANGUAGES: [Language; [$($folder),+].len()] = [$(
            Language::new(
                $folder,
                $grammar,
                include_str!(concat!("../../grammars/", $folder, "/language.toml")),
                &[$(include_str!(concat!("../../grammars/", $patterns, "/definitions.scm"))),+],
            ),
        )+];
    };
}

languages! {
    "bash": tree_sitter_bash::LANGUAGE, ["bash"];
    "c": tree_sitter_c::LANGUAGE, ["c"];
    "cpp": tree_sitter_cpp::LANGUAGE, ["cpp", "c"];
    "csharp": tree_sitter_c_sharp::LANGUAGE, ["csharp"];
    "css": tree_sitter_css::LANGUAGE, ["css"];
    "dart": tree_sitter_dart::LANGUAGE, ["dart"];
    "elixir": tree_sitter_elixir::LANGUAGE, ["elixir"];
    "go": tree_sitter_go::LANGUAGE, ["go"];
    "hcl": tree_sitter_hcl::LANGUAGE, ["hcl"];
    "html": tree_sitter_html::LANGUAGE, ["html"];
    "java": tree_sitter_java::LANGUAGE, ["java"];
    "javascript": tree_sitter_javascript::LANGUAGE, ["javascript", "ecmascript"];
    "json": tree_sitter_json::LANGUAGE, ["json"];
    "kotlin": tree_sitter_kotlin_ng::LANGUAGE, ["kotlin"];
    "lua": tree_sitter_lua::LANGUAGE, ["lua"];
    "markdown": tree_sitter_md::LANGUAGE, ["markdown"];
    "php": tree_sitter_php::LANGUAGE_PHP, ["php"];
    "python": tree_sitter_python::LANGUAGE, ["python"];
    "r": tree_sitter_r::LANGUAGE, ["r"];
    "ruby": tree_sitter_ruby::LANGUAGE, ["ruby"];
    "rust": tree_sitter_rust::LANGUAGE, ["rust"];
    "scala": tree_sitter_scala::LANGUAGE, ["scala"];
    "solidity": tree_sitter_solidity::LANGUAGE, ["solidity"];
    "svelte": tree_sitter_svelte_ng::LANGUAGE, ["svelte", "html"];
    "swift": tree_sitter_swift::LANGUAGE, ["swift"];
    "toml": tree_sitter_toml_ng::LANGUAGE, ["toml"];
    "tsx": tree_sitter_typescript::LANGUAGE_TSX, ["typescript", "ecmascript"];
    "typescript": tree_sitter_typescript::LANGUAGE_TYPESCRIPT, ["typescript", "ecmascript"];
    "vue": tree_sitter_html::LANGUAGE, ["html"];
    "yaml": tree_sitter_yaml::LANGUAGE, ["yaml"];
    "zig": tree_sitter_zig::LANGUAGE, ["zig"];
}
