(namespace_definition name: (_) @name body: (_) @body) @definition.module
(class_specifier name: (_) @name body: (_) @body) @definition.class
; Tests that a macro declares go by their header.
(function_definition
  !type
  declarator: (function_declarator declarator: (identifier) @_test)
  body: (_) @body
  (#any-of? @_test
    "TEST" "TEST_F" "TEST_P" "TYPED_TEST" "TYPED_TEST_P" "TEST_CASE" "SECTION" "BENCHMARK_F"
    "BOOST_AUTO_TEST_CASE" "BOOST_FIXTURE_TEST_CASE"))
  @definition.test
(declaration
  declarator: [
    (reference_declarator (function_declarator))
    (operator_cast)
  ] @name) @definition.function
(field_declaration
  declarator: [
    (reference_declarator (function_declarator)) @name
    (operator_cast) @name
  ]) @definition.method
(alias_declaration name: (_) @name) @definition.type
(concept_definition name: (_) @name) @definition.type

(using_declaration) @import
