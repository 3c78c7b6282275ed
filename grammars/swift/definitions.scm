(class_declaration declaration_kind: "struct" name: (_) @name body: (_) @body) @definition.struct
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @definition.enum
(class_declaration declaration_kind: "extension" name: (_) @name body: (_) @body) @definition.impl
(class_declaration name: (_) @name body: (_) @body) @definition.class
(protocol_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_entry name: (simple_identifier)+ @name) @definition.field
(function_declaration name: (_) @name body: (_)? @body) @definition.function
(protocol_function_declaration name: (_) @name) @definition.method
(init_declaration "init" @name body: (_)? @body) @definition.method
(deinit_declaration "deinit" @name body: (_)? @body) @definition.method
(subscript_declaration "subscript" @name (computed_property)? @body) @definition.method
((property_declaration
  name: (pattern (_) @name)
  computed_value: (_)? @body) @definition.field
  (#has-parent? @definition.field class_body enum_class_body))
(property_declaration name: (pattern (_) @name) computed_value: (_)? @body) @definition.variable
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @definition.field
(typealias_declaration name: (_) @name) @definition.type
(associatedtype_declaration name: (_) @name) @definition.type
(operator_declaration (_) @name) @definition.function
(macro_declaration (simple_identifier) @name) @definition.macro

(import_declaration) @import

; Tests that are named by a text.
(call_expression
  (simple_identifier) @_test
  (call_suffix
    (value_arguments . (value_argument value: (line_string_literal) @name))
    (lambda_literal) @body)
  (#any-of? @_test
    "describe" "context" "it" "fdescribe" "fcontext" "fit" "xdescribe" "xcontext" "xit"))
  @definition.test
