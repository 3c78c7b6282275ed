; What JavaScript and TypeScript share.

(function_declaration name: (_) @name body: (_) @body) @definition.function
(generator_function_declaration name: (_) @name body: (_) @body) @definition.function
(method_definition name: (_) @name body: (_) @body) @definition.method
(pair
  key: (_) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.method

(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @definition.class
(variable_declarator name: (identifier) @name value: [(object) (array)] @body) @definition.variable
; Functions and objects that are handed to another function first.
(variable_declarator
  name: (identifier) @name
  value: (call_expression
    arguments: (arguments
      [
        (arrow_function body: (statement_block) @body)
        (function_expression body: (_) @body)
        (object) @body
      ]))) @definition.variable
(variable_declarator name: (identifier) @name) @definition.variable

; Functions that are assigned: Type.prototype.name, this.name, exports.name.
(assignment_expression
  left: (member_expression
    object: (member_expression object: (_) @qualifier property: (_) @_prototype)
    property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]
  (#eq? @_prototype "prototype")) @definition.method
(assignment_expression
  left: (member_expression object: (this) property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.method
(assignment_expression
  left: [
    (member_expression object: (identifier) property: (property_identifier)) @name
    (member_expression
      object: (member_expression object: (identifier) property: (property_identifier))
      property: (property_identifier)) @name
  ]
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.function
(assignment_expression
  left: (member_expression object: (identifier) @_module property: (property_identifier)) @name
  right: [
    (object) @body
    (class body: (_) @body)
  ]
  (#any-of? @_module "module" "exports")) @definition.variable

; An export without a name of its own goes by the name others import it by.
(export_statement
  "default" @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)
  ]) @definition.function
(export_statement "default" @name value: (class !name body: (_) @body)) @definition.class
(export_statement "default" @name value: (object) @body) @definition.variable
(export_statement
  "default" @name
  value: (call_expression arguments: (arguments (object) @body))) @definition.variable

; Tests that are named by a text.
(call_expression
  function: [
    (identifier) @_test
    (member_expression object: (identifier) @_test)
    (member_expression property: (property_identifier) @_test)
    (call_expression function: (member_expression object: (identifier) @_test))
  ]
  arguments: (arguments
    . [(string) (template_string)] @name
    [
      (arrow_function body: (statement_block) @body)
      (function_expression body: (statement_block) @body)
    ])
  (#any-of? @_test
    "describe" "it" "test" "suite" "context" "specify" "bench"
    "fdescribe" "fit" "xcontext" "xdescribe" "xit" "xtest")) @definition.test

(import_statement) @import
(export_statement source: (_)) @import
(lexical_declaration
  (variable_declarator
    value: (call_expression function: (identifier) @_require arguments: (arguments . (string))))
  (#eq? @_require "require")) @import
(variable_declaration
  (variable_declarator
    value: (call_expression function: (identifier) @_require arguments: (arguments . (string))))
  (#eq? @_require "require")) @import
(expression_statement
  (call_expression function: (identifier) @_require arguments: (arguments . (string)))
  (#eq? @_require "require")) @import
