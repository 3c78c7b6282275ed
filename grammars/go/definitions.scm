(function_declaration name: (_) @name body: (_)? @body) @definition.function
(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @qualifier
        (generic_type type: (_) @qualifier)
        (pointer_type (type_identifier) @qualifier)
        (pointer_type (generic_type type: (_) @qualifier))
      ]))
  name: (_) @name
  body: (_)? @body) @definition.method
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (_) @name type: (interface_type) @body) @definition.interface
(type_spec name: (_) @name) @definition.type
(type_alias name: (_) @name) @definition.type
(field_declaration name: (field_identifier)+ @name) @definition.field
(method_elem name: (_) @name) @definition.method
(const_spec name: (identifier)+ @name) @definition.constant
(var_spec
  name: (_) @name
  value: (expression_list . (func_literal body: (_) @body))) @definition.function
(var_spec name: (identifier)+ @name) @definition.variable

; Subtests.
(call_expression
  function: (selector_expression field: (_) @_run)
  arguments: (argument_list
    . [(interpreted_string_literal) (raw_string_literal)] @name
    (func_literal body: (_) @body))
  (#eq? @_run "Run")) @definition.test
; Tests that are named by a text.
(call_expression
  function: [
    (identifier) @_test
    (selector_expression field: (_) @_test)
  ]
  arguments: (argument_list
    . [(interpreted_string_literal) (raw_string_literal)] @name
    (func_literal body: (_) @body))
  (#any-of? @_test
    "Describe" "Context" "When" "It" "Specify" "FDescribe" "FContext" "FWhen" "FIt"
    "PDescribe" "PContext" "PWhen" "PIt" "XDescribe" "XContext" "XWhen" "XIt"))
  @definition.test

(import_declaration) @import
