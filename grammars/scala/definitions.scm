(package_clause name: (_) @name body: (_) @body) @definition.module
(package_object name: (_) @name body: (_)? @body) @definition.module
(class_definition name: (_) @name body: (_)? @body) @definition.class
(object_definition name: (_) @name body: (_)? @body) @definition.class
(trait_definition name: (_) @name body: (_)? @body) @definition.interface
(enum_definition name: (_) @name body: (_)? @body) @definition.enum
(simple_enum_case name: (_) @name) @definition.field
(full_enum_case name: (_) @name) @definition.field
(function_definition name: (_) @name body: (_)? @body) @definition.function
(function_declaration name: (_) @name) @definition.function
(given_definition name: (_) @name body: (_)? @body) @definition.variable
(val_definition pattern: (identifier) @name) @definition.variable
(var_definition pattern: (identifier) @name) @definition.variable
(val_declaration name: (_) @name) @definition.variable
(var_declaration name: (_) @name) @definition.variable
(type_definition name: (_) @name) @definition.type

(import_declaration) @import

; Tests that are named by a text.
(call_expression
  function: (call_expression
    function: (identifier) @_test
    arguments: (arguments . (string) @name))
  arguments: [(block) (colon_argument)] @body
  (#any-of? @_test
    "test" "describe" "it" "they" "property" "feature" "scenario" "Feature" "Scenario"))
  @definition.test
(infix_expression
  left: [(string) @name (infix_expression right: (string) @name)]
  operator: (identifier) @_test
  right: (block) @body
  (#any-of? @_test "in" "should" "must" "can" "when" "which" "that"))
  @definition.test
