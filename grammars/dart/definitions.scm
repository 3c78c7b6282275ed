(class_declaration name: (_) @name body: (_) @body) @definition.class
(mixin_declaration name: (_) @name body: (_) @body) @definition.class
(extension_declaration name: (_) @name body: (_) @body) @definition.impl
(extension_type_declaration name: (_) @name body: (_) @body) @definition.class
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_entry name: (_) @name) @definition.field
(type_alias . (_) @name) @definition.type
(function_declaration
  signature: (function_signature name: (_) @name)
  body: (_)? @body) @definition.function
(local_function_declaration
  (function_signature name: (_) @name)
  (function_body)? @body) @definition.function
(getter_declaration
  signature: (getter_signature name: (_) @name)
  body: (_)? @body) @definition.function
(setter_declaration
  signature: (setter_signature name: (_) @name)
  body: (_)? @body) @definition.function
(method_declaration
  signature: (method_signature [
    (function_signature name: (_) @name)
    (getter_signature name: (_) @name)
    (setter_signature name: (_) @name)
    (constructor_signature name: (_) @name)
    (factory_constructor_signature name: (_) @name)
    (operator_signature "operator" @name)
  ])
  body: (_)? @body) @definition.method
(declaration [
  (function_signature name: (_) @name)
  (getter_signature name: (_) @name)
  (setter_signature name: (_) @name)
  (constructor_signature name: (_) @name)
  (constant_constructor_signature name: (_) @name)
  (factory_constructor_signature name: (_) @name)
  (redirecting_factory_constructor_signature name: (_) @name)
  (operator_signature "operator" @name)
]) @definition.method
(declaration (initialized_identifier_list (initialized_identifier name: (_) @name)+))
  @definition.field
(declaration (static_final_declaration_list (static_final_declaration name: (_) @name)+))
  @definition.field
(top_level_variable_declaration
  "const"
  (static_final_declaration_list (static_final_declaration name: (_) @name)+))
  @definition.constant
(top_level_variable_declaration
  (static_final_declaration_list (static_final_declaration name: (_) @name)+))
  @definition.variable
(top_level_variable_declaration
  (initialized_identifier_list (initialized_identifier name: (_) @name)+))
  @definition.variable

(import_or_export) @import
(library_name) @import
(part_directive) @import
(part_of_directive) @import

; Tests that are named by a text.
(call_expression
  function: (identifier) @_test
  arguments: (arguments
    . (string_literal) @name
    (function_expression body: (function_expression_body (block) @body)))
  (#any-of? @_test "test" "group" "testWidgets"))
  @definition.test
