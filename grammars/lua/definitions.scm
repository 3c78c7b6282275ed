(function_declaration name: (_) @name body: (_)? @body) @definition.function
(assignment_statement
  (variable_list . name: (_) @name)
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(field name: (identifier) @name value: (function_definition body: (_)? @body))
  @definition.function
((assignment_statement
  (variable_list . name: (_) @name)
  (expression_list . value: (table_constructor) @body)) @definition.variable
  (#has-parent? @definition.variable chunk variable_declaration))
((assignment_statement (variable_list . name: (_) @name)) @definition.variable
  (#has-parent? @definition.variable chunk variable_declaration))

(variable_declaration
  (assignment_statement
    (expression_list
      . value: [
        (function_call name: (identifier) @_require)
        (dot_index_expression table: (function_call name: (identifier) @_require))
      ]))
  (#eq? @_require "require")) @import
((function_call name: (identifier) @_require) @import
  (#eq? @_require "require")
  (#has-parent? @import chunk))

; Tests that are named by a text.
(function_call
  name: (identifier) @_test
  arguments: (arguments . (string) @name (function_definition body: (_)? @body))
  (#any-of? @_test "describe" "context" "insulate" "expose" "it" "spec" "test" "pending"))
  @definition.test
