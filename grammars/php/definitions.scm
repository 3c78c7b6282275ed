(namespace_definition name: (_) @name body: (_)? @body) @definition.module
(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(trait_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_case name: (_) @name) @definition.field
(function_definition name: (_) @name body: (_) @body) @definition.function
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(property_element name: (variable_name (name) @name)) @definition.field
(const_element (name) @name) @definition.constant

(namespace_use_declaration) @import
(expression_statement
  [
    (require_expression)
    (require_once_expression)
    (include_expression)
    (include_once_expression)
  ]) @import

; Tests that are named by a text.
(function_call_expression
  function: (name) @_test
  arguments: (arguments
    . (argument [(string) (encapsed_string)] @name)
    (argument (anonymous_function body: (_) @body)))
  (#any-of? @_test "describe" "it" "test"))
  @definition.test
