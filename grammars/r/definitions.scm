((binary_operator
  lhs: (_) @name
  operator: ["<-" "<<-" "="]
  rhs: (function_definition body: (_) @body)) @definition.function)
((binary_operator lhs: (identifier) @name operator: ["<-" "="] rhs: (_)) @definition.variable
  (#has-parent? @definition.variable program))

; Tests that are named by a text.
(call
  function: (identifier) @_test
  arguments: (arguments . (argument value: (string) @name) (argument value: (braced_expression) @body))
  (#any-of? @_test "test_that" "describe" "it")) @definition.test

((call function: (identifier) @_library) @import
  (#any-of? @_library "library" "require" "requireNamespace")
  (#has-parent? @import program))
