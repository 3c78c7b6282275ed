(class_declaration "interface" name: (_) @name (class_body)? @body) @definition.interface
(class_declaration name: (_) @name (enum_class_body) @body) @definition.enum
(class_declaration name: (_) @name (class_body)? @body) @definition.class
(object_declaration name: (_) @name (class_body)? @body) @definition.class
(companion_object name: (_) @name (class_body)? @body) @definition.class
(companion_object "companion" @name (class_body)? @body) @definition.class
(enum_entry (identifier) @name (class_body)? @body) @definition.field
(function_declaration
  . (user_type) @qualifier
  name: (_) @name
  (function_body)? @body) @definition.function
(function_declaration name: (_) @name (function_body)? @body) @definition.function
(secondary_constructor "constructor" @name (block)? @body) @definition.method
((property_declaration (variable_declaration (identifier) @name)) @definition.field
  (#has-parent? @definition.field class_body enum_class_body))
(property_declaration (variable_declaration (identifier) @name)) @definition.variable
(type_alias type: (_) @name) @definition.type

(package_header) @import
(import) @import

; Tests that are named by a text.
(call_expression
  (call_expression
    (identifier) @_test
    (value_arguments . (value_argument (string_literal) @name)))
  (annotated_lambda (lambda_literal) @body)
  (#any-of? @_test
    "test" "describe" "context" "it" "should" "feature" "scenario" "given" "expect"
    "xtest" "xdescribe" "xcontext" "xit"))
  @definition.test
(call_expression
  . (string_literal) @name
  (annotated_lambda (lambda_literal) @body)) @definition.test
(infix_expression
  . (string_literal) @name
  (identifier) @_test
  (lambda_literal) @body
  (#any-of? @_test "should" "When" "Then" "And")) @definition.test
