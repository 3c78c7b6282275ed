(variable_declaration
  (builtin_function (builtin_identifier) @_import)
  (#eq? @_import "@import")) @import
(variable_declaration (identifier) @name (struct_declaration) @body) @definition.struct
(variable_declaration (identifier) @name (opaque_declaration) @body) @definition.struct
(variable_declaration (identifier) @name (union_declaration) @body) @definition.struct
(variable_declaration (identifier) @name (enum_declaration) @body) @definition.enum
(variable_declaration (identifier) @name (error_set_declaration) @body) @definition.enum
(variable_declaration "const" (identifier) @name) @definition.constant
(variable_declaration (identifier) @name) @definition.variable
(container_field name: (_) @name) @definition.field
(function_declaration name: (_) @name body: (_)? @body) @definition.function
(test_declaration (string) @name (block) @body) @definition.test
(test_declaration (identifier) @name (block) @body) @definition.test
(test_declaration (block) @body) @definition.test
